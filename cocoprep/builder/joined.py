"""All that the annotation files of a build say, as one: one set of joints, one number for each image and annotation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields

import numpy as np
from msgspec.structs import replace

from cocoprep.builder.excluded import find_excluded
from cocoprep.builder.sources import OpenSource, told_by
from cocoprep.coco.annotations import AnnotationFile, ImageInfo, Person
from cocoprep.coco.ids import number_for
from cocoprep.coco.joints import FoundJoints
from cocoprep.coco.people import ParsedEntry, parse_entries
from cocoprep.coco.sources import Source
from cocoprep.pose.joint_map import JointMap
from cocoprep.pose.nouns import counted
from cocoprep.shards.settings import SourceRecord

_TOGETHER = 1 << 13  # people


@dataclass(frozen=True)
class Annotations:
    """What the annotation files of a build say.

    Attributes:
        path: of the file or files, named in messages.
        joints: that are built.
        entries: of all files, in their order, numbered.
        images: by number; with a width and height of 0 where the file says none.
        source_ids: the file's own id, as text, of images whose number is another.
        notes: what was guessed, in sentences.
        crowd_index: of images that state it, how crowded they are.
        leaked: images that are left out since another data set has their photograph, and why.
        excluded: annotations that are left out since a list says so, and why.
        sources: of several sources or categories, as the manifest will have them, but for what became of their entries.
    """

    path: str
    joints: FoundJoints
    entries: list[ParsedEntry]
    images: dict[int, ImageInfo]
    source_ids: dict[int, str]
    notes: tuple[str, ...]
    sources: tuple[SourceRecord, ...] = ()
    leaked: Mapping[int, str] = field(default_factory=dict)
    excluded: Mapping[int, str] = field(default_factory=dict)
    crowd_index: Mapping[int, float] = field(default_factory=dict)


def annotations_of(
    file: AnnotationFile, source: Source | None = None, leaked: Mapping[int, str] | None = None
) -> Annotations:
    """Return what one file says. Where several of its categories are read, it is the one source of its entries."""
    entries = parse_entries(file)
    sources: tuple[SourceRecord, ...] = ()
    if len(file.joints.categories) > 1 and source is not None:
        entries = [replace(entry, source=0) for entry in entries]
        sources = (_record(source, file, file.joints.table.names, ""),)
    return Annotations(
        path=file.path,
        joints=file.joints,
        entries=entries,
        images=file.images,
        source_ids=file.source_ids,
        notes=file.notes,
        sources=sources,
        leaked=leaked or {},
        crowd_index=file.crowd_index,
    )


def join_sources(opened: Sequence[OpenSource], maps: Sequence[JointMap]) -> Annotations:
    """Return what the files of several sources say, their joints mapped as `map_sources` found.

    Numbers follow from the source's name and the file's own ids: neither the order of the sources nor that of the
    entries changes them.
    """
    table = maps[0].target
    joints = FoundJoints(table, tuple(range(len(table))), frozenset({1}), 1, table.category)
    parsed = [parse_entries(one.file) for one in opened]
    names = [one.source.name for one in opened]
    numbers = _Numbers.of(opened, parsed)
    joined = Annotations(", ".join(one.file.path for one in opened), joints, [], {}, {}, ())
    notes: list[str] = []
    for place, (one, entries, found) in enumerate(zip(opened, parsed, maps, strict=True)):
        mapped = _mapped(entries, found)
        joined.entries.extend(_renumbered(entry, one, numbers, place) for entry in mapped)
        for number, image in one.file.images.items():
            new = numbers.images[names[place], number]
            joined.images[new] = replace(image, image_id=new, file_name=f"{names[place]}/{image.file_name}")
            joined.source_ids[new] = f"{names[place]}/{one.file.source_ids.get(number, str(number))}"
        notes += [told_by(names[place], note) for note in (*one.file.notes, *_map_notes(found, entries, mapped))]
    records = tuple(
        _record(one.source, one.file, tuple(table.names[k] for k in found.shared), found.sentence)
        for one, found in zip(opened, maps, strict=True)
    )
    leaked = {numbers.images[one.source.name, n]: why for one in opened for n, why in one.leaked.items()}
    excluded = {
        numbers.annotations[one.source.name, n]: why
        for one, entries in zip(opened, parsed, strict=True)
        for n, why in find_excluded(one, entries).items()
    }
    crowded = {numbers.images[one.source.name, n]: share for one in opened for n, share in one.file.crowd_index.items()}
    return replace_fields(
        joined, notes=tuple(notes), sources=records, leaked=leaked, excluded=excluded, crowd_index=crowded
    )


@dataclass(frozen=True)
class _Numbers:
    """The numbers of annotations and of images, by source and number there."""

    annotations: dict[tuple[str, int], int]
    images: dict[tuple[str, int], int]

    @staticmethod
    def of(opened: Sequence[OpenSource], parsed: Sequence[list[ParsedEntry]]) -> _Numbers:
        annotations, images = set[tuple[str, int | None]](), set[tuple[str, int | None]]()
        for one, entries in zip(opened, parsed, strict=True):
            name = one.source.name
            annotations.update((name, entry.annotation_id) for entry in entries)
            images.update((name, entry.image_id) for entry in entries)
            images.update((name, number) for number in one.file.images)
        return _Numbers(*(_numbers((name, n) for name, n in keys if n is not None) for keys in (annotations, images)))


def _numbers(keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Return a number of its own for each pair of a source and a number there, in whatever order they come."""
    numbers: dict[tuple[str, int], int] = {}
    taken: set[int] = set()
    for name, own in sorted(keys):
        number = number_for(name.encode(), str(own).encode())
        while number in taken:
            number = number_for(number.to_bytes(8, "little"))
        taken.add(number)
        numbers[name, own] = number
    return numbers


