"""Run a function in a process of its own, so that the memory it needs goes back to the system when it is done.

Reading 262,000 annotations takes some 600 MB for a few seconds. A worker that did it itself would keep most of that for
the rest of the build.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from cocoprep.errors import BuildError, CocoprepError, OutputError

P = ParamSpec("P")
T = TypeVar("T")


def run_in_fresh_process(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Call a module-level function in a fresh process and return its result; everything crosses by pickle.

    Raises:
        CocoprepError: what the function raised.
        OutputError: it could not read or write a file.
        BuildError: the process ended in any other way; its standard error says more.
    """
    command = [sys.executable, "-P", "-m", "cocoprep.pipelines.fresh_process"]
    call = pickle.dumps((function, arguments, options))
    ended = subprocess.run(command, input=call, stdout=subprocess.PIPE, check=False)  # noqa: S603 - ourselves
    if ended.returncode:
        raise BuildError(
            f"the process that runs {function.__qualname__} ended with status {ended.returncode}. Where it has not "
            "said why, it most likely was short of memory: free some, or raise the limit (ulimit -v). Finished shards "
            "are kept: the same command goes on where it stopped."
        )
    failure, result = pickle.loads(ended.stdout)  # noqa: S301 - from our own child
    if failure is not None:
        raise failure
    return result  # type: ignore[no-any-return]


def _call(function: Callable[..., T], arguments: tuple[object, ...], options: dict[str, object]) -> object:
    """Return (what the function failed with, its result), one of them None."""
    try:
        return None, function(*arguments, **options)
    except CocoprepError as error:
        return error, None
    except OSError as error:
        return OutputError(f"{function.__qualname__} could not read or write a file: {error}."), None


def main() -> None:
    """Do one call: from standard input, to standard output."""
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)  # what anybody prints belongs to the log
        pickle.dump(_call(*pickle.load(sys.stdin.buffer)), answer)  # noqa: S301 - from our own parent


if __name__ == "__main__":
    main()
