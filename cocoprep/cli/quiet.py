"""Libraries talk while they load, of nothing that a user asked for: they are heard only where something fails."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cocoprep.checks import printable


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
            with suppress(OSError), open(terminal, "w", errors="replace", closefd=False) as shown:
                shown.write(printable(kept.read().decode(errors="replace")))  # the block's error matters more
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
