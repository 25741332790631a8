"""Judge every entry of an annotation file: which people are kept, and why the others are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from cocoprep.builder.config import SelectConfig, default_shards
from cocoprep.builder.places import image_hash, shard_of
from cocoprep.coco.annotations import AnnotationFile, ImageInfo, Person
from cocoprep.coco.people import ParsedEntry, parse_entries
from cocoprep.errors import BuildError
from cocoprep.pose.boxes import box_fault, canonical_window, clip_box, stored_window, visible_span
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.drop_reasons import DropReason, JudgedEntry


class ImagePeople(msgspec.Struct, frozen=True, array_like=True):
    """One photograph and the people to crop from it, in order of annotation id."""

    image: ImageInfo
    people: list[Person]


@dataclass(frozen=True)
class Selection:
    """What an annotation file holds: every entry, and the kept people by image in shard order."""

    entries: list[JudgedEntry]
    images: dict[int, ImageInfo]
    groups: list[ImagePeople]
    num_shards: int

    @property
    def people(self) -> int:
        """Count the people kept."""
        return sum(len(group.people) for group in self.groups)

    @property
    def listed_images(self) -> list[ImageInfo]:
        """Return the photographs that evaluation has to count: all that are listed, or those within a limit."""
        if any(entry.reason is DropReason.LIMIT for entry in self.entries):
            return [group.image for group in self.groups]
        return list(self.images.values())

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
    if not image.width:
        return DropReason.MALFORMED, f"image_id {image.image_id}: its entry in 'images' says no width and height"
    labelled = person.num_keypoints
    if labelled == 0:
        return DropReason.ZERO_KEYPOINTS, ""
    if person.is_crowd:
        return DropReason.CROWD, ""
    if labelled < min_keypoints:
        return DropReason.MIN_KEYPOINTS, f"{labelled} labelled keypoints"
    fault = box_fault(person.bbox, image.width, image.height) or _window_fault(person, image, crop)
    return (DropReason.BOX, fault) if fault else None


def _window_fault(person: Person, image: ImageInfo, crop: CropConfig) -> str | None:
    """Say so where a crop is so wide for its image that no whole pixel of it shows the photograph."""
    smallest = 2 * crop.bbox_scale * max(person.bbox[2:]) / min(crop.input_size)
    if smallest <= min(clip_box(person.bbox, image.width, image.height)[2:]):
        return None  # the box alone spans two crop pixels each way, so one of them is whole
    window = stored_window(canonical_window(person.bbox, (image.height, image.width), crop), crop)
    height, width = crop.stored_size
    left, right = visible_span(window.x0, window.width, width, image.width)
    top, bottom = visible_span(window.y0, window.height, height, image.height)
    if right > left and bottom > top:
        return None
    return f"bbox {list(person.bbox)}: no whole pixel of its crop lies in the {image.width} x {image.height} image"


def select_people(file: AnnotationFile, select: SelectConfig, crop: CropConfig) -> Selection:
    """Judge every entry of an annotation file and group the kept people by image.

    The outcome depends on the set of entries, never on their order in the file.

    Raises:
        BuildError: no annotation is kept.
    """
    entries = [_judge(entry, file, select, crop) for entry in parse_entries(file)]
    groups = _group_by_image(entries, file.images, select.seed)
    if not groups:
        raise BuildError(f"{file.path}: no annotation is kept of {len(entries)} read{_reasons(entries)}")
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
    return Selection(entries, file.images, groups, num_shards)


def _reasons(entries: list[JudgedEntry]) -> str:
    """Say why nothing is kept, and what to do."""
    counts = ", ".join(f"{n} {r}" for r, n in Counter(entry.reason for entry in entries).most_common())
    example = next((f"; row {entry.row}: {entry.detail}" for entry in entries if entry.detail), "")
    cure = "mend the file, choose another with --annotations, or lower --min-keypoints"
    return f" ({counts}{example}). Nothing to build: {cure}."


def _judge(entry: ParsedEntry, file: AnnotationFile, select: SelectConfig, crop: CropConfig) -> JudgedEntry:
    image = file.images.get(entry.image_id) if entry.image_id is not None else None
    reason, detail = skip_reason(entry, image, crop, select.min_keypoints) or (None, "")
    return JudgedEntry(
        entry.row, entry.annotation_id, entry.image_id, entry.person, reason, detail, None, entry.source_id
    )


def _beyond_limit(entry: JudgedEntry, kept_ids: set[int], limit: int | None) -> JudgedEntry:
    if entry.reason or entry.image_id in kept_ids:
        return entry
    return replace(entry, reason=DropReason.LIMIT, detail=f"beyond the first {limit} images")


def _group_by_image(entries: list[JudgedEntry], images: dict[int, ImageInfo], seed: int) -> list[ImagePeople]:
    people: dict[int, list[Person]] = {}
    for entry in entries:
        if entry.reason is None and entry.person is not None and entry.image_id is not None:
            people.setdefault(entry.image_id, []).append(entry.person)
    for group in people.values():
        group.sort(key=lambda person: person.annotation_id)
    order = sorted(people, key=lambda image_id: (image_hash(seed, image_id), image_id))
    return [ImagePeople(images[image_id], people[image_id]) for image_id in order]