def _renumbered(entry: ParsedEntry, one: OpenSource, numbers: _Numbers, place: int) -> ParsedEntry:
    name, own, image, person = one.source.name, entry.annotation_id, entry.image_id, entry.person
    number = None if own is None else numbers.annotations[name, own]
    category = entry.category_id
    if category is None and person is not None:
        category = next(iter(one.file.joints.categories))
    return replace(
        entry,
        annotation_id=number,
        image_id=None if image is None else numbers.images[name, image],
        person=None if person is None or number is None else replace(person, annotation_id=number),
        source_id=str(own) if entry.source_id is None and own is not None else entry.source_id,
        category_id=category,
        source=place,
    )


def _mapped(entries: Sequence[ParsedEntry], found: JointMap) -> list[ParsedEntry]:
    """Return entries whose people have the target's joints."""
    if found.is_identity:
        return list(entries)
    mapped = list(entries)
    nobody = bytes(len(found.target) * 3 * 4)
    labelled: list[tuple[int, Person]] = []
    for place, entry in enumerate(entries):
        if entry.person is not None and entry.person.num_keypoints:
            labelled.append((place, entry.person))
        elif entry.person is not None:
            mapped[place] = replace(entry, person=replace(entry.person, keypoint_bytes=nobody))
    for start in range(0, len(labelled), _TOGETHER):
        some = labelled[start : start + _TOGETHER]
        packed = np.frombuffer(b"".join(person.keypoint_bytes for _, person in some), "<f4")
        keypoints = found.apply(packed.reshape(len(some), -1, 3))
        counts = np.count_nonzero(keypoints[..., 2], axis=1).tolist()
        for (place, person), count, one in zip(some, counts, keypoints, strict=True):
            moved = replace(person, num_keypoints=count, keypoint_bytes=one.tobytes())
            mapped[place] = replace(entries[place], person=moved)
    return mapped


def _map_notes(found: JointMap, before: Sequence[ParsedEntry], after: Sequence[ParsedEntry]) -> list[str]:
    """Say how joints were mapped, and of how many people nothing labelled is left."""
    if found.is_identity and found.source.names == found.target.names:
        return []
    pairs = zip(before, after, strict=True)
    emptied = sum(
        bool(old.person and new.person and old.person.num_keypoints and not new.person.num_keypoints)
        for old, new in pairs
    )
    lost = "annotations have no labelled joint that is built: zero_keypoints"
    return [found.sentence, *([counted(emptied, lost)] if emptied else [])]


def _record(source: Source, file: AnnotationFile, labelled: tuple[str, ...], joint_map: str) -> SourceRecord:
    return SourceRecord(
        name=source.name,
        annotations=source.annotations,
        images=source.images,
        categories=tuple(sorted(file.joints.names.items())),
        joints=labelled,
        joint_map=joint_map,
        weight=float(source.weight),
        annotations_read=len(file.raw_annotations),
        people=0,
        dropped={},
    )
