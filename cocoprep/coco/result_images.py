"""Images as the results of other tools name them: by number, by an id of their own, by file name or its stem."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from cocoprep.coco.ids import number_of, text_of
from cocoprep.coco.image_names import ImagesByName
from cocoprep.pose.nouns import counted


class ResultImages:
    """Finds the images of an annotation file, and counts those that were not found by their ids."""

    def __init__(
        self, path: str, file_names: Mapping[int, str], source_ids: Mapping[int, str], *, what: str = "results"
    ) -> None:
        """Know the images of the annotation file at `path`: file names and ids that are no numbers, by number.

        `what` is said to name them.
        """
        self._path, self._file_names, self._source_ids, self._what = path, file_names, source_ids, what
        self._by_name, self._named = ImagesByName(file_names), 0

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was found otherwise than by id, in sentences."""
        named = counted(
            self._named, f"lines of the {self._what} name a photograph by its file: taken for the one of this name"
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
        found = by_id | self._by_name.plain(text)
        found = found or self._by_name.at_the_end(text)
        if not found:
            return (
                f"no such image in {self._path}, by id or file name. The {self._what} may be of another data set or "
                "split"
            )
        if len(found) > 1:
            return f"could be {len(found)} images of {self._path}. Give the numbers that are their ids there"
        self._named += not by_id
        return next(iter(found))

    @cached_property
    def _by_source_id(self) -> dict[str, set[int]]:
        return {own: {number} for number, own in self._source_ids.items()}
