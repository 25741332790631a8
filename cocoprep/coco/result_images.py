"""Images as the results of other tools name them: by number, by an id of their own, by file name or its stem."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from cocoprep.coco.ids import number_of, text_of
from cocoprep.coco.image_names import images_by_name
from cocoprep.pose.nouns import counted


class ResultImages:
    """Finds the images of an annotation file, and counts those that were not found by their ids."""

    def __init__(self, path: str, file_names: Mapping[int, str], source_ids: Mapping[int, str]) -> None:
        """Know the images of the annotation file at `path`: file names and ids that are no numbers, by number."""
        self._path, self._file_names, self._source_ids, self._named = path, file_names, source_ids, 0

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was found otherwise than by id, in sentences."""
        named = counted(
            self._named, "lines of the results name a photograph by its file: taken for the one of this name"
        )
        return (named,) if self._named else ()

    def find(self, own: Any) -> int | str:
        """Return the number of an image, or what is wrong with an id."""
        number = number_of(own)
        by_id = set() if number is None or number not in self._file_names else {number}
        if by_id and not isinstance(own, str):
            return by_id.pop()
        text = text_of(own)
        by_id |= self._by_source_id.get(text, set())
        found = by_id | self._by_name.get(text, set())
        found = found or self._at_the_end(PurePosixPath(text.replace("\\", "/")))
        if not found:
            return f"no such image in {self._path}, by id or file name. The results may be of another data set or split"
        if len(found) > 1:
            return f"could be {len(found)} images of {self._path}. Give the numbers that are their ids there"
        self._named += not by_id
        return next(iter(found))

    def _at_the_end(self, path: PurePosixPath) -> set[int]:
        """Return the images of a name, with or without ending, whose folders are not other ones: `b/1` is no `a/1`."""
        return {
            number
            for number in self._by_name.get(path.name, ())
            if all(map(str.__eq__, path.parts[-2::-1], PurePosixPath(self._file_names[number]).parts[-2::-1]))
        }

    @cached_property
    def _by_source_id(self) -> dict[str, set[int]]:
        return {own: {number} for number, own in self._source_ids.items()}

    @cached_property
    def _by_name(self) -> dict[str, set[int]]:
        return images_by_name(self._file_names)
