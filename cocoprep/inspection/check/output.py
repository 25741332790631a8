"""The folder of suspects: a table of all, the list that a build takes, and a sheet of the first."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.named_images import NamedImages
from cocoprep.crops.pixels import decode_image
from cocoprep.crops.sourced_images import open_all_images
from cocoprep.draw.saving import save_picture
from cocoprep.errors import ImageError
from cocoprep.inspection.check.check import CheckedLabels
from cocoprep.inspection.check.sheet import Shown, draw_suspects
from cocoprep.inspection.check.suspect import Suspect
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.examples import photographs_of
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
    folder: str, data_set: DataSet, found: CheckedLabels, images: str | None, files: FileStore, *, follow_links: bool
) -> tuple[str | None, list[str]]:
    """Draw the first suspects; return the sheet's path, None without any, and why photographs could not be read.

    Args:
        folder: to write into.
        data_set: that was checked.
        found: the suspects.
        images: its photographs; of a built folder, None for where the build found them.
        files: where paths lie.
        follow_links: links within a folder of photographs may lead out of it.

    Raises:
        ConfigError: there are no photographs at the path.
        OutputError: the sheet cannot be written.
    """
    path = files.join(folder, SHEET)
    if not found.suspects:
        files.delete(path)  # of an earlier run
        return None, []
    shown, faults = read_photographs(data_set, found.suspects[:MOST_DRAWN], images, files, follow_links=follow_links)
    title = f"{data_set.name}: the first {len(shown)} of {counted(len(found.suspects), 'suspicions')}"
    save_picture(draw_suspects(shown, data_set.people, data_set.table, title), path, files)
    return path, faults


def read_photographs(
    data_set: DataSet, suspects: Sequence[Suspect], images: str | None, files: FileStore, *, follow_links: bool = False
) -> tuple[list[Shown], list[str]]:
    """Return suspects with their photographs, and why some cannot be read. Raises ConfigError as `open_all_images`."""
    paths = photographs_of(data_set, images)
    source = open_all_images(paths, files, follow_links=follow_links)
    named = NamedImages(source, [image.file_name for image in data_set.images])
    exif: Exif = "auto" if data_set.manifest is None else data_set.manifest.exif
    shown, faults = [], []
    for one in suspects:
        info = data_set.images[data_set.people.images[one.place]]
        try:
            shown.append(Shown(one, decode_image(named.read(info.file_name), info, exif)))
        except ImageError as error:
            shown.append(Shown(one, f"cannot be read: {error!s:.200}"))
            faults.append(str(error))
    return shown, faults


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
