"""Photographs that ids stand for where no file lists them: by COCO's naming, by name, or by name without its ending."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from cocoprep.checks import shown
from cocoprep.coco.ids import image_number, number_of, text_of
from cocoprep.coco.image_names import ImagesByName
from cocoprep.crops.file_names import MOST_NAMES
from cocoprep.errors import ConfigError
from cocoprep.pose.nouns import counted

ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
_COCO = re.compile(r"(?:COCO_[A-Za-z]+\d{4}_)?(\d{1,18})", re.ASCII)  # 000000000139, in 2014 COCO_val2014_000000000139


class PhotographsById:
    """Finds photographs among names: the id 785 is that of 785.jpg, 000000000785.jpg or COCO_val2014_000000000785.jpg.

    Where two fit, neither is taken.
    """

    def __init__(self, names: Iterable[str], where: str) -> None:
        """Take the own names of all that lies at a place, of which those count that end as a picture's does.

        Raises:
            ConfigError: there are too many, or none.
        """
        pictures = (name for name in names if name.lower().endswith(ENDINGS))
        self._names = list(islice(pictures, MOST_NAMES + 1))
        if not self._names or len(self._names) > MOST_NAMES:
            found = f"over {MOST_NAMES}" if self._names else "none"
            raise ConfigError(
                f"--images: expected photographs ({', '.join(ENDINGS)}) at {where}, found {found}. Name their folder, "
                "zip or tar, or a file that lists them with --annotations."
            )
        self._where, self._named = where, 0
        self._by_name = ImagesByName(dict(enumerate(self._names)))
        stems = [_COCO.fullmatch(PurePosixPath(name).stem) for name in self._names]
        numbers = [None if match is None else int(match[1]) for match in stems]
        uses = Counter(numbers)
        self._numbers = [number if uses[number] == 1 else None for number in numbers]
        self._of_number: dict[int, list[int]] = {}
        for place, number in enumerate(numbers):
            if number is not None:
                self._of_number.setdefault(number, []).append(place)
        self.names: dict[int, str] = {}  # of those that have been found, by the number that `find` has returned

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was found otherwise than by number, in sentences."""
        said = "lines of the detections name a photograph by its file: taken for the one of this name"
        return (counted(self._named, said),) if self._named else ()

    def find(self, own: Any) -> int | str:
        """Return the number of a photograph, or why an id stands for none.

        It is the number that the photograph's name is; of one that has no such name, or shares its number, one that
        follows from the name.
        """
        text = text_of(own)
        number = number_of(own)
        by_number = set(() if number is None else self._of_number.get(number, ()))
        found = by_number | (self._by_name.plain(text) if isinstance(own, str) else set())
        if not found and isinstance(own, str):
            found = self._by_name.at_the_end(text)
        if not found:
            return f"no photograph at {self._where} has this number or name"
        if len(found) > 1:
            one, other, *_ = sorted(self._names[place] for place in found)
            return f"both {shown(one)} and {shown(other)} fit. Give file names in place of numbers, or rename one"
        (place,) = found
        self._named += place not in by_number
        number = self._numbers[place]
        number = image_number(self._names[place]) if number is None else number
        self.names[number or 0] = self._names[place]
        return number or 0

    def source_id(self, number: int) -> str | None:
        """Return the name of a found photograph whose number is none that it bears."""
        name = self.names[number]
        match = _COCO.fullmatch(PurePosixPath(name).stem)
        return None if match is not None and int(match[1]) == number else name
