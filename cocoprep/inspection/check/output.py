"""The folder of suspects: a table of all, the list that a build takes, and a sheet of the first."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cocoprep.draw.saving import save_picture
from cocoprep.inspection.check.check import CheckedLabels
from cocoprep.inspection.check.sheet import draw_sheet, draw_suspect_pictures
from cocoprep.inspection.check.suspect import Suspect
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.photographs import Photographs
from cocoprep.pose.nouns import counted
from cocoprep.shards.exclude_list import Excluded, encode_exclude_list
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder
from cocoprep.version import __version__

SUSPECTS, LIST, SHEET = "suspects.parquet", "exclude.txt", "suspects.jpg"
FORMAT = "cocoprep suspects 1"
MOST_DRAWN = 60
SCHEMA = pa.schema(
    [
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("annotation_id", pa.int64(), nullable=False),
        pa.field("own_id", pa.string(), nullable=False),
        pa.field("image", pa.string(), nullable=False),
        pa.field("joints", pa.list_(pa.string()), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("why", pa.string(), nullable=False),
        pa.field("other_annotation_id", pa.int64()),
    ]
)


def prepare_check_folder(folder: str, files: FileStore) -> None:
    """Make the folder ready. Raises OutputError where it is a file, or cannot be made."""
    check_output_folder(folder, files)
    files.make_folder(folder)
    sweep_folder(folder, files)


def write_tables(folder: str, data_set: DataSet, found: CheckedLabels, files: FileStore) -> list[str]:
    """Write the table and the list; return their paths. Raises OutputError where one cannot be written."""
    written = []
    for name, data in (
        (SUSPECTS, encode_suspects(found.suspects, data_set.table.names)),
        (LIST, encode_exclude_list([_excluded(one, data_set) for one in found.suspects])),
    ):
        path = files.join(folder, name)
        with files.create(path) as stream:
            stream.write(data)
        written.append(path)
    return written


def write_sheet(
    folder: str, data_set: DataSet, found: CheckedLabels, photographs: Photographs | None, files: FileStore
) -> str | None:
    """Draw the first suspects; return the sheet's path, None where there are no suspects or no photographs.

    Raises:
        OutputError: the sheet cannot be written.
    """
    path = files.join(folder, SHEET)
    if photographs is None or not found.suspects:
        files.delete(path)  # of an earlier run: it would be of other suspects
        return None
    first = found.suspects[:MOST_DRAWN]
    title = f"{data_set.name}: the first {len(first)} of {counted(len(found.suspects), 'suspicions')}"
    pictures = draw_suspect_pictures(data_set, first, photographs)
    save_picture(draw_sheet(first, pictures, data_set.table, title), path, files)
    return path


def encode_suspects(suspects: Sequence[Suspect], names: Sequence[str]) -> bytes:
    """Encode suspects as Parquet, the surest first: equal suspects, equal bytes."""
    lines = [_line(one, rank, names) for rank, one in enumerate(suspects, start=1)]
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(lines, schema=SCHEMA), stream, compression="zstd")
    return stream.getvalue()


def suspects_as_json(data_set: DataSet, found: CheckedLabels) -> dict[str, Any]:
    """Return what was found as JSON takes it."""
    names = data_set.table.names
    return {
        "format": FORMAT,
        "version": __version__,
        "name": data_set.name,
        "path": data_set.path,
        "joints": list(names),
        "people_checked": found.people,
        "people_suspected": found.people_suspected,
        "by_kind": {kind.value: count for kind, count in found.by_kind.items()},
        "suspects": [_line(one, rank, names) for rank, one in enumerate(found.suspects, start=1)],
        "notes": [*data_set.notes, *found.notes],
    }


def _line(one: Suspect, rank: int, names: Sequence[str]) -> dict[str, Any]:
    return {
        "rank": rank,
        "kind": one.kind.value,
        "annotation_id": one.annotation_id,
        "own_id": one.own_id,
        "image": one.image,
        "joints": [names[k] for k in one.joints],
        "score": one.score,
        "why": one.why,
        "other_annotation_id": one.other_id,
    }


def _excluded(one: Suspect, data_set: DataSet) -> Excluded:
    """Return the line of a suspect; a built folder does not know what the annotation file calls its photographs."""
    image = one.image if data_set.manifest is None else ""
    return Excluded(one.own_id, image, f"{one.kind}, {one.score:.2f}: {one.why}")
