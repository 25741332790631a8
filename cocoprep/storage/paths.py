"""Paths as they are given: of this machine, or with a scheme."""

from __future__ import annotations

import os

BUCKET_SCHEME = "gs://"


def real_path(path: str) -> str:
    """Return the one spelling that two paths of the same thing share: links resolved, where there are links."""
    return path.rstrip("/") if "://" in path else os.path.realpath(path)
