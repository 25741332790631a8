"""A process of Beam's ends as soon as anything in it fails, rather than wait for a thread that is gone."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

GRACE_S = 1.5  # a thread that listens to another process fails when that one ends: its own end shall be seen first


def run_to_the_end(work: Callable[[], object]) -> NoReturn:
    """Do the work and end this process: with 0, or with 1 when the work raises or any thread does.

    Beam and gRPC leave much to threads. Where one cannot be started, or fails, the others wait for it: in the work, or
    at the interpreter's exit.
    """
    report = threading.excepthook

    def end(failure: threading.ExceptHookArgs) -> None:
        try:
            report(failure)
            time.sleep(GRACE_S)
        finally:
            _exit(1)

    threading.excepthook = end
    try:
        work()
    except BaseException:  # whatever it is
        try:
            traceback.print_exc()
        finally:
            _exit(1)  # within the handler: to let go of the failure is to free gRPC's servers, which may wait for ever
    _exit(0)


def _exit(status: int) -> NoReturn:
    try:
        with suppress(BaseException):  # a closed pipe, a full disk, no memory
            sys.stdout.flush()
            sys.stderr.flush()
    finally:
        os._exit(status)
