"""Data sets from built folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.coco.people import ParsedEntry, parse_entries
from cocoprep.errors import AnnotationError, RecordError
from cocoprep.inspection.data_set import Bools, DataSet, EntryCounts, Ints
from cocoprep.inspection.read_file import data_set_of
from cocoprep.shards.drop_reasons import DropReason
from cocoprep.shards.ledger import count_dropped, read_ledger
from cocoprep.shards.manifest import Manifest, annotation_paths, read_manifest
from cocoprep.shards.names import GROUND_TRUTH, MANIFEST
from cocoprep.shards.settings import table_of
from cocoprep.storage.store import FileStore


def read_folder(path: str, name: str, files: FileStore) -> DataSet:
    """Read a built folder: its ground truth, and of its ledger what became of the other entries.

    Args:
        path: of the folder.
        name: that the data set is to have.
        files: where it lies.

    Raises:
        AnnotationError: it is no built folder.
        RecordError: it is damaged.
    """
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
    ledger = read_ledger(path, files)
    dropped = count_dropped(ledger)
    found = data_set_of(name, file, entries, _counts_of(manifest, dropped, entries), _built_from(manifest))
    notes = (*manifest.notes, *found.notes)
    people = replace(found.people, looked_for=_looked_for(manifest, ledger, found.people.annotation_ids))
    return replace(
        found, path=path, notes=notes, manifest=manifest, dropped=dropped, people=people, own_ids=_own_ids(ledger)
    )


def _looked_for(manifest: Manifest, ledger: pa.Table, annotation_ids: Ints) -> Bools | None:
    """Return (N, K) which joints the source of each annotation labels; None where all sources label all."""
    names = manifest.keypoints.names
    labels = np.array([[name in source.joints for name in names] for source in manifest.sources], bool)
    if labels.all():
        return None
    place = {source.name: number for number, source in enumerate(manifest.sources)}
    lines = zip(ledger["annotation_id"].to_pylist(), ledger["source"].to_pylist(), strict=True)
    source_of = {number: place.get(source, -1) for number, source in lines}
    labels = np.concatenate([labels, np.ones_like(labels[:1])])  # the last of an annotation that the ledger has not
    found: Bools = labels[[source_of.get(number, -1) for number in annotation_ids.tolist()]]
    return found


def _own_ids(ledger: pa.Table) -> dict[int, str]:
    """Return the ids that annotations have in the files, by number, where they are others."""
    columns = ("annotation_id", "source_id", "source")
    found = {}
    for number, own, source in zip(*(ledger[name].to_pylist() for name in columns), strict=True):
        if number is not None and own and (source or own != str(number)):
            found[number] = f"{source}/{own}" if source else own
    return found


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
