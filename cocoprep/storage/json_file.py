"""A file of JSON for people to read, and for programs."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from cocoprep.storage.leftovers import sweep_beside
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore


def write_json(path: str, content: Any, files: FileStore) -> None:
    """Write readable JSON; where a link lies, to the file that it names."""
    target = real_path(path)
    sweep_beside(target, files)
    with files.create(target) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def as_builtins(value: Any) -> Any:
    """Turn NumPy's numbers into Python's, and those that JSON cannot write into None, at any depth."""
    if isinstance(value, dict):
        return {key: as_builtins(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [as_builtins(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
