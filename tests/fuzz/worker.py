"""A process that runs one command after another and tells of each how it ended: `python -m tests.fuzz.worker`.

It loads what is heavy once. Asked by a line of JSON on its input, it answers with one on its output; what a command
prints goes to files.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MORE_BYTES = 4 << 30  # of address space, than what there is before a command
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events of Python's that change what is on the disk -> which of their arguments are paths.
CHANGES = {
    "os.mkdir": (0,), "os.rename": (0, 1), "os.remove": (0,), "os.rmdir": (0,), "os.link": (0, 1), "os.symlink": (1,),
    "os.truncate": (0,), "os.chmod": (0,), "os.utime": (0,),
}  # fmt: skip
FORBIDDEN = ("pickle.find_class", "os.system")


class Watch:
    """Hears of all that Python code does to files, and to the process."""

    def __init__(self) -> None:
        self.allowed: tuple[str, ...] = ()
        self.on, self.seen = False, list[str]()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in FORBIDDEN:
            self.seen.append(f"{event}{arguments!r:.300}")
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
            self._check(event, arguments[0])
        elif (event in CHANGES and -1 in arguments) or event in ("os.rename", "os.truncate", "os.symlink"):
            for number in CHANGES[event]:
                self._check(event, arguments[number])

    def _check(self, event: str, path: Any) -> None:
        if isinstance(path, (str, bytes)):
            real = os.path.realpath(os.fsdecode(path))
            if not real.startswith((*self.allowed, "/dev/", "/proc/self/")):
                self.seen.append(f"{event} {real!r:.300}")


def run_command(arguments: list[str]) -> int:
    """Run a command line, or what stands for one; return its exit code, 3 for what nobody expected."""
    from cocoprep.cli import main
    from cocoprep.cli.say import say_error
    from cocoprep.errors import CocoprepError
    from tests.fuzz import readers

    try:
        if arguments[0].startswith("reader:"):
            getattr(readers, arguments[0].removeprefix("reader:"))(*arguments[1:])
        else:
            main(arguments)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    except CocoprepError as error:
        say_error(f"error: {error}")
        return 1
    except BaseException:
        traceback.print_exc()
        return 3
    return 0


@contextlib.contextmanager
def redirected(stdout: str, stderr: str) -> Iterator[None]:
    """Send what is printed, by whatever library, to files."""
    kept = [os.dup(1), os.dup(2)]
    for path, number in ((stdout, 1), (stderr, 2)):
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(target, number)
        os.close(target)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for old, number in zip(kept, (1, 2), strict=True):
            os.dup2(old, number)
            os.close(old)


def memory_kb(name: str) -> int:
    """Return a figure of this process's memory: VmHWM its peak, VmRSS what it has, VmSize what it has asked for."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def _answer(watch: Watch, job: dict[str, Any]) -> dict[str, Any]:
    os.chdir(job["cwd"])
    watch.allowed, watch.seen = tuple(job["allowed"]), []
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak: see proc(5)
    before, started = memory_kb("VmRSS"), time.process_time()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, ((memory_kb("VmSize") << 10) + MORE_BYTES, hard))
    with redirected(job["stdout"], job["stderr"]):
        watch.on = True
        try:
            code = run_command(job["arguments"])
        finally:
            watch.on = False
    return {
        "code": code,
        "seconds": time.process_time() - started,
        "peak_mb": (memory_kb("VmHWM") - before) / 1024,
        "seen": watch.seen,
    }


def main() -> None:
    """Answer jobs until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    watch = Watch()
    for line in sys.stdin:
        answers.write(json.dumps(_answer(watch, json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
