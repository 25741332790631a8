"""Judge every entry of an annotation file: which people are kept, and why the others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace

from cocoprep.builder.config import SelectConfig, default_shards
from cocoprep.builder.image_sizes import SizeReader
from cocoprep.builder.joined import Annotations
from cocoprep.builder.places import image_hash, shard_of
from cocoprep.coco.annotations import ImageInfo, Origin, Person
from cocoprep.coco.people import ParsedEntry
from cocoprep.coco.suspicions import WARNING, Labels, suspicions
from cocoprep.errors import BuildError
from cocoprep.pose.boxes import box_fault, window_fault
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.drop_reasons import DropReason, JudgedEntry

_JUDGED_TOGETHER = 1 << 13  # people


class ImagePeople(msgspec.Struct, frozen=True, array_like=True):
    """One photograph and the people to crop from it, in order of annotation id.

    `origins` are theirs, in the same order, in a build of several sources or categories.
    """

    image: ImageInfo
    people: list[Person]
    origins: list[Origin] | None = None


@dataclass(frozen=True)
class Selection:
    """What an annotation file holds: every entry, and the kept people by image in shard order.

    `notes` tell what was found out of photographs' sizes, and what looks wrong; `leaked` are the images that are left
    out since another data set has their photograph.
    """

    entries: list[JudgedEntry]
    images: dict[int, ImageInfo]
    groups: list[ImagePeople]
    num_shards: int
    notes: tuple[str, ...] = ()
    leaked: frozenset[int] = frozenset()

    @property
    def people(self) -> int:
        """Count the people kept."""
        return sum(len(group.people) for group in self.groups)

    @property
    def listed_images(self) -> list[ImageInfo]:
        """Return the photographs that evaluation has to count: all that are listed, or those within a limit.

        Of those that are left out, nobody is to be found.
        """
        if any(entry.reason is DropReason.LIMIT for entry in self.entries):
            return [group.image for group in self.groups]
        return [image for image in self.images.values() if image.image_id not in self.leaked]

    @property
    def dropped(self) -> Counter[DropReason]:
        """Count the entries dropped, by reason."""
        return Counter(entry.reason for entry in self.entries if entry.reason is not None)


def skip_reason(
    entry: ParsedEntry, image: ImageInfo | None, crop: CropConfig, min_keypoints: int
) -> tuple[DropReason, str] | None:
    """Say why an entry gives no record, or None where it is kept."""
    if entry.is_other:
        return DropReason.CATEGORY, ""
    if entry.is_twice:
        return DropReason.DUPLICATE, ""
    person = entry.person
    if person is None or image is None:
        return DropReason.MALFORMED, entry.fault or ""
    labelled = person.num_keypoints
    if labelled == 0:
        return DropReason.ZERO_KEYPOINTS, ""
    if person.is_crowd:
        return DropReason.CROWD, ""
    if labelled < min_keypoints:
        return DropReason.MIN_KEYPOINTS, f"{labelled} labelled keypoints"
    if not image.has_size:  # nor can its photograph be read; that is told when it is to be cropped
        return None
    width, height = image.width, image.height
    fault = box_fault(person.bbox, width, height) or window_fault(person.bbox, width, height, crop)
    return (DropReason.BOX, fault) if fault else None


def select_people(
    annotations: Annotations, select: SelectConfig, crop: CropConfig, sizes: SizeReader | None = None
) -> Selection:
    """Judge every entry of the annotation files and group the kept people by image.

    The outcome depends on the set of entries, never on their order in the file.

    Args:
        annotations: what the files say.
        select: which people are kept.
        crop: what is to be cropped.
        sizes: finds out those that the file does not state.

    Raises:
        BuildError: no annotation is kept.
    """
    parsed, images = annotations.entries, annotations.images
    if sizes is not None:
        images = {**images, **sizes.read(_without_size(parsed, images))}
    entries = [_judge(entry, images, select, crop) for entry in parsed]
    if annotations.excluded:
        entries = [_without_excluded(entry, annotations.excluded) for entry in entries]
    if annotations.leaked:
        entries = [_without_leak(entry, annotations.leaked) for entry in entries]
    notes = (*(() if sizes is None else sizes.notes), *suspicions(_labels(entries, images), annotations.source_ids))
    groups = _group_by_image(entries, images, select.seed)
    if not groups:
        raise BuildError(f"{annotations.path}: no annotation is kept of {len(entries)} read{_reasons(entries, notes)}")
    kept_ids = {group.image.image_id for group in groups[: select.limit]}
    if len(kept_ids) < len(groups):
        entries = [_beyond_limit(entry, kept_ids, select.limit) for entry in entries]
        groups = groups[: select.limit]
    people = sum(len(group.people) for group in groups)
    num_shards = select.shards or default_shards(people, crop)
    entries = [
        entry
        if entry.reason or entry.image_id is None
        else replace(entry, shard=shard_of(entry.image_id, select.seed, num_shards))
        for entry in entries
    ]
    return Selection(entries, images, groups, num_shards, notes, frozenset(annotations.leaked))


def _without_size(parsed: Sequence[ParsedEntry], images: Mapping[int, ImageInfo]) -> list[ImageInfo]:
    """Return the photographs without a size that show somebody who may be kept."""
    wanted = {e.image_id for e in parsed if e.person and e.person.num_keypoints and not e.person.is_crowd}
    return [image for image in images.values() if image.image_id in wanted and not image.has_size]


def _labels(entries: Sequence[JudgedEntry], images: Mapping[int, ImageInfo]) -> Iterator[Labels]:
    """Yield what there is to judge of the people, some at a time: all of them need not exist as arrays at once."""
    people = [
        (entry.person, images[entry.image_id])
        for entry in entries
        if entry.person and entry.image_id is not None and entry.person.num_keypoints and not entry.person.is_crowd
    ]
    for start in range(0, len(people), _JUDGED_TOGETHER):
        some = people[start : start + _JUDGED_TOGETHER]
        numbers = np.frombuffer(b"".join(person.keypoint_bytes for person, _ in some), "<f4")
        x, y, visibility = np.ascontiguousarray(numbers.reshape(len(some), -1, 3).transpose(2, 0, 1))
        yield Labels(
            image_ids=np.array([image.image_id for _, image in some]),
            sizes=np.array([(image.width, image.height) for _, image in some]),
            bbox=np.array([person.bbox for person, _ in some]),
            x=x,
            y=y,
            labelled=visibility > 0,
        )


def _reasons(entries: list[JudgedEntry], notes: tuple[str, ...]) -> str:
    """Say why nothing is kept, and what to do."""
    reasons = Counter(entry.reason for entry in entries)
    counts = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common())
    example = next((f"; row {entry.row}: {entry.detail}" for entry in entries if entry.detail), "")
    cure = "mend the file, or choose another with --annotations"
    if DropReason.MIN_KEYPOINTS in reasons:
        cure = "mend the file, choose another with --annotations, or lower --min-keypoints"
    more = "".join(f" But {note.removeprefix(WARNING)}." for note in notes if note.startswith(WARNING))
    return f" ({counts}{example}). Nothing to build: {cure}.{more}"


def _judge(entry: ParsedEntry, images: Mapping[int, ImageInfo], select: SelectConfig, crop: CropConfig) -> JudgedEntry:
    image = images.get(entry.image_id) if entry.image_id is not None else None
    reason, detail = skip_reason(entry, image, crop, select.min_keypoints) or (None, "")
    return JudgedEntry(
        entry.row,
        entry.annotation_id,
        entry.image_id,
        entry.person,
        reason,
        detail,
        None,
        entry.source_id,
        entry.source,
        entry.category_id,
        entry.head_size,
    )


_OVERRULED = {None, DropReason.MIN_KEYPOINTS, DropReason.BOX}  # who is dropped for these has labels that would count


def _without_excluded(entry: JudgedEntry, excluded: Mapping[int, str]) -> JudgedEntry:
    number = entry.annotation_id
    if number is None or number not in excluded or entry.reason not in _OVERRULED:
        return entry
    return replace(entry, reason=DropReason.EXCLUDED, detail=excluded[number])


def _without_leak(entry: JudgedEntry, leaked: Mapping[int, str]) -> JudgedEntry:
    if entry.reason or entry.image_id is None or entry.image_id not in leaked:
        return entry
    return replace(entry, reason=DropReason.LEAK, detail=leaked[entry.image_id])


def _beyond_limit(entry: JudgedEntry, kept_ids: set[int], limit: int | None) -> JudgedEntry:
    if entry.reason or entry.image_id in kept_ids:
        return entry
    return replace(entry, reason=DropReason.LIMIT, detail=f"beyond the first {limit} images")


def _group_by_image(entries: list[JudgedEntry], images: dict[int, ImageInfo], seed: int) -> list[ImagePeople]:
    kept: dict[int, list[tuple[Person, Origin | None]]] = {}
    for entry in entries:
        if entry.reason is None and entry.person is not None and entry.image_id is not None:
            kept.setdefault(entry.image_id, []).append((entry.person, _origin(entry)))
    order = sorted(kept, key=lambda image_id: (image_hash(seed, image_id), image_id))
    return [_group(images[image_id], kept[image_id]) for image_id in order]


def _group(image: ImageInfo, kept: list[tuple[Person, Origin | None]]) -> ImagePeople:
    kept.sort(key=lambda pair: pair[0].annotation_id)
    origins = [origin for _, origin in kept if origin is not None]
    return ImagePeople(image, [person for person, _ in kept], origins or None)


def _origin(entry: JudgedEntry) -> Origin | None:
    if entry.source is None or entry.category_id is None:
        return None
    return Origin(entry.source, entry.category_id)
