"""Numbers of bytes, to read."""

from __future__ import annotations


def format_bytes(size: float) -> str:
    """Return a number of bytes as people say it, such as 19.3 GB."""
    for unit, digits in (("B", 0), ("kB", 1), ("MB", 1)):
        if round(size, digits) < 1000:
            return f"{size:.{digits}f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"
