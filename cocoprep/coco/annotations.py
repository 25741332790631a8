"""The frame of a COCO keypoints file, and its photographs: strict about the file, forgiving about single entries.

Every image and annotation stays raw JSON until it is looked at on its own, so that a malformed entry costs only
itself, and a 276 MB file is never held as Python objects.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from cocoprep.coco.entries import (
    CROWD_INDEX,
    NO_MEANINGS,
    TEXT_CATEGORY,
    TEXT_IMAGE_ID,
    guess_notes,
    plain_file_name,
)
from cocoprep.coco.format import Category, check_utf8, frame_fault, not_json
from cocoprep.coco.ids import Ids, image_number, number_of, read_ids, text_of
from cocoprep.coco.image_names import images_by_name
from cocoprep.coco.joints import FoundJoints, find_joints
from cocoprep.coco.loose import read_loosely
from cocoprep.errors import AnnotationError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17

Side = Annotated[int, Meta(ge=0, le=10**9)]  # 0 where it is not known
_FileName = Annotated[str, Meta(max_length=4096)]  # the longest path Linux takes


class ImageInfo(msgspec.Struct, frozen=True, array_like=True):
    """One entry of `images`: where the photograph lies and its size in pixels, 0 x 0 where that is not known."""

    image_id: int
    file_name: str
    width: int
    height: int

    @property
    def has_size(self) -> bool:
        """Tell whether the size is known."""
        return self.width > 0


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


class Origin(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a person of a build of several sources or categories comes from.

    `source` is the place in the manifest's sources, `category_id` the id of its category in that source's file.
    """

    source: int
    category_id: int


class _RawImage(msgspec.Struct):
    id: Any = None
    file_name: _FileName = ""
    width: Side | None = None
    height: Side | None = None
    source_id: _FileName | None = None  # in a built folder's ground truth: the id that the image had
    crowd_index: Any = msgspec.field(default=None, name="crowdIndex")  # CrowdPose's, 0 to 1


class _RawFile(msgspec.Struct):
    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw]
    categories: list[Category]


class _RawListing(msgspec.Struct):
    """The file of a test set, such as COCO's image_info_test-dev2017.json, has no annotations."""

    images: list[msgspec.Raw]
    categories: list[Category]
    annotations: list[msgspec.Raw] = []


class _CategoryIds(msgspec.Struct):
    categories: list[Ids]


_image_decoder = msgspec.json.Decoder(_RawImage, strict=False)  # sizes as text, or as 640.0
_Frame = _RawFile | _RawListing
_category_ids_decoder = msgspec.json.Decoder(_CategoryIds)


