"""A source of photographs that is asked by the names of an annotation file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from cocoprep.crops.file_names import FoundNames, find_names
from cocoprep.crops.image_source import DigestedImages, ImageSource
from cocoprep.errors import ImageError


class NamedImages:
    """Reads photographs by the names of one annotation file, also where theirs are not quite those.

    All names are looked for where the first is not there; where every one is, nothing is listed.
    """

    def __init__(self, images: ImageSource, file_names: Iterable[str]) -> None:
        """Take the photographs and every name of the file: no two may mean the same photograph."""
        self._images, self._file_names = images, file_names

    @cached_property
    def _names(self) -> FoundNames:
        return find_names(self._file_names, self._images)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what has been guessed so far, in sentences."""
        return self._names.notes if "_names" in self.__dict__ else ()

    def read(self, file_name: str) -> bytes:
        """Return a photograph's file. Raises ImageError as `ImageSource.read`, and for a name that means no one."""
        try:
            return self._images.read(file_name)
        except ImageError as error:
            if file_name in self._names.refused:
                raise ImageError(self._names.refused[file_name]) from error
            if file_name not in self._names.own:
                raise
        return self._images.read(self._names.own[file_name])


class Refusing:
    """A source some of whose names are refused."""

    def __init__(self, images: DigestedImages, refused: Mapping[str, str]) -> None:
        """Take a source, and of every name that is refused why."""
        self._images, self._refused = images, refused

    def read(self, file_name: str) -> bytes:
        """See `ImageSource`."""
        if file_name in self._refused:
            raise ImageError(self._refused[file_name])
        return self._images.read(file_name)

    def read_start(self, file_name: str, size: int) -> bytes:
        """See `ImageSource`."""
        if file_name in self._refused:
            raise ImageError(self._refused[file_name])
        return self._images.read_start(file_name, size)

    def digest(self, file_name: str) -> str | None:
        """See `ImageSource`."""
        return None if file_name in self._refused else self._images.digest(file_name)
