"""Images by the names of their files, where others than their ids are used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath


def images_by_name(file_names: Mapping[int, str]) -> dict[str, set[int]]:
    """Return the numbers of images by path, by name, and by both without the ending, of the path by number."""
    found: dict[str, set[int]] = {}
    for number, name in file_names.items():
        path = PurePosixPath(name)
        for text in (name, path.name, path.stem, name.removesuffix(path.suffix)):
            if text:
                found.setdefault(text, set()).add(number)
    return found
