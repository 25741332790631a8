"""A command that is killed at a moment drawn by chance, then run again: what it leaves, and what becomes of it."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.processes import driver_of, wait_until_gone, workers_of

SIGNALS = (signal.SIGKILL,) * 7 + (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
MOMENTS = ("at a share of its time", "at a number of files", "in a write")
VICTIMS = ("command", "driver", "worker")  # of a build
TIMEOUT_S = 120
# What TensorFlow and ONNX Runtime leave among temporary files when they are killed: of a kilobyte or none.
THEIRS = re.compile(r"__autograph_generated_file\w+\.py|\.ses")
POLL_S = 0.0005
Look = Callable[[Path], Any]


def sha256_of(path: Path) -> str:
    """Return a file's digest."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names_below(folder: Path) -> list[str]:
    """Return the relative paths of the files of a folder and of all within; of those that come and go, some."""
    found = []
    for parent, _, names in os.walk(folder):
        found += [Path(parent, name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def is_temporary(name: str) -> bool:
    """Tell whether a relative path is one that no reader looks at: hidden, or in a folder that is."""
    return any(part.startswith(".") for part in name.split("/"))


class Home:
    """A folder with all that a command writes, and nothing that it only reads."""

    def __init__(
        self,
        path: Path,
        *,
        prepare: Callable[[Path], object] = lambda path: None,
        looks: Mapping[str, Look] | None = None,
        changing: Mapping[str, Look] | None = None,
        others: Mapping[str, Look] | None = None,
    ) -> None:
        """Describe it; all files go by patterns of their names, such as `checkpoints/*.npz`.

        Args:
            path: of the folder.
            prepare: puts there what is to be there before the command.
            looks: gives what is compared of a file, None for nothing, not even its name; its digest by default.
            changing: reads, after a kill, a file that changes as long as the command runs. All others must be as they
                were before it, or as they are after it.
            others: gives, by a name of its own, what is compared of the whole folder, in place of such files.
        """
        self.path, self._prepare = path, prepare
        self._looks, self._changing, self._others = looks or {}, changing or {}, others or {}

    def begin(self) -> None:
        """Make it as it is before the command."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        self._prepare(self.path)

    def names(self) -> list[str]:
        """Return the names of all files."""
        return names_below(self.path)

    def digest(self, name: str) -> Any:
        """Return what is compared of a file."""
        return (_of(self._looks, name) or sha256_of)(self.path / name)

    def content(self) -> dict[str, Any]:
        """Return what is compared of the whole folder."""
        files = {name: self.digest(name) for name in self.names() if not is_temporary(name)}
        known = {name: found for name, found in files.items() if found is not None}
        return known | {name: look(self.path) for name, look in self._others.items()}

    def check_whole(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Look, after a kill, at every file that is there under its final name."""
        for name in self.names():
            if is_temporary(name):
                continue
            if look := _of(self._changing, name):
                look(self.path / name)
            elif (found := self.digest(name)) is not None:
                assert found in (before.get(name), after.get(name)), name


def _of(looks: Mapping[str, Look], name: str) -> Look | None:
    return next((look for pattern, look in looks.items() if Path(name).match(pattern)), None)


class Killing:
    """Kills one command again and again.

    Attributes:
        ends: how often a killed command ended in which way.
        seconds: that it takes undisturbed.
    """

    def __init__(
        self, command: list[str], home: Home, *, inputs: Iterable[Path] = (), temporary: Path, seed: str
    ) -> None:
        """Run the command undisturbed, twice: it must write the same.

        Args:
            command: the whole command line.
            home: what it writes.
            inputs: what it reads.
            temporary: a folder for its temporary files.
            seed: of all that is drawn.
        """
        self._command, self._home, self._inputs, self._temporary = command, home, list(inputs), temporary
        self._rng, self._is_build = random.Random(seed), "build" in command
        temporary.mkdir(exist_ok=True)
        self._read = self._read_inputs()
        home.begin()
        self._before = home.content()
        self._run_to_the_end()
        self._after = home.content()
        home.begin()
        started = time.monotonic()
        self._run_to_the_end()
        self.seconds = time.monotonic() - started
        assert not (odd := self._differences()), f"undisturbed, the command does not write the same twice: {odd}"
        self._files = len(home.names())
        self.ends = Counter[str]()

    def kill(self, kills: int) -> None:
        """Kill the command so many times in all, then and again letting it come to its end, and look at everything."""
        while kills:
            in_a_row = min(kills, self._rng.choice([1, 1, 2, 3]))
            kills -= in_a_row
            self._home.begin()
            told = ""
            for _ in range(in_a_row):
                told += self._kill_once()
                self._home.check_whole(self._before, self._after)
            told += self._run_to_the_end()
            self._check_end(told)

    def _check_end(self, told: str) -> None:
        assert not (odd := self._differences()), f"{odd}\n{told}"
        left = [name for name in self._home.names() if is_temporary(name)]
        left += [path.name for path in self._temporary.iterdir() if not THEIRS.fullmatch(path.name)]
        assert left == [], f"{left}\n{told}"
        assert self._read_inputs() == self._read, told

    def _differences(self) -> list[str]:
        """Return the names of what is not as after the undisturbed command."""
        now, missing = self._home.content(), object()
        return [n for n in {**now, **self._after} if now.get(n, missing) != self._after.get(n, missing)]

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, cwd=self._home.path, env={**os.environ, "TMPDIR": str(self._temporary)},
        )  # fmt: skip

    def _run_to_the_end(self) -> str:
        process = self._start()
        output, _ = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0, output
        return output

    def _kill_once(self) -> str:
        moment, number = self._rng.choice(MOMENTS), self._rng.choice(SIGNALS)
        victim = self._rng.choice(VICTIMS) if self._is_build else VICTIMS[0]
        process = self._start()
        self._wait_for(moment, process)
        driver = driver_of(process.pid) if self._is_build else None
        sent = number if victim == VICTIMS[0] or driver is None else signal.SIGKILL
        with suppress(ProcessLookupError):
            os.kill(self._target(process.pid, victim, driver), sent)
        output, _ = process.communicate(timeout=TIMEOUT_S)
        for leader in filter(None, (process.pid, driver)):
            wait_until_gone(leader)
        end = f"{victim}: {sent.name} {moment}: {process.returncode}"
        self.ends[end] += 1
        return f"{end}\n{output}\n"

    def _target(self, command: int, victim: str, driver: int | None) -> int:
        if victim == VICTIMS[0] or driver is None:
            return command
        return driver if victim == VICTIMS[1] else self._rng.choice(workers_of(driver) or [driver])

    def _wait_for(self, moment: str, process: subprocess.Popen[str]) -> None:
        """Wait for a moment, or for the end of the command."""
        deadline = time.monotonic() + self._rng.uniform(0, 1) * self.seconds
        files = self._rng.randrange(self._files)
        while process.poll() is None:
            time.sleep(POLL_S)
            if time.monotonic() >= deadline if moment == MOMENTS[0] else self._has_written(files, moment):
                return

    def _has_written(self, files: int, moment: str) -> bool:
        """Tell whether more than so many files are there, or whether, beside so many, one is being written."""
        names = self._home.names()
        written = sum(map(is_temporary, names))
        return written > 0 and len(names) - written >= files if moment == MOMENTS[2] else len(names) > files

    def _read_inputs(self) -> list[dict[str, str]]:
        return [
            {name: sha256_of(path / name) for name in names_below(path)} if path.is_dir() else {"": sha256_of(path)}
            for path in self._inputs
        ]