@dataclass(frozen=True)
class AnnotationFile:
    """A COCO keypoints file whose frame is sound; its annotations are still raw.

    Attributes:
        path: named in messages.
        joints: whose entries are read, and their joints.
        images: by id; with a width and height of 0 where the file says none.
        listed: the same, with the names that the file has: those of `images` may have become the photographs' own.
        image_faults: of an image id, why its entry cannot be used; such an image is not in `images`.
        source_ids: of images whose own id is no number, that id by the number it stands for here.
        raw_annotations: in file order.
        guesses: counts what had to be guessed, by kind.
        meanings: what visibilities mean, where the user says so.
        crowd_index: of images that state it, how crowded they are: CrowdPose's `crowdIndex`.
    """

    path: str
    joints: FoundJoints
    images: dict[int, ImageInfo]
    listed: dict[int, ImageInfo]
    image_faults: dict[int, str]
    source_ids: dict[int, str]
    raw_annotations: list[msgspec.Raw]
    guesses: Counter[str]
    meanings: Mapping[float, int] = field(default_factory=dict)
    crowd_index: Mapping[int, float] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, set[int]]:
        """Return the ids of images by the file's names of photographs, as `images_by_name`."""
        return images_by_name({number: info.file_name for number, info in self.listed.items()})

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was guessed, in sentences; all of it once the entries have been parsed."""
        return (*self.joints.notes, *guess_notes(self.guesses))


def parse_annotation_file(
    data: bytes,
    path: str,
    table: KeypointTable | None = None,
    category: str | None = None,
    *,
    meanings: Mapping[float, int] = NO_MEANINGS,
    unlisted: KeypointTable = COCO_17,
    boxes_only: bool = False,
    people_elsewhere: bool = False,
) -> AnnotationFile:
    """Check the frame of a COCO keypoints file and index its images.

    Args:
        data: the file's content: JSON in UTF-8, with or without a byte order mark.
        path: named in messages.
        table: the joints, where the user says which; else those that its category lists.
        category: whose entries are read; None for the person, or the only one with joints.
        meanings: what its visibilities mean, where the user says so.
        unlisted: the joints of a category that lists none, where the user does not say which.
        boxes_only: nobody asks which joints are which: see `find_joints`.
        people_elsewhere: nobody asks for annotations, so that there may be none, as in the files of test sets.

    Raises:
        AnnotationError: not UTF-8, not JSON, no images, no annotations, or no category as `find_joints` wants it.
    """
    check_utf8(data, path)
    guesses: Counter[str] = Counter()
    raw = _decode_frame(data, path, guesses, _RawListing if people_elsewhere else _RawFile)
    for name, entries in (("images", raw.images), ("annotations", raw.annotations)):
        if not entries and not (people_elsewhere and name == "annotations"):
            raise AnnotationError(f"{path}: '{name}' is empty, so there is nothing in it to use.")
    joints = find_joints(
        raw.categories,
        path,
        table=table,
        name=category,
        entries=_RawEntries(raw.annotations),
        unlisted=unlisted,
        boxes_only=boxes_only,
    )
    found = _index_images(raw.images, guesses)
    images = {number: info for number, info in found.images.items() if number not in found.faults}
    return AnnotationFile(
        path,
        joints,
        images,
        images,
        found.faults,
        found.source_ids,
        raw.annotations,
        guesses,
        meanings,
        found.crowd_index,
    )


@dataclass(frozen=True)
class _RawEntries:
    raw: list[msgspec.Raw]

    def categories(self) -> set[int]:
        """See `cocoprep.coco.joints.Entries`."""
        return {number for raw in self.raw if (number := number_of(read_ids(raw).category_id)) is not None}

    def numbers(self) -> int | None:
        """See `cocoprep.coco.joints.Entries`."""
        for raw in self.raw:
            if (found := read_loosely(raw)) and found[0].keypoints:
                return len(found[0].keypoints)
        return None


def _decode_frame(data: bytes, path: str, guesses: Counter[str], form: type[_Frame]) -> _Frame:
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    text = memoryview(data)[start:]
    try:
        return msgspec.json.decode(text, type=form)
    except msgspec.ValidationError as error:
        with suppress(msgspec.DecodeError, RecursionError):
            found = msgspec.json.decode(text, type=form, strict=False)  # ids of categories as text
            guesses[TEXT_CATEGORY] = sum(isinstance(c.id, str) for c in _category_ids_decoder.decode(text).categories)
            return found
        raise AnnotationError(f"{path}: {frame_fault(error)}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise not_json(error, data, path, start) from error


@dataclass(frozen=True)
class _Images:
    """What `images` lists, by number, those with faults too: see `AnnotationFile`."""

    images: dict[int, ImageInfo] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    source_ids: dict[int, str] = field(default_factory=dict)
    crowd_index: dict[int, float] = field(default_factory=dict)


def _index_images(raw_images: list[msgspec.Raw], guesses: Counter[str]) -> _Images:
    found = _Images()
    for row, raw in enumerate(raw_images):
        own = read_ids(raw).id
        number = image_number(own)
        if number is None:
            continue
        try:
            entry = _image_decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            found.faults[number] = f"its entry in 'images' (row {row}) is malformed: {error}"
            continue
        if number_of(own) is None:
            guesses[TEXT_IMAGE_ID] += number not in found.source_ids
            found.source_ids[number] = text_of(own)
        elif entry.source_id is not None:
            found.source_ids[number] = entry.source_id
        if type(entry.crowd_index) in (int, float) and 0 <= entry.crowd_index <= 1:
            found.crowd_index[number] = float(entry.crowd_index)
        elif entry.crowd_index is not None:
            guesses[CROWD_INDEX] += 1
        name = plain_file_name(entry.file_name, guesses)
        width, height = entry.width or 0, entry.height or 0
        info = ImageInfo(number, name, *((width, height) if width and height else (0, 0)))
        if found.images.setdefault(number, info) != info:
            found.faults[number] = "'images' lists this id more than once, with different file names or sizes"
    return found
