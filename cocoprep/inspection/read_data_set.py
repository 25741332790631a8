"""Data sets from annotation files and from built folders, read as a build reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cocoprep.coco.annotations import AnnotationFile, parse_annotation_file
from cocoprep.coco.people import ParsedEntry, parse_entries
from cocoprep.errors import AnnotationError, ConfigError, RecordError
from cocoprep.inspection.data_set import DataSet, EntryCounts, people_of
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.drop_reasons import DropReason
from cocoprep.shards.ledger import count_dropped, read_ledger
from cocoprep.shards.manifest import Manifest, annotation_paths, read_manifest
from cocoprep.shards.names import GROUND_TRUTH, MANIFEST
from cocoprep.shards.settings import table_of
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

MOST_BESIDE = 6  # data sets side by side: more do not fit a screen


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


_AS_LISTED = Reading()


def check_paths_beside(paths: Sequence[str]) -> None:
    """Raise ConfigError where paths are too many to stand side by side, or one is given twice."""
    if len(paths) > MOST_BESIDE:
        raise ConfigError(f"PATH: expected {MOST_BESIDE} at most, found {len(paths)}. Look at some of them at a time.")
    if len(set(paths)) < len(paths):
        raise ConfigError("PATH: expected each once, found one of them twice. Leave one out.")


def short_names(paths: Sequence[str]) -> list[str]:
    """Return short names by which paths can be told apart: of a file or folder, or of what differs on the way to it."""
    stems = [_stem(path) or path for path in paths]
    if len(set(stems)) == len(paths):
        return stems
    parts = [PurePosixPath(path).parts for path in paths]
    columns = list(zip(*parts, strict=False)) if len({len(one) for one in parts}) == 1 else []
    places = [n for n, column in enumerate(columns) if len(set(column)) > 1]
    names = ["/".join(one[n] for n in places).removesuffix(".json") for one in parts]
    return names if places and len(set(names)) == len(paths) else list(paths)


def _stem(path: str) -> str:
    return PurePosixPath(path).name.removesuffix(".json").removeprefix("person_keypoints_")


def read_data_set(path: str, name: str, files: FileStore, reading: Reading = _AS_LISTED) -> DataSet:
    """Read an annotation file, or a built folder.

    Args:
        path: of the file or folder.
        name: that it is to have.
        files: where it lies.
        reading: how an annotation file is read; a built folder says that itself.

    Raises:
        AnnotationError: there is nothing at the path, or it is no COCO keypoints file.
        RecordError: the built folder is damaged.
    """
    if files.is_folder(path):
        return _read_folder(path, name, files)
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
    return _data_set(name, file, entries, counts, PurePosixPath(path).name)


def _data_set(
    name: str, file: AnnotationFile, entries: list[ParsedEntry], counts: EntryCounts, file_name: str
) -> DataSet:
    """Return what was read, as arrays. The file's own text is let go before there is more of it."""
    file.raw_annotations.clear()
    table, images = file.joints.table, tuple(file.images.values())
    pairs = [(entry.person, entry.image_id) for entry in entries if entry.person and entry.image_id is not None]
    people = people_of(pairs, images, len(table))
    return DataSet(name, file.path, file_name, table, counts, images, people, file.notes)


def _read_folder(path: str, name: str, files: FileStore) -> DataSet:
    if not files.exists(files.join(path, MANIFEST)):
        raise AnnotationError(
            f"{path}: expected a COCO keypoints file or a built folder, found a folder without {MANIFEST}. Name the "
            "annotation file in it, or the folder that `cocoprep build` has written."
        )
    manifest = read_manifest(path, files)
    truth = files.join(path, GROUND_TRUTH)
    try:
        data = files.read_bytes(truth)
        file = parse_annotation_file(data, truth, table_of(manifest.keypoints))
        entries = parse_entries(file)
    except (OSError, AnnotationError) as error:
        raise RecordError(f"{truth}: cannot be read ({error}). Run `cocoprep verify {path}`.") from error
    del data
    dropped = count_dropped(read_ledger(path, files))
    found = _data_set(name, file, entries, _counts_of(manifest, dropped, entries), _built_from(manifest))
    return DataSet(
        name, path, found.file_name, found.table, found.entries, found.images, found.people,
        (*manifest.notes, *found.notes), manifest, dropped,
    )  # fmt: skip


def _counts_of(manifest: Manifest, dropped: Mapping[str, int], entries: Sequence[ParsedEntry]) -> EntryCounts:
    """Return what the entries were that the folder was built from; what is wrong with its own file is malformed too."""
    faulty = sum(entry.person is None for entry in entries)
    return EntryCounts(
        read=manifest.counts.annotations,
        other_categories=dropped.get(DropReason.CATEGORY, 0),
        malformed=dropped.get(DropReason.MALFORMED, 0) + faulty,
        twice=dropped.get(DropReason.DUPLICATE, 0),
    )


def _built_from(manifest: Manifest) -> str:
    return PurePosixPath(annotation_paths(manifest)).name
