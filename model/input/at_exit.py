"""Let the process end while TensorFlow still calls into Python.

A dataset that is iterated over goes on reading ahead in threads of its own. One that enters Python while the
interpreter shuts down takes the whole process down with it. So calls are refused from the moment that the process is
about to end, and the end waits for those under way.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 10.0
QUIET_S = 0.1  # refused calls fill the reading ahead up; after that there are no more


class _Calls:
    """Counts the calls under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active, self._ending, self._last = 0, False, 0.0
        atexit.register(self.end)

    @contextmanager
    def enter(self) -> Iterator[None]:
        with self._lock:
            self._last = time.monotonic()
            if self._ending:
                raise RuntimeError("the process is about to end")
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1

    def end(self) -> None:
        with self._lock:
            self._ending = True
            started = self._last = time.monotonic()
        while time.monotonic() - started < PATIENCE_S:
            with self._lock:
                if self._active == 0 and time.monotonic() - self._last > QUIET_S:
                    return
            time.sleep(0.01)


_calls = _Calls()
python_call = _calls.enter
