"""The first step of a build: read the annotations, make the output folder ready, write ledger and ground truth."""

from __future__ import annotations

import os
import re
from typing import Any

import msgspec

from cocoprep.annotations import parse_annotation_file
from cocoprep.config import BuildConfig
from cocoprep.errors import ConfigError, OutputError, RecordError
from cocoprep.files import FileStore, remove_temporaries
from cocoprep.ground_truth import ground_truth_pieces
from cocoprep.images import open_images
from cocoprep.keypoints import KeypointTable
from cocoprep.ledger import check_faults, count_dropped, make_ledger, write_ledger
from cocoprep.manifest import (
    BASELINE,
    CEILING,
    GROUND_TRUTH,
    LEDGER,
    MANIFEST,
    PLAN,
    canonical_json,
    fingerprint_parts,
    seal,
    unseal,
)
from cocoprep.selection import Selection, select_people, shard_of
from cocoprep.shards import shard_name
from cocoprep.sidecars import SIDECAR_SUFFIX

_OURS = re.compile(r"cocoprep-.+\.tfrecord-\d{5}-of-\d{5}(\.json)?")
_SUMMARIES = (MANIFEST, CEILING, LEDGER, GROUND_TRUTH, BASELINE)


class StartedBuild(msgspec.Struct, frozen=True):
    """What the first step hands on: the kept people, packed, and the counts.

    `groups` holds (shard index, `ImagePeople` in msgpack) of every photograph.
    """

    num_shards: int
    people: int
    annotations: int
    dropped: dict[str, int]
    groups: list[tuple[int, bytes]]


def start_build(config: BuildConfig, table: KeypointTable, files: FileStore) -> StartedBuild:
    """Judge every annotation, make the output folder ready, and write ledger and ground truth into it.

    Raises:
        CocoprepError: as `load_selection` and `prepare_output`.
        BuildError: the share of faulty annotations is too large; the ledger is there all the same.
    """
    selection = load_selection(config, table, files)
    open_images(config.images, files)
    prepare_output(config, selection.num_shards, table, files)
    ledger = make_ledger(selection.entries, config.split, selection.num_shards)
    write_ledger(ledger, config.out, files)
    check_faults(ledger, config.select.max_bad_fraction, config.annotations)
    with files.create(files.join(config.out, GROUND_TRUTH)) as stream:
        stream.writelines(ground_truth_pieces(selection.listed_images, selection.entries, table))
    seed, num_shards = config.select.seed, selection.num_shards
    return StartedBuild(
        num_shards=num_shards,
        people=selection.people,
        annotations=len(ledger),
        dropped=count_dropped(ledger),
        groups=[
            (shard_of(group.image.image_id, seed, num_shards), msgspec.msgpack.encode(group))
            for group in selection.groups
        ],
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
        raise ConfigError(
            f"--annotations: expected a COCO keypoints file at {path}, found nothing. Give its path with "
            "--annotations, or the folder that holds annotations/person_keypoints_<split>.json with --data-dir."
        )
    try:
        data = files.read_bytes(path)
    except OSError as error:
        raise ConfigError(f"--annotations: cannot read {path}: {error.strerror or error}.") from error
    file = parse_annotation_file(data, path, table)
    return select_people(file, config.select, config.crop, table)


def prepare_output(config: BuildConfig, num_shards: int, table: KeypointTable, files: FileStore) -> None:
    """Make the output folder ready: refuse one of another build, unmark it as complete, sweep what was cut short.

    Raises:
        OutputError: the folder holds shards made in another way and `force` is off, or it cannot be written.
        ConfigError: an input is one of the files that would be removed.
    """
    parts = fingerprint_parts(config, num_shards, table)
    files.make_folder(config.out)
    names = files.list_names(config.out)
    _spare_inputs(config, names)
    differences = _differences(config, parts, names, files)
    if differences and not config.force:
        raise OutputError(
            f"{config.out} holds shards made in another way: {'; '.join(differences)}. Choose another --out, or pass "
            "--force to build them anew."
        )
    # First of all: a folder with a manifest is complete, and this one no longer is.
    for name in _SUMMARIES:
        files.delete(files.join(config.out, name))
    remove_temporaries(files, config.out)
    planned = {shard_name(config.split, index, num_shards) for index in range(num_shards)}
    for name in names:
        if _OURS.fullmatch(name) and name.removesuffix(SIDECAR_SUFFIX) not in planned:
            files.delete(files.join(config.out, name))
    with files.create(files.join(config.out, PLAN)) as stream:
        stream.write(seal(parts))


def _spare_inputs(config: BuildConfig, names: list[str]) -> None:
    """Refuse an input that bears the name of an output: an earlier build's ground truth, for example."""
    out = os.path.realpath(config.out)
    ours = {os.path.join(out, n) for n in (*names, *_SUMMARIES, PLAN) if n in (*_SUMMARIES, PLAN) or _OURS.fullmatch(n)}
    for option, path in (("--annotations", config.annotations), ("--images", config.images)):
        folder, name = os.path.split(path)
        if ours & {os.path.realpath(path), os.path.join(os.path.realpath(folder), name)}:
            raise ConfigError(f"{option}: {path} lies in --out, where a build replaces it. Choose another --out.")


def _differences(config: BuildConfig, parts: dict[str, Any], names: list[str], files: FileStore) -> list[str]:
    """Say how what is in the folder was made otherwise; nothing where it can go on, or is empty."""
    if PLAN not in names:
        foreign = [name for name in names if _OURS.fullmatch(name) or name in _SUMMARIES]
        return [f"what made its {foreign[0]} is not known"] if foreign else []
    path = files.join(config.out, PLAN)
    try:
        there = unseal(files.read_bytes(path), path)
    except (RecordError, OSError):
        return [f"its {PLAN} is damaged"]
    wanted = msgspec.json.decode(canonical_json(parts))
    return [f"{key} was {old}, is now {new}" for key, old, new in _compare("", there, wanted)]


def _compare(prefix: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = [_compare(f"{prefix}{key} ", old.get(key), new.get(key)) for key in sorted({*old, *new})]
        return [difference for pair in pairs for difference in pair]
    return [] if old == new else [(prefix.strip(), old, new)]
