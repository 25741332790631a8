"""The first step of a build: judge everything, then write plan, ledger and ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NoReturn

import msgspec
import pyarrow as pa

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.excluded import find_excluded
from cocoprep.builder.fingerprint import fingerprint_of, fingerprint_parts
from cocoprep.builder.image_sizes import SizeReader
from cocoprep.builder.joined import Annotations, annotations_of, join_sources
from cocoprep.builder.output import check_output, is_complete, prepare_output, write_whole
from cocoprep.builder.packing import PackedShard, annotations_digest, deal_shards, pack_shard
from cocoprep.builder.selection import Selection, select_people
from cocoprep.builder.sources import OpenSource, map_sources, names_of, open_sources, photographs_of
from cocoprep.builder.under_way import BuildMark, claim_folder, make_way
from cocoprep.checks import shown
from cocoprep.coco.sources import Source
from cocoprep.crops.file_names import FoundNames
from cocoprep.crops.image_source import ImageSource
from cocoprep.crops.named_images import Refusing
from cocoprep.errors import BuildError, ConfigError, ImageError
from cocoprep.shards.drop_reasons import DropReason
from cocoprep.shards.ground_truth import encode_ground_truth
from cocoprep.shards.ledger import (
    count_dropped,
    drop_faulty_images,
    encode_ledger,
    has_too_many_faults,
    make_ledger,
    too_many_faults,
)
from cocoprep.shards.names import GROUND_TRUTH, LEDGER
from cocoprep.shards.plan import PlannedContent, seal_plan
from cocoprep.storage.digests import digest_bytes
from cocoprep.storage.store import FileStore

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
    """All that is known of a build before anything is written.

    Attributes:
        annotations: of all sources; their images have the photographs' own names.
        selection: who is kept.
        images: the photographs.
        names: what the file names mean.
        of_photographs: what was guessed of their names, and how many are there, in sentences.
        ledger: why others are not.
        foreseen: the ledger with those dropped whose photographs are not there, or mean no one.
    """

    annotations: Annotations
    selection: Selection
    images: ImageSource
    names: FoundNames
    of_photographs: tuple[str, ...]
    ledger: pa.Table
    foreseen: pa.Table

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was guessed or found out, and what looks wrong, in sentences."""
        return (*self.annotations.notes, *self.of_photographs, *self.selection.notes)


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
    refused = has_too_many_faults(judged.foreseen, config.select.max_bad_fraction)
    if not (refused and is_complete(config.out, files)):
        claim_folder(config.out, mark, files)
    if refused:
        _refuse(config, judged, files)
    return _write_start(config, judged, files)


def judge_build(config: BuildConfig, files: FileStore) -> JudgedBuild:
    """Read the annotations, and check everything but the share of faults. Nothing is written.

    Raises:
        CocoprepError: as `open_sources`, `map_sources`, `select_people`, `probe_images` and `check_output`.
    """
    opened = open_sources(config, files)
    annotations = _annotations(opened, config)
    images, names = photographs_of(opened), names_of(opened)
    sizes = SizeReader(lambda: Refusing(images, names.refused), config.exif)
    selection = select_people(annotations, config.select, config.crop, sizes)
    missing = find_missing(selection, names)
    for source in config.each_source:
        probe_images(source, images, selection, missing)
    sources = [source.name for source in annotations.sources]
    ledger = make_ledger(selection.entries, config.split, selection.num_shards, sources)
    notes = (*names.notes, *_missing_note(selection, missing))
    judged = JudgedBuild(annotations, selection, images, names, notes, ledger, drop_faulty_images(ledger, missing))
    check_output(config, _parts(config, judged), files)
    return judged


def _annotations(opened: Sequence[OpenSource], config: BuildConfig) -> Annotations:
    first = opened[0]
    if first.source.name:
        return join_sources(opened, map_sources(opened, config))
    annotations = annotations_of(first.file, replace(first.source, name=config.split), first.leaked)
    return replace(annotations, excluded=find_excluded(first, annotations.entries))


def _parts(config: BuildConfig, judged: JudgedBuild) -> dict[str, Any]:
    table, sources = judged.annotations.joints.table, judged.annotations.sources
    return fingerprint_parts(config, judged.selection.num_shards, table, has_origin=bool(sources))


