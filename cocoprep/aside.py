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

from cocoprep.errors import BuildError, CocoprepError

P = ParamSpec("P")
T = TypeVar("T")


def run_aside(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Call a module-level function in a fresh process and return its result. Everything crosses by pickle.

    Raises:
        CocoprepError: what the function raised.
        BuildError: the process ended in any other way; its standard error says more.
    """
    job = pickle.dumps((function, arguments, options))
    run = subprocess.run([sys.executable, "-m", "cocoprep.aside"], input=job, stdout=subprocess.PIPE, check=False)
    if run.returncode != 0:
        raise BuildError(
            f"the process that ran {function.__name__} ended with status {run.returncode}. Status -9 most likely means "
            "that the kernel ended it for want of memory."
        )
    error, result = pickle.loads(run.stdout)  # noqa: S301 - from our own child
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def main() -> None:
    """Do one job: from standard input, to standard output."""
    function, arguments, options = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not mix with the answer
    result: object = None
    failure: CocoprepError | None = None
    try:
        result = function(*arguments, **options)
    except CocoprepError as error:
        failure = error
    with answer:
        pickle.dump((failure, result), answer, protocol=pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    main()
