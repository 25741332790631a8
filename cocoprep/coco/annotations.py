"""Read a COCO keypoints file: strict about the file, forgiving about single entries.

Every image and annotation stays raw JSON until it is looked at on its own, so that a malformed entry costs only
itself, and a 276 MB file is never held as Python objects.
"""

from __future__ import annotations

import codecs
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from cocoprep.coco.entries import NO_MEANINGS, Entry, guess_notes, plain_file_name, settle
from cocoprep.coco.format import Category, Id, IdOnly, frame_fault, not_json
from cocoprep.coco.joints import FoundJoints, find_joints
from cocoprep.errors import AnnotationError
from cocoprep.pose.keypoints import KeypointTable

Side = Annotated[int, Meta(ge=1, le=10**9)]
_FileName = Annotated[str, Meta(max_length=4096)]  # the longest path Linux takes


class ImageInfo(msgspec.Struct, frozen=True, array_like=True):
    """One entry of `images`: where the photograph lies and its size in pixels."""

    image_id: int
    file_name: str
    width: int
    height: int


class Person(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One valid annotation. `bbox` is x, y, width, height in image pixels, `area_px2` the segment's area.

    `num_keypoints` is counted here, the file's own count is not believed. `keypoint_bytes` holds (K, 3)
    little-endian float32: pixel index x, pixel index y, visibility 0, 1 or 2. Packed, a person takes about 270
    bytes, which is what the pipeline shuffles.
    """

    annotation_id: int
    bbox: tuple[float, float, float, float]
    area_px2: float
    is_crowd: bool
    num_keypoints: int
    keypoint_bytes: bytes

    @property
    def keypoints(self) -> NDArray[np.float32]:
        """Return (K, 3) float32: pixel index x and y, and visibility; unlabelled joints are all zero."""
        return np.frombuffer(self.keypoint_bytes, "<f4").reshape(-1, 3)


class _RawImage(msgspec.Struct):
    id: Id
    file_name: _FileName
    width: Side
    height: Side


class _ImageIdOnly(msgspec.Struct):
    image_id: Id | None = None


class _CategoryIdOnly(msgspec.Struct):
    category_id: Id | None = None


class _KeypointsOnly(msgspec.Struct):
    keypoints: list[float] | None = None


class _RawFile(msgspec.Struct):
    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw]
    categories: list[Category]


_image_decoder = msgspec.json.Decoder(_RawImage)
_annotation_decoder = msgspec.json.Decoder(Entry)
_id_decoder = msgspec.json.Decoder(IdOnly)
_image_id_decoder = msgspec.json.Decoder(_ImageIdOnly)
_category_id_decoder = msgspec.json.Decoder(_CategoryIdOnly)
_keypoints_decoder = msgspec.json.Decoder(_KeypointsOnly)


@dataclass(frozen=True)
class AnnotationFile:
    """A COCO keypoints file whose frame is sound; its annotations are still raw.

    `image_faults` says of an image id why its entry cannot be used; such an image is not in `images`. `guesses` counts
    what `parse_entries` had to guess.
    """

    path: str
    joints: FoundJoints
    images: dict[int, ImageInfo]
    image_faults: dict[int, str]
    raw_annotations: list[msgspec.Raw]
    guesses: Counter[str]
    meanings: Mapping[int, int] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was guessed, in sentences; all of it once the entries have been parsed."""
        return (*self.joints.notes, *guess_notes(self.guesses))


class ParsedEntry(msgspec.Struct, frozen=True, gc=False):
    """One entry of `annotations`: its ids where it has them, and either a person or a fault.

    `is_other` says that it is of another category than those that are read; then it has neither.
    """

    row: int
    annotation_id: int | None
    image_id: int | None
    person: Person | None
    fault: str | None
    is_other: bool = False


def parse_annotation_file(
    data: bytes,
    path: str,
    table: KeypointTable | None = None,
    category: str | None = None,
    *,
    meanings: Mapping[int, int] = NO_MEANINGS,
) -> AnnotationFile:
    """Check the frame of a COCO keypoints file and index its images.

    Args:
        data: the file's content: JSON in UTF-8, with or without a byte order mark.
        path: named in messages.
        table: the joints, where the user says which; else those that its category lists.
        category: whose entries are read; None for the person, or the only one with joints.
        meanings: what its visibilities mean, where the user says so.

    Raises:
        AnnotationError: not UTF-8, not JSON, no images, no annotations, or no category as `find_joints` wants it.
    """
    _check_utf8(data, path)
    raw = _decode_frame(data, path)
    for name, entries in (("images", raw.images), ("annotations", raw.annotations)):
        if not entries:
            raise AnnotationError(f"{path}: '{name}' is empty, so there is nothing to build from.")
    joints = find_joints(raw.categories, path, table=table, name=category, entries=_RawEntries(raw.annotations))
    guesses: Counter[str] = Counter()
    images, faults = _index_images(raw.images, guesses)
    return AnnotationFile(path, joints, images, faults, raw.annotations, guesses, meanings)


@dataclass(frozen=True)
class _RawEntries:
    raw: list[msgspec.Raw]

    def categories(self) -> set[int]:
        """See `cocoprep.coco.joints.Entries`."""
        return {number for raw in self.raw if (number := _lone_category_id(raw)) is not None}

    def numbers(self) -> int | None:
        """See `cocoprep.coco.joints.Entries`."""
        for raw in self.raw:
            with suppress(msgspec.DecodeError, RecursionError):
                if values := _keypoints_decoder.decode(raw).keypoints:
                    return len(values)
        return None


def parse_entries(file: AnnotationFile) -> Iterator[ParsedEntry]:
    """Yield every entry of `annotations` in file order, parsed on its own."""
    for row, raw in enumerate(file.raw_annotations):
        try:
            entry = _annotation_decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            category = _lone_category_id(raw)
            is_other = category is not None and category not in file.joints.categories
            yield ParsedEntry(row, _lone_id(raw), _lone_image_id(raw), None, None if is_other else str(error), is_other)
            continue
        if entry.category_id not in file.joints.categories:
            yield ParsedEntry(row, entry.id, entry.image_id, None, None, is_other=True)
            continue
        fault = _entry_fault(entry, file)
        person = None if fault else _to_person(entry, file.joints)
        yield ParsedEntry(row, entry.id, entry.image_id, person, fault)


def _check_utf8(data: bytes, path: str) -> None:
    # In pieces: the text of a 276 MB file need not exist at once.
    decoder, piece = codecs.getincrementaldecoder("utf-8")(), 1 << 20
    for start in range(0, len(data) + 1, piece):
        held = len(decoder.getstate()[0])  # bytes of a character that the last piece has begun
        try:
            decoder.decode(data[start : start + piece], final=start + piece > len(data))
        except UnicodeDecodeError as error:
            raise AnnotationError(
                f"{path}: not UTF-8 text at byte {start - held + error.start} ({error.reason}). COCO files are UTF-8 "
                "JSON; convert the file, for example with iconv -t UTF-8."
            ) from error


def _decode_frame(data: bytes, path: str) -> _RawFile:
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        return msgspec.json.decode(memoryview(data)[start:], type=_RawFile)
    except msgspec.ValidationError as error:
        raise AnnotationError(f"{path}: {frame_fault(error)}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise not_json(error, data, path, start) from error


def _index_images(raw_images: list[msgspec.Raw], guesses: Counter[str]) -> tuple[dict[int, ImageInfo], dict[int, str]]:
    images: dict[int, ImageInfo] = {}
    faults: dict[int, str] = {}
    for row, raw in enumerate(raw_images):
        try:
            entry = _image_decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            image_id = _lone_id(raw)
            if image_id is not None:
                faults[image_id] = f"its entry in 'images' (row {row}) is malformed: {error}"
            continue
        info = ImageInfo(entry.id, plain_file_name(entry.file_name, guesses), entry.width, entry.height)
        if images.setdefault(entry.id, info) != info:
            faults[entry.id] = "'images' lists this id more than once, with different file names or sizes"
    return {number: info for number, info in images.items() if number not in faults}, faults


def _lone(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw, field: str) -> int | None:
    try:
        value = getattr(decoder.decode(raw), field)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if value is None else int(value)


def _lone_id(raw: msgspec.Raw) -> int | None:
    return _lone(_id_decoder, raw, "id")


def _lone_image_id(raw: msgspec.Raw) -> int | None:
    return _lone(_image_id_decoder, raw, "image_id")


def _lone_category_id(raw: msgspec.Raw) -> int | None:
    return _lone(_category_id_decoder, raw, "category_id")


def _entry_fault(entry: Entry, file: AnnotationFile) -> str | None:
    """Say what is wrong with a decoded annotation, or None; what it leaves open is filled in."""
    if entry.image_id in file.image_faults:
        return f"image_id {entry.image_id}: {file.image_faults[entry.image_id]}"
    if entry.image_id not in file.images:
        return f"image_id {entry.image_id}: no such image in 'images'"
    return settle(entry, file.joints.table, file.guesses, file.meanings)


@cache
def _zero_keypoints(count: int) -> bytes:
    return bytes(4 * count)


def _to_person(entry: Entry, joints: FoundJoints) -> Person:
    values, bbox, area = entry.keypoints or [], entry.bbox or (0.0, 0.0, 0.0, 0.0), entry.area or 0.0
    if not any(values):
        return Person(entry.id, bbox, area, bool(entry.iscrowd), 0, _zero_keypoints(len(values)))
    if not joints.in_order:
        values = [value for place in joints.order for value in values[3 * place : 3 * place + 3]]
    for k in range(0, len(values), 3):
        if not values[k + 2]:
            values[k] = values[k + 1] = 0.0
    labelled = sum(map(bool, values[2::3]))
    packed = struct.pack(f"<{len(values)}f", *values)
    return Person(entry.id, bbox, area, bool(entry.iscrowd), labelled, packed)
