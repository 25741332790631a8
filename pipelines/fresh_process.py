"""Run a function in a process of its own, so that the memory it needs goes back to the system when it is done.

Reading 262,000 annotations takes some 600 MB for a few seconds. A worker that did it itself would keep most of that for
the rest of the build. For the same reason what the function found comes back one item at a time.
"""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

from cocoprep.errors import BuildError, CocoprepError, OutputError

NO_ROOM = 74  # exit status of a process that could not write its answer

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


def run_aside(
    function: Callable[P, tuple[T, Iterable[Item]]], *arguments: P.args, **options: P.kwargs
) -> tuple[T, Iterator[Item]]:
    """Call a module-level function in a fresh process and return its result and its items.

    Everything crosses by pickle; the items are read as they are asked for.

    Raises:
        CocoprepError: what the function raised.
        BuildError: the process ended in any other way; its standard error says more.
    """
    with tempfile.TemporaryDirectory(prefix="cocoprep-aside-") as folder:
        answer = Path(folder) / "answer"
        process = start_aside(answer, f"{function.__module__}:{function.__qualname__}", *arguments, **options)
        if process.wait() != 0:
            raise lost_aside(process.returncode)
        return read_answer(answer)  # an open file outlives its folder


def start_aside(answer: Path, function: str, *arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
    """Start a function in a fresh process that writes its outcome to the file `answer`, whole or not at all.

    `function` is "module:name": the caller need not import what the function needs.
    """
    command = [sys.executable, "-P", "-m", "cocoprep.pipelines.fresh_process", str(answer)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - ourselves
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as stream:
            stream.write(pickle.dumps((function, arguments, options)))
    return process


def read_answer(answer: Path) -> tuple[Any, Iterator[Any]]:
    """Return what the function returned, its items still to be read, or raise the CocoprepError that it raised."""
    stream = answer.open("rb")
    failure, result, count = pickle.load(stream)  # noqa: S301 - from our own child
    if failure is not None:
        stream.close()
        raise failure
    return result, _read_items(stream, count)


def _read_items(stream: BinaryIO, count: int) -> Iterator[Any]:
    with stream:
        for _ in range(count):
            yield pickle.load(stream)  # noqa: S301 - from our own child


def lost_aside(status: int) -> CocoprepError:
    """Return the error of a process that ended without an answer."""
    if status == NO_ROOM:
        return OutputError(
            f"cannot write to the folder for temporary files, {tempfile.gettempdir()}. Free some space there, or set "
            "TMPDIR to a folder on another disk."
        )
    return BuildError(
        f"the process that reads the annotations ended with status {status}. Status -9 most likely means that the "
        "kernel ended it for want of memory. Nothing is lost: the same command goes on where it stopped."
    )


def main() -> None:
    """Do one job: from standard input, to the file named on the command line."""
    function, arguments, options = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    module, _, name = function.partition(":")
    result, items = None, []
    failure: CocoprepError | None = None
    try:
        result, items = getattr(importlib.import_module(module), name)(*arguments, **options)
    except CocoprepError as error:
        failure = error
    except OSError as error:
        failure = OutputError(f"{name} could not read or write a file: {error}.")
    answer = Path(sys.argv[1])
    temporary = answer.with_suffix(".tmp")
    try:
        with temporary.open("wb") as stream:
            for part in ((failure, result, len(items)), *items):
                pickle.dump(part, stream, protocol=pickle.HIGHEST_PROTOCOL)
        os.replace(temporary, answer)
    except OSError as error:
        print(f"cannot write {answer}: {error}", file=sys.stderr)  # noqa: T201 - for the log
        sys.exit(NO_ROOM)


if __name__ == "__main__":
    main()
