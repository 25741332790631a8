"""A file of JSON for people to read, and for programs."""

from __future__ import annotations

from typing import Any

import msgspec

from cocoprep.storage.leftovers import sweep_beside
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore


def write_json(path: str, content: Any, files: FileStore) -> None:
    """Write readable JSON; where a link lies, to the file that it names."""
    target = real_path(path)
    sweep_beside(target, files)
    with files.create(target) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
