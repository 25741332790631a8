"""A JSON list of lines of one form, such as COCO's results, checked line by line: a message names line and image."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.format import json_fault
from cocoprep.coco.ids import number_of, text_of
from cocoprep.errors import ResultsError
from cocoprep.pose.nouns import counted

_PLACE = re.compile(r"(?P<reason>.*?)(?: - at `\$\[(?P<line>\d+)\](?P<field>.*)`)?")


class Line(Protocol):
    """What every line has."""

    image_id: Any
    category_id: Any


LineKind = TypeVar("LineKind", bound=Line)


@dataclass(frozen=True)
class LineForm:
    """What a list is of, as messages say it: `what` its lines are, and an `example` of one."""

    what: str
    example: str


class _ImageIdOnly(msgspec.Struct):
    image_id: Any = None


def decode_lines(data: bytes, path: str, kind: type[LineKind], form: LineForm) -> list[LineKind]:
    """Return the lines of a list, of a struct's form each; keys that it does not know are passed over.

    Raises:
        ResultsError: it is no JSON list of such lines, or empty. The first line that is wrong is named, counted from 0,
            with its image.
    """
    try:
        lines = msgspec.json.decode(data, type=list[kind])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        _explain_form(error, data, path, form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _explain_no_json(error, data, path, form)
    except RecursionError as error:
        raise ResultsError(f"{path}: its JSON is nested hundreds of levels deep. Expected {form.example}.") from error
    if not lines:
        raise ResultsError(
            f"{path}: the list is empty, so there is nothing in it to use. Expected at least one line such as "
            f"{form.example}."
        )
    return lines


def of_category(lines: Sequence[Line], path: str, categories: Collection[int], expected: str) -> tuple[list[int], int]:
    """Return the places of the lines that are of some categories, and how many others there are.

    Raises:
        ResultsError: there is none; says what was `expected`.
    """
    places = [place for place, line in enumerate(lines) if number_of(line.category_id) in categories]
    if not places:
        raise ResultsError(
            f"{path}: line 0 and all others: category_id {text_of(lines[0].category_id):.100}, expected {expected}."
        )
    return places, len(lines) - len(places)


def passed_over(count: int, what: str) -> tuple[str, ...]:
    """Return what is to be said of lines of other categories, as one sentence or none."""
    return (counted(count, f"{what} are of other categories: passed over"),) if count else ()


class LineCheck:
    """Names the first of the lines that are wrong."""

    def __init__(self, path: str, places: Sequence[int], lines: Sequence[Line]) -> None:
        """Take the file's path, and lines of it with their places there."""
        self.path, self.places = path, places
        self._images = [line.image_id for line in lines]

    def refuse(self, bad: NDArray[np.bool_], what: Callable[[int], object]) -> None:
        """Raise ResultsError for the first line that is `bad` (M,); `what` says of its number what is wrong."""
        if bad.any():
            line, more = int(bad.argmax()), int(bad.sum()) - 1
            also = f" ({more} more like it)" if more else ""
            raise ResultsError(
                f"{self.path}: line {self.places[line]}, image_id {text_of(self._images[line]):.100}: "
                f"{what(line)}{also}. Lines count from 0."
            )


def _explain_form(error: msgspec.ValidationError, data: bytes, path: str, form: LineForm) -> NoReturn:
    place = _PLACE.fullmatch(str(error))
    if place is None or place["line"] is None:
        raise ResultsError(f"{path}: expected a list of {form.what} such as {form.example} ({error}).") from error
    line = int(place["line"])
    try:
        raw = msgspec.json.decode(data, type=list[msgspec.Raw])[line]
        image_id = msgspec.json.decode(raw, type=_ImageIdOnly).image_id
    except (ValueError, RecursionError):  # what follows the line may be no JSON at all, or no UTF-8
        image_id = None
    image = "without an image_id" if image_id is None else f"image_id {image_id!r:.40}"
    field = f"{place['field'].removeprefix('.')}: " if place["field"] else ""
    raise ResultsError(
        f"{path}: line {line}, {image}: {field}{place['reason']}. Lines count from 0; expected {form.example}."
    ) from error


def _explain_no_json(
    error: msgspec.DecodeError | UnicodeDecodeError, data: bytes, path: str, form: LineForm
) -> NoReturn:
    try:
        lines = json.loads(data)  # Python takes NaN and Infinity for numbers, so it tells whose they are
    except (ValueError, RecursionError):
        lines = None
    for number, line in enumerate(lines if isinstance(lines, list) else []):
        if isinstance(line, dict) and not _is_finite(line):
            raise ResultsError(
                f"{path}: line {number}, image_id {line.get('image_id')}: a number is NaN or infinite. Such "
                f"{form.what} cannot be used, and are not JSON: mend the tool that made them. Lines count from 0."
            ) from error
    fault = json_fault(error, data, 0) if isinstance(error, msgspec.DecodeError) else f"({error})"
    raise ResultsError(
        f"{path}: not valid JSON {fault}. Expected a list of lines such as {form.example}; the file may be cut short."
    ) from error


def _is_finite(value: Any) -> bool:
    waiting = [value]  # and no calls within calls: a stranger's lists may be hundreds deep
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, float) and not np.isfinite(one):
            return False
    return True
