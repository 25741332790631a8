"""Files of this machine that are slow to come, for builds: `-P` keeps the folder one stands in from Python's path."""

from __future__ import annotations

import time

from cocoprep.storage.local import LocalFiles


class SlowFiles(LocalFiles):
    """Waits before it reads one file as a whole."""

    def __init__(self, slow: str, seconds: float):
        self._slow, self._seconds = slow, seconds

    def read_bytes(self, path: str) -> bytes:
        """See `FileStore`."""
        if path == self._slow:
            time.sleep(self._seconds)
        return super().read_bytes(path)
