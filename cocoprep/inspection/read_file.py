"""A data set from an annotation file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cocoprep.coco.annotations import AnnotationFile, parse_annotation_file
from cocoprep.coco.people import ParsedEntry, parse_entries
from cocoprep.errors import AnnotationError
from cocoprep.inspection.data_set import DataSet, EntryCounts, people_of, sizes_of
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file


@dataclass(frozen=True)
class Reading:
    """How annotation files are read.

    Attributes:
        table: the joints; None for those that the category lists.
        category: whose entries are read; None for the person, or the only one with joints.
        meanings: what visibilities of the file mean, where the user says so.
    """

    table: KeypointTable | None = None
    category: str | None = None
    meanings: Mapping[float, int] = field(default_factory=dict)


def read_file(path: str, name: str, files: FileStore, reading: Reading) -> DataSet:
    """Read an annotation file. Raises AnnotationError where there is none, or it is no COCO keypoints file."""
    data = read_user_file(path, files, "a COCO keypoints file or a built folder", refusal=AnnotationError)
    file = parse_annotation_file(data, path, reading.table, reading.category, meanings=reading.meanings)
    del data  # the file holds pieces of it; nothing else has to
    entries = parse_entries(file)
    counts = EntryCounts(
        read=len(entries),
        other_categories=sum(entry.is_other for entry in entries),
        malformed=sum(entry.fault is not None for entry in entries),
        twice=sum(entry.is_twice for entry in entries),
    )
    return data_set_of(name, file, entries, counts, PurePosixPath(path).name)


def data_set_of(
    name: str, file: AnnotationFile, entries: list[ParsedEntry], counts: EntryCounts, file_name: str
) -> DataSet:
    """Return what was read, as arrays. The file's own text is let go before there is more of it."""
    file.raw_annotations.clear()
    table, images = file.joints.table, tuple(file.images.values())
    places, sizes = {image.image_id: n for n, image in enumerate(images)}, sizes_of(images)
    valid = [entry for entry in entries if entry.person is not None]
    people = people_of(
        [entry.person for entry in valid if entry.person is not None],
        [places[entry.image_id] for entry in valid if entry.image_id is not None],
        sizes,
        len(table),
    )
    return DataSet(
        name, file.path, file_name, table, counts, images, sizes, people, file.notes, own_ids=_own_ids(entries)
    )


def _own_ids(entries: list[ParsedEntry]) -> dict[int, str]:
    """Return the ids that the file has, by number, where they are others and each one annotation's alone."""
    often = Counter(entry.source_id or str(entry.annotation_id) for entry in entries if not entry.is_twice)
    return {
        entry.annotation_id: entry.source_id
        for entry in entries
        if entry.source_id and entry.annotation_id is not None and entry.person and often[entry.source_id] == 1
    }