def _write_start(config: BuildConfig, judged: JudgedBuild, files: FileStore) -> tuple[StartedBuild, list[PackedShard]]:
    annotations, selection = judged.annotations, judged.selection
    table = annotations.joints.table
    shards = deal_shards(selection, config.select.seed)
    ledger = encode_ledger(judged.ledger)
    truth = encode_ground_truth(
        selection.listed_images,
        selection.entries,
        annotations.joints,
        annotations.source_ids,
        crowd_index=annotations.crowd_index,
    )
    digests = tuple(map(annotations_digest, shards))
    content = PlannedContent(digests, digest_bytes(ledger), digest_bytes(truth), judged.notes, annotations.sources)
    parts = _parts(config, judged)
    plan = seal_plan(parts, content)
    prepare_output(config, selection.num_shards, plan, files)
    write_whole(config.out, LEDGER, ledger, files)
    write_whole(config.out, GROUND_TRUTH, truth, files)
    counts = StartedBuild(
        selection.num_shards,
        len(selection.groups),
        selection.people,
        len(judged.ledger),
        count_dropped(judged.ledger),
        table.category,
    )
    of_plan, made_by = digest_bytes(plan).sha256, fingerprint_of(parts)
    return counts, [
        pack_shard(of_plan, made_by, len(table), groups, refused=judged.names.refused, images=judged.images)
        for groups in shards
    ]


def _refuse(config: BuildConfig, judged: JudgedBuild, files: FileStore) -> NoReturn:
    """End a build for its faults; where that costs no finished build, leave the ledger that lists them."""
    listed_in = None
    if not is_complete(config.out, files):
        num_shards = judged.selection.num_shards
        plan = seal_plan(_parts(config, judged), None)
        prepare_output(config, num_shards, plan, files)
        write_whole(config.out, LEDGER, encode_ledger(judged.foreseen), files)
        listed_in = files.join(config.out, LEDGER)
    raise refusal(config, judged, listed_in=listed_in)


def refusal(config: BuildConfig, judged: JudgedBuild, *, listed_in: str | None = None) -> BuildError:
    """Return the error of a build that has too many faults. `listed_in` is the ledger, where it was written."""
    error = too_many_faults(judged.foreseen, config.select.max_bad_fraction, config.read_from, listed_in=listed_in)
    told = judged.of_photographs if count_dropped(judged.foreseen)[DropReason.IMAGE] else ()
    return BuildError(" ".join([str(error), *(f"{note[0].upper()}{note[1:]}." for note in told)]))


def find_missing(selection: Selection, names: FoundNames) -> dict[int, str]:
    """Return the images with people kept whose photograph is not there, or whose name means no one; and why."""
    why = names.absent | names.refused
    images = (group.image for group in selection.groups)
    return {image.image_id: why[image.file_name] for image in images if image.file_name in why}


def probe_images(source: Source, images: ImageSource, selection: Selection, missing: Mapping[int, str]) -> None:
    """Look for a photograph of a source that can be read: a drive that is not mounted must not cost earlier shards.

    Nor may it pass as a small share of faults because other sources are larger.

    Raises:
        ConfigError: none of the photographs is there, or none of those that were tried can be read.
    """
    option, within = (f"--source {source.name}", f"{source.name}/") if source.name else ("--images", "")
    wanted = [group.image for group in selection.groups if group.image.file_name.startswith(within)]
    if not wanted:
        return
    there = [image.file_name for image in wanted if image.image_id not in missing]
    if not there:
        held = list(islice((name for name in images.names() if name.startswith(within)), 3))
        holds = (
            f"What is there: {', '.join(map(shown, held))}. Is"
            if held
            else "Nothing is there. Is the drive mounted, and is"
        )
        raise ConfigError(
            f"{option}: none of {len(wanted)} photographs can be read from {source.images} "
            f"({missing[wanted[0].image_id]}). {holds} it the folder, zip or tar that belongs to the annotations?"
        )
    tried = there[:: -(-len(there) // PROBES)]
    for name in tried:
        try:
            images.read(name)
        except ImageError as error:
            last = error
        else:
            return
    raise ConfigError(
        f"{option}: of {len(there)} photographs that are in {source.images}, none of {len(tried)} tried can be read "
        f"(the last: {last})."
    )


def _missing_note(selection: Selection, missing: Mapping[int, str]) -> list[str]:
    if not missing:
        return []
    count = len(selection.groups)
    return [f"photographs with people to crop: {count - len(missing)} of {count} are there"]
