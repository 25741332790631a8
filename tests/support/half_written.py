"""What a process leaves behind that was killed in the middle of a write."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path


@cache
def ended_process() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def leave_half(path: Path) -> Path:
    """Leave what is left of a file whose write was killed, beside the file; return its path."""
    left = path.with_name(f".{path.name}.{ended_process()}-0123abcd.tmp")
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"half")
    return left
