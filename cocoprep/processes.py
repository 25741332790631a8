"""Call a function many times in several processes, in order; none of them outlives the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

from cocoprep.errors import BuildError

Task = TypeVar("Task")
Result = TypeVar("Result")


def map_in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], *, processes: int, doing: str
) -> Generator[Result, None, None]:
    """Yield what a function of a module returns for each task, in the order of the tasks.

    Args:
        function: which pickles, as tasks and results do.
        tasks: what it is called with.
        processes: how many; 1 for this one alone.
        doing: what a process does, such as "draws", for errors.

    Raises:
        BuildError: a process was lost.
    """
    if processes == 1:
        yield from map(function, tasks)
        return
    # Fresh processes: a copy of one that has threads, as TensorFlow's has, may wait for ever.
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield from pool.map(function, tasks)
    except BrokenProcessPool as error:
        raise BuildError(
            f"a process that {doing} was lost; most likely the kernel ended it for want of memory. What is done is "
            "kept: the same command goes on where it stopped."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave interrupts to the parent, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os._exit(1)
