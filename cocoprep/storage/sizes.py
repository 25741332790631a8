"""Numbers of bytes, to read."""

from __future__ import annotations


def format_bytes(size: float) -> str:
    """Return a number of bytes as people say it, such as 19.3 GB."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"
