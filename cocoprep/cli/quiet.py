"""Libraries talk while they load, of nothing that a user asked for: they are heard only where something fails."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep what comes on stderr off the terminal; if the block fails, for whatever reason, show it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        terminal = os.dup(2)
        os.dup2(kept.fileno(), 2)  # the descriptor: what is not Python writes to it as well
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            kept.seek(0)
            with suppress(OSError), open(terminal, "wb", closefd=False) as shown:  # the block's error matters more
                shutil.copyfileobj(kept, shown)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
