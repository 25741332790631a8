"""A data set's annotations as arrays: what statistics are taken of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.annotations import ImageInfo, Person
from cocoprep.pose.keypoints import KeypointTable

if TYPE_CHECKING:
    from cocoprep.shards.manifest import Manifest

TOGETHER = 1 << 13  # people whose joints are worked on at once

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """N valid annotations of K joints each, crowds and those without labels too, in the file's order.

    Attributes:
        annotation_ids: (N,) int64.
        images: (N,) int64, the place of each one's photograph among those of the data set.
        sizes: (N, 2) int64, width and height of that photograph; 0 where not known.
        bbox: (N, 4) float64, x, y, width, height in image pixels.
        area: (N,) float64 square pixels, of the segment.
        crowd: (N,) bool.
        joints: (N, K, 3) float32, pixel index x and y, and visibility 0, 1 or 2; all 0 where not labelled.
        looked_for: (N, K) false where a joint is one that the annotation's source labels of nobody; None where there is
            no such joint.
    """

    annotation_ids: Ints
    images: Ints
    sizes: Ints
    bbox: Floats
    area: Floats
    crowd: Bools
    joints: NDArray[np.float32]
    looked_for: Bools | None = None

    def __len__(self) -> int:
        """Return N."""
        return len(self.images)

    @cached_property
    def labelled(self) -> Ints:
        """Return (N,) int64: how many joints of each are labelled."""
        return np.asarray(np.count_nonzero(self.joints[..., 2], axis=1), np.int64)

    @cached_property
    def sized(self) -> Bools:
        """Return (N,) whose photograph's size is known."""
        return np.asarray((self.sizes > 0).all(axis=1))

    def take(self, chosen: NDArray[np.integer] | Bools | slice) -> People:
        """Return some of them."""
        return People(
            self.annotation_ids[chosen], self.images[chosen], self.sizes[chosen], self.bbox[chosen],
            self.area[chosen], self.crowd[chosen], self.joints[chosen],
            None if self.looked_for is None else self.looked_for[chosen],
        )  # fmt: skip

    def parts(self, chosen: Bools) -> Iterator[People]:
        """Yield those that are chosen (N,), some at a time."""
        places = np.flatnonzero(chosen)
        for start in range(0, len(places), TOGETHER):
            yield self.take(places[start : start + TOGETHER])


@dataclass(frozen=True)
class EntryCounts:
    """What the entries of `annotations` are: `read` in all, of which these three kinds are not among the people."""

    read: int
    other_categories: int
    malformed: int
    twice: int


@dataclass(frozen=True)
class DataSet:
    """A data set: what an annotation file, or a built folder, says.

    Attributes:
        name: short, by which it is told from others.
        path: of the file or folder.
        file_name: of the annotation file, or of that which the folder was built from.
        table: the K joints.
        entries: of the file.
        images: its M photographs, those without people too.
        sizes: (M, 2) int64, their width and height, 0 where not known.
        people: its valid annotations.
        notes: what was guessed, in sentences.
        manifest: of a built folder.
        dropped: of a built folder, how many annotations gave no record, by reason.
        own_ids: of annotations whose id in their file is another than their number, that id as text, by number; of
            a folder that is built from several sources, of all of them, `NAME/ID`.
    """

    name: str
    path: str
    file_name: str
    table: KeypointTable
    entries: EntryCounts
    images: tuple[ImageInfo, ...]
    sizes: Ints
    people: People
    notes: tuple[str, ...] = ()
    manifest: Manifest | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    own_ids: Mapping[int, str] = field(default_factory=dict)


def sizes_of(images: Sequence[ImageInfo]) -> Ints:
    """Return (M, 2) int64 width and height of photographs, 0 where not known."""
    numbers = (side for image in images for side in (image.width, image.height))
    return np.fromiter(numbers, np.int64, 2 * len(images)).reshape(-1, 2)


def people_of(people: Sequence[Person], places: Sequence[int], sizes: Ints, joints: int) -> People:
    """Return people as arrays.

    Args:
        people: N of them.
        places: (N,) of the photograph of each among all.
        sizes: (M, 2) width and height of all photographs.
        joints: K.
    """
    at = np.array(places, np.int64)
    packed = np.frombuffer(b"".join(person.keypoint_bytes for person in people), "<f4")
    numbers = chain.from_iterable(person.bbox for person in people)
    return People(
        annotation_ids=np.array([person.annotation_id for person in people], np.int64),
        images=at,
        sizes=sizes[at],
        bbox=np.fromiter(numbers, np.float64, 4 * len(people)).reshape(-1, 4),
        area=np.array([person.area_px2 for person in people], np.float64),
        crowd=np.array([person.is_crowd for person in people], bool),
        joints=packed.reshape(len(people), joints, 3),
    )
