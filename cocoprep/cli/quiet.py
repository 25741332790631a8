"""Libraries talk while they load, of nothing that a user asked for: they are heard only where something fails."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cocoprep.checks import printable


@contextmanager
def quiet_libraries(*, errors_too: bool = True) -> Iterator[None]:
    """Keep what comes on stdout and stderr off the terminal; if the block fails, for whatever reason, show it.

    Without `errors_too` stderr is let through: where a library may end the process, nobody would show what it said.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    _flush()
    with tempfile.TemporaryFile() as kept:
        output, terminal = os.dup(1), os.dup(2)
        for stream in (1, 2) if errors_too else (1,):
            os.dup2(kept.fileno(), stream)  # the descriptor: what is not Python writes to it as well
        try:
            yield
        except BaseException:
            _flush()
            kept.seek(0)
            with suppress(OSError), open(terminal, "w", errors="replace", closefd=False) as shown:
                shown.write(printable(kept.read().decode(errors="replace")))  # the block's error matters more
            raise
        finally:
            _flush()
            for stream, before in ((1, output), (2, terminal)):
                os.dup2(before, stream)
                os.close(before)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
