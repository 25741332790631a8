"""Every entry of `annotations`, checked on its own, and given a number that is its own.

The build and the evaluation read a file in this one way, so that neither takes what the other refuses.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import astuple, replace

from cocoprep.coco.annotations import AnnotationFile, Person
from cocoprep.coco.entries import BY_FILE, TEXT_NUMBER, Entry, settle
from cocoprep.coco.ids import image_number, number_annotations, number_of, read_ids, text_of
from cocoprep.coco.joints import FoundJoints
from cocoprep.coco.loose import read_loosely

_decoder = msgspec.json.Decoder(Entry)
_AS_COCO: frozenset[str] = frozenset()  # of an entry of which nothing was guessed


class CheckedEntry(msgspec.Struct, frozen=True, gc=False):
    """One entry of `annotations`.

    Attributes:
        row: its place in the file, from 0.
        own_id: as the file has it, of any kind; None where it has none.
        image_id: the number of its photograph, where that can be read.
        entry: with all that it leaves open filled in; None where something is wrong with it.
        fault: what is wrong, or None.
        is_other: it is of another category than those that are read; then it has neither entry nor fault.
    """

    row: int
    own_id: Any
    image_id: int | None
    entry: Entry | None = None
    fault: str | None = None
    is_other: bool = False


class ParsedEntry(msgspec.Struct, frozen=True, gc=False):
    """One entry of `annotations`, numbered, as a build takes it.

    Attributes:
        row: its place in the file, from 0.
        annotation_id: its number; None where it has none that can be read.
        image_id: as of `CheckedEntry`.
        person: what it holds; None for all others than valid ones of the category.
        fault: as of `CheckedEntry`.
        is_other: as of `CheckedEntry`.
        source_id: its own id, as text, where that is another than `annotation_id`; empty where it has none.
        is_twice: it is valid, but equal to one before, id and all.
        category_id: of its category in the file; None where the file's entries are of one, or it has no person.
        source: place of its file among those of a build; None where there is one.
        head_size: of the person in pixels, where the file states it.
    """

    row: int
    annotation_id: int | None
    image_id: int | None
    person: Person | None
    fault: str | None
    is_other: bool = False
    source_id: str | None = None
    is_twice: bool = False
    category_id: int | None = None
    source: int | None = None
    head_size: float | None = None


def check_entries(file: AnnotationFile) -> Iterator[CheckedEntry]:
    """Check every entry of `annotations` on its own, in file order. What is guessed is counted in `file.guesses`."""
    for row, raw in enumerate(file.raw_annotations):
        kinds = _AS_COCO
        try:
            entry = _decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            loose = read_loosely(raw)
            if loose is None:
                yield _unreadable(row, raw, str(error), file)
                continue
            entry, kinds = loose
        own_image, category = entry.image_id, number_of(entry.category_id)
        entry.image_id = image_number(own_image)
        if category is None:
            odd = f"category_id {text_of(entry.category_id):.100}: expected a whole number"
            yield CheckedEntry(row, entry.id, entry.image_id, None, odd)
        elif category not in file.joints.categories:
            yield CheckedEntry(row, entry.id, entry.image_id, is_other=True)
        elif fault := _fault(entry, own_image, file):
            yield CheckedEntry(row, entry.id, entry.image_id, None, fault)
        else:
            if kinds or type(entry.category_id) is str:
                file.guesses.update(kinds | {TEXT_NUMBER} if type(entry.category_id) is str else kinds)
            yield CheckedEntry(row, entry.id, entry.image_id, entry)


def _unreadable(row: int, raw: msgspec.Raw, fault: str, file: AnnotationFile) -> CheckedEntry:
    ids = read_ids(raw)
    category = number_of(ids.category_id)
    is_other = category is not None and category not in file.joints.categories
    return CheckedEntry(row, ids.id, image_number(ids.image_id), None, None if is_other else fault, is_other)


def parse_entries(file: AnnotationFile) -> list[ParsedEntry]:
    """Return every entry of `annotations` in file order, numbered. What is guessed is counted in `file.guesses`."""
    parsed: list[ParsedEntry] = []
    own: list[Any] = []
    several = len(file.joints.categories) > 1
    people: list[tuple[int, Person]] = []
    for one in check_entries(file):
        number, person, category, head_size = number_of(one.own_id), None, None, None
        if one.entry is not None:
            category = number_of(one.entry.category_id) if several else None
            person, head_size = to_person(one.entry, number or 0, file.joints), one.entry.head_size
            own.append(one.own_id)
            people.append((one.row, person))
        source = None if type(one.own_id) is int and one.own_id == number else _text(one.own_id)
        parsed.append(
            ParsedEntry(
                one.row,
                number,
                one.image_id,
                person,
                one.fault,
                one.is_other,
                source,
                category_id=category,
                head_size=head_size,
            )
        )
    found = number_annotations(own, lambda n: content_of(parsed[people[n][0]].image_id, people[n][1]))
    file.guesses.update(found.guesses)
    for n, (row, person) in enumerate(people):
        if n in found.twice or found.numbers[n] != person.annotation_id:
            parsed[row] = _renumbered(parsed[row], person, found.numbers[n], is_twice=n in found.twice)
    return parsed


def _text(own: Any) -> str:
    return "" if own is None else text_of(own)


def _renumbered(entry: ParsedEntry, person: Person, number: int, *, is_twice: bool) -> ParsedEntry:
    kept = None if is_twice else replace(person, annotation_id=number)
    source = str(entry.annotation_id) if entry.source_id is None else entry.source_id
    return replace(entry, annotation_id=number, person=kept, source_id=source, is_twice=is_twice)


def content_of(image_id: int | None, person: Person) -> bytes:
    """Return all that makes a person on a photograph what it is, but for its id."""
    return msgspec.msgpack.encode((image_id, astuple(person)[1:]))


def to_person(entry: Entry, number: int, joints: FoundJoints) -> Person:
    """Return what a checked entry holds, its joints in the order of the table."""
    values, area = entry.keypoints or [], entry.area or 0.0
    x, y, width, height = entry.bbox or (0.0, 0.0, 0.0, 0.0)
    bbox = (x, y, width, height)
    if not any(values):
        return Person(number, bbox, area, bool(entry.iscrowd), 0, _zero_keypoints(len(values)))
    if joints.in_order:
        values = values.copy()
    else:
        values = [value for place in joints.order for value in values[3 * place : 3 * place + 3]]
    for k in range(0, len(values), 3):
        if not values[k + 2]:
            values[k] = values[k + 1] = 0.0
    labelled = sum(map(bool, values[2::3]))
    packed = struct.pack(f"<{len(values)}f", *values)
    return Person(number, bbox, area, bool(entry.iscrowd), labelled, packed)


@cache
def _zero_keypoints(count: int) -> bytes:
    return bytes(4 * count)


def _fault(entry: Entry, own_image: Any, file: AnnotationFile) -> str | None:
    """Say what is wrong with an entry of the category, or None; what it leaves open is filled in."""
    if entry.image_id not in file.images:
        fault = file.image_faults.get(entry.image_id) or _find_by_file(entry, own_image, file)
        if fault is not None:
            return f"image_id {text_of(own_image):.100}: {fault}"
    return settle(entry, file.joints.table, file.guesses, file.meanings)


def _find_by_file(entry: Entry, own_image: Any, file: AnnotationFile) -> str | None:
    """Give an entry the photograph whose file it names in place of an id; or say why it has none."""
    found = file.by_name.get(own_image.replace("\\", "/"), set()) if isinstance(own_image, str) else set()
    if len(found) > 1:
        return f"as a file name it could be {len(found)} images of 'images'"
    if not found:
        return "no such image in 'images'"
    (entry.image_id,) = found
    file.guesses[BY_FILE] += 1
    return None
