"""Images by the names of their files, where others than their ids are used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
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


class ImagesByName:
    """Finds images by the names that tools write in place of ids."""

    def __init__(self, file_names: Mapping[int, str]) -> None:
        """Know the path of every image by number."""
        self._file_names = file_names

    def plain(self, text: str) -> set[int]:
        """Return the images of a path, a name, or either without its ending."""
        return self._by_name.get(text, set())

    def at_the_end(self, text: str) -> set[int]:
        """Return the images of a name, with or without ending, whose folders are not other ones: `b/1` is no `a/1`."""
        path = PurePosixPath(text.replace("\\", "/"))
        return {
            number
            for number in self.plain(path.name)
            if all(map(str.__eq__, path.parts[-2::-1], PurePosixPath(self._file_names[number]).parts[-2::-1]))
        }

    @cached_property
    def _by_name(self) -> dict[str, set[int]]:
        return images_by_name(self._file_names)
