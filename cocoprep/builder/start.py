"""The first step of a build: judge everything, then write plan, ledger and ground truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec
import pyarrow as pa

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.fingerprint import fingerprint_of, fingerprint_parts
from cocoprep.builder.output import check_output, is_complete, prepare_output, write_whole
from cocoprep.builder.packing import PackedShard, annotations_digest, deal_shards, pack_shard
from cocoprep.builder.selection import Selection, select_people
from cocoprep.builder.under_way import BuildMark, claim_folder, make_way
from cocoprep.coco.annotations import AnnotationFile, parse_annotation_file
from cocoprep.crops.photographs import ImageSource, open_images
from cocoprep.errors import ConfigError, ImageError
from cocoprep.shards.ground_truth import encode_ground_truth
from cocoprep.shards.ledger import count_dropped, encode_ledger, has_too_many_faults, make_ledger, too_many_faults
from cocoprep.shards.names import GROUND_TRUTH, LEDGER
from cocoprep.shards.plan import PlannedContent, seal_plan
from cocoprep.storage.digests import digest_bytes
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import read_user_file

PROBES = 32


class StartedBuild(msgspec.Struct, frozen=True):
    """The counts that the first step hands on."""

    num_shards: int
    images: int
    people: int
    annotations: int
    dropped: dict[str, int]
    category: str = "person"


@dataclass(frozen=True)
class JudgedBuild:
    """All that is known of a build before anything is written: who is kept, and the ledger that says why."""

    file: AnnotationFile
    selection: Selection
    ledger: pa.Table


def start_build(
    config: BuildConfig, files: FileStore, mark: BuildMark | None = None
) -> tuple[StartedBuild, list[PackedShard]]:
    """Judge every annotation, make the output folder ready, and write plan, ledger and ground truth into it.

    Args:
        config: of the build.
        files: where paths lie.
        mark: where somebody keeps it fresh, left in the folder before anything else there is touched.

    Returns:
        The counts, and the photographs of every shard with their kept people.

    Raises:
        CocoprepError: as `judge_build`.
        BuildError: another build into the folder is under way; or the share of faulty annotations is too large. For
            that, the ledger is written all the same, unless the folder holds a finished build, which is left as it is.
    """
    make_way(config.out, mark, files)
    judged = judge_build(config, files)
    refused = has_too_many_faults(judged.ledger, config.select.max_bad_fraction)
    if not (refused and is_complete(config.out, files)):
        claim_folder(config.out, mark, files)
    if refused:
        _refuse(config, judged, files)
    return _write_start(config, judged, files)


def judge_build(config: BuildConfig, files: FileStore) -> JudgedBuild:
    """Read the annotations, and check everything but the share of faults. Nothing is written.

    Raises:
        CocoprepError: as `load_selection`, `probe_images` and `check_output`.
    """
    file, selection = load_selection(config, files)
    probe_images(config.images, open_images(config.images, files), selection)
    check_output(config, selection.num_shards, file.joints.table, files)
    return JudgedBuild(file, selection, make_ledger(selection.entries, config.split, selection.num_shards))


def _write_start(config: BuildConfig, judged: JudgedBuild, files: FileStore) -> tuple[StartedBuild, list[PackedShard]]:
    selection, num_shards, table = judged.selection, judged.selection.num_shards, judged.file.joints.table
    shards = deal_shards(selection, config.select.seed)
    ledger = encode_ledger(judged.ledger)
    truth = encode_ground_truth(selection.listed_images, selection.entries, judged.file.joints)
    digests = tuple(map(annotations_digest, shards))
    content = PlannedContent(digests, digest_bytes(ledger), digest_bytes(truth), judged.file.notes)
    parts = fingerprint_parts(config, num_shards, table)
    plan = seal_plan(parts, content)
    prepare_output(config, num_shards, plan, files)
    write_whole(config.out, LEDGER, ledger, files)
    write_whole(config.out, GROUND_TRUTH, truth, files)
    counts = StartedBuild(
        num_shards,
        len(selection.groups),
        selection.people,
        len(judged.ledger),
        count_dropped(judged.ledger),
        table.category,
    )
    of_plan, made_by = digest_bytes(plan).sha256, fingerprint_of(parts)
    return counts, [pack_shard(of_plan, made_by, len(table), groups) for groups in shards]


def _refuse(config: BuildConfig, judged: JudgedBuild, files: FileStore) -> NoReturn:
    """End a build for its faults; where that costs no finished build, leave the ledger that lists them."""
    listed_in = None
    if not is_complete(config.out, files):
        num_shards = judged.selection.num_shards
        plan = seal_plan(fingerprint_parts(config, num_shards, judged.file.joints.table), None)
        prepare_output(config, num_shards, plan, files)
        write_whole(config.out, LEDGER, encode_ledger(judged.ledger), files)
        listed_in = files.join(config.out, LEDGER)
    raise too_many_faults(judged.ledger, config.select.max_bad_fraction, config.annotations, listed_in=listed_in)


def probe_images(path: str, images: ImageSource, selection: Selection) -> None:
    """Look for a photograph that can be read: a drive that is not mounted must not cost the shards of an earlier build.

    A few are tried; where none of them is there, as in a small part of a large data set, one of those that are listed.

    Raises:
        ConfigError: none of them can be read.
    """
    names = [group.image.file_name for group in selection.groups]
    for name in _candidates(names, images):
        try:
            images.read(name)
        except ImageError as error:
            last = error
        else:
            return
    raise ConfigError(
        f"--images: none of {len(names)} photographs can be read from {path} (the last tried: {last}). Is the drive "
        "mounted, and is it the folder or zip that belongs to the annotations?"
    )


def _candidates(names: Sequence[str], images: ImageSource) -> Iterator[str]:
    yield from names[:: -(-len(names) // PROBES)]
    yield from images.listed(names)[:PROBES]


def load_selection(config: BuildConfig, files: FileStore) -> tuple[AnnotationFile, Selection]:
    """Read the annotation file and judge every entry.

    Raises:
        ConfigError: there is no such file, or it cannot be read.
        AnnotationError: the file as a whole cannot be used.
        BuildError: no annotation is kept.
    """
    path = config.annotations
    data = read_user_file(
        path, files, "a COCO keypoints file", refusal=ConfigError, option="--annotations",
        cure="Give its path with --annotations, or the folder that holds "
        "annotations/person_keypoints_<split>.json with --data-dir.",
    )  # fmt: skip
    file = parse_annotation_file(data, path, config.keypoints, config.category, meanings=config.visibility)
    return file, select_people(file, config.select, config.crop)
