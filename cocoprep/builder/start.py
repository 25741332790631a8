"""The first step of a build: read the annotations, make the output folder ready, write ledger and ground truth."""

from __future__ import annotations

import msgspec

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.output import check_output, is_complete, prepare_output
from cocoprep.builder.selection import PackedShard, Selection, pack_shards, select_people
from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.crops.photographs import ImageSource, open_images
from cocoprep.errors import ConfigError, ImageError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.ground_truth import ground_truth_pieces
from cocoprep.shards.ledger import check_faults, count_dropped, make_ledger, write_ledger
from cocoprep.shards.names import GROUND_TRUTH, LEDGER
from cocoprep.storage.store import FileStore

PROBES = 32


class StartedBuild(msgspec.Struct, frozen=True):
    """The counts that the first step hands on."""

    num_shards: int
    images: int
    people: int
    annotations: int
    dropped: dict[str, int]


def start_build(config: BuildConfig, table: KeypointTable, files: FileStore) -> tuple[StartedBuild, list[PackedShard]]:
    """Judge every annotation, make the output folder ready, and write ledger and ground truth into it.

    Returns:
        The counts, and the photographs of every shard with their kept people.

    Raises:
        CocoprepError: as `load_selection`, `probe_images` and `check_output`.
        BuildError: the share of faulty annotations is too large. The ledger is written all the same, unless the folder
            holds a finished build: that is left as it is.
    """
    selection = load_selection(config, table, files)
    probe_images(config.images, open_images(config.images, files), selection)
    check_output(config, selection.num_shards, table, files)
    ledger = make_ledger(selection.entries, config.split, selection.num_shards)
    fraction = config.select.max_bad_fraction
    if is_complete(config.out, files):
        check_faults(ledger, fraction, config.annotations)
    prepare_output(config, selection.num_shards, table, files)
    write_ledger(ledger, config.out, files)
    check_faults(ledger, fraction, config.annotations, listed_in=files.join(config.out, LEDGER))
    with files.create(files.join(config.out, GROUND_TRUTH)) as stream:
        stream.writelines(ground_truth_pieces(selection.listed_images, selection.entries, table))
    counts = StartedBuild(
        selection.num_shards, len(selection.groups), selection.people, len(ledger), count_dropped(ledger)
    )
    return counts, pack_shards(selection, config.select.seed)


def probe_images(path: str, images: ImageSource, selection: Selection) -> None:
    """Read a few photographs: a drive that is not mounted must not cost the shards of an earlier build.

    Raises:
        ConfigError: none of them can be read.
    """
    groups = selection.groups[:: -(-len(selection.groups) // PROBES)]
    for group in groups:
        try:
            images.read(group.image.file_name)
        except ImageError as error:
            last = error
        else:
            return
    raise ConfigError(
        f"--images: none of {len(groups)} photographs tried can be read from {path} (the last: {last}). Is the drive "
        "mounted, and is it the folder or zip that belongs to the annotations?"
    )


def load_selection(config: BuildConfig, table: KeypointTable, files: FileStore) -> Selection:
    """Read the annotation file and judge every entry.

    Raises:
        ConfigError: there is no such file, or it cannot be read.
        AnnotationError: the file as a whole cannot be used.
        BuildError: no annotation is kept.
    """
    path = config.annotations
    if not files.exists(path) or files.is_folder(path):
        found = "a folder" if files.is_folder(path) else "nothing"
        raise ConfigError(
            f"--annotations: expected a COCO keypoints file at {path}, found {found}. Give its path with "
            "--annotations, or the folder that holds annotations/person_keypoints_<split>.json with --data-dir."
        )
    try:
        data = files.read_bytes(path)
    except OSError as error:
        raise ConfigError(f"--annotations: cannot read {path}: {error.strerror or error}.") from error
    file = parse_annotation_file(data, path, table)
    return select_people(file, config.select, config.crop, table)
