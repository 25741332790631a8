"""The manifest: what a folder of shards holds, how it was made, and the digests of its files.

A folder that has a manifest is complete. Nothing in it depends on the time; on the machine depend the paths under
`source`, and the `versions`.
"""

from __future__ import annotations

import hashlib

import msgspec

from cocoprep.checks import shown
from cocoprep.crops.exif_rule import Exif
from cocoprep.errors import CocoprepError, RecordError
from cocoprep.shards.drop_reasons import DropReason
from cocoprep.shards.names import (
    GROUND_TRUTH,
    LISTED_FILES,
    MANIFEST,
    SIDECAR_SUFFIX,
    TFDS_FILES,
    is_split_name,
    shard_name,
)
from cocoprep.shards.record import SCHEMA_VERSION
from cocoprep.shards.seal import unseal
from cocoprep.shards.settings import (
    CropRecord,
    FeatureRecord,
    KeypointRecord,
    SelectRecord,
    SourceRecord,
    crop_record,
    table_of,
)
from cocoprep.storage.store import FileDigest, FileStore

_LONGEST_SPLIT = 200  # with what a shard's name has besides, as long as a file's name may be
_LONGEST_PATH = 4096  # that Linux takes


class ShardEntry(msgspec.Struct, frozen=True):
    """One shard of the manifest: its file, its sidecar, and how many people it holds.

    `annotations` is the digest of its annotations, which its sidecar holds too; None of version 0.1.
    """

    name: str
    examples: int
    bytes: int
    sha256: str
    sidecar: FileDigest
    annotations: str | None = None


class Counts(msgspec.Struct, frozen=True):
    """What came of the annotations: `annotations` = `people` + the sum of `dropped`.

    Of the people kept, `joints` are labelled, of which `joints_outside_crop` lie outside of the canonical crop; None of
    version 0.1.
    """

    annotations: int
    people: int
    dropped: dict[str, int]
    images: int
    joints: int | None = None
    joints_outside_crop: int | None = None


class Manifest(msgspec.Struct, frozen=True):
    """What a folder of shards holds and how it was made.

    `notes` tell what was guessed of the annotation file and the photographs, and what looks wrong; `exif` whether
    photographs were taken as stored or upright; `follow_links`, written only where it is true, that links in their
    folder were followed out of it. `sources` are those of a build of several sources or categories, to which the
    records' `source` and `category_id` refer; of one of each there is none, and `source` says where it lay.
    """

    format: str
    schema_version: int
    split: str
    fingerprint: str
    counts: Counts
    crop: CropRecord
    select: SelectRecord
    keypoints: KeypointRecord
    features: tuple[FeatureRecord, ...]
    versions: dict[str, str]
    shards: tuple[ShardEntry, ...]
    files: dict[str, FileDigest]
    source: dict[str, str]
    notes: tuple[str, ...] = ()
    exif: Exif = "auto"
    sources: tuple[SourceRecord, ...] = ()
    follow_links: bool | msgspec.UnsetType = msgspec.UNSET


def records_digest(manifest: Manifest) -> str:
    """Return a digest of how a folder was made and of its shards: equal digests, the same records.

    The fingerprint alone is equal for any input that is built in the same way.
    """
    parts = [manifest.fingerprint, *(shard.sha256 for shard in manifest.shards)]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def listed_files(manifest: Manifest) -> dict[str, FileDigest]:
    """Return all that belongs to a folder besides its manifest, by name: summaries, sidecars, shards."""
    sidecars = {shard.name + SIDECAR_SUFFIX: shard.sidecar for shard in manifest.shards}
    shards = {shard.name: FileDigest(shard.bytes, shard.sha256) for shard in manifest.shards}
    return {**manifest.files, **sidecars, **shards}


def photograph_paths(manifest: Manifest, images: str | None = None) -> dict[str, str]:
    """Return where the photographs of a build lay, by the name of their source; `images` is where they are now.

    Of several sources, `images` has a folder of each one's name.
    """
    path = images or manifest.source["images"]
    return {"": path} if path else {source.name: source.images for source in manifest.sources}


def annotation_paths(manifest: Manifest) -> str:
    """Return the paths of the annotation files of a build, for messages."""
    return manifest.source["annotations"] or ", ".join(source.annotations for source in manifest.sources)


def ceiling_basis(manifest: Manifest) -> str:
    """Return a digest of what a codec ceiling is measured on: the sidecars and the ground truth."""
    parts = [manifest.files[GROUND_TRUTH].sha256, *(shard.sidecar.sha256 for shard in manifest.shards)]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def read_manifest(folder: str, files: FileStore) -> Manifest:
    """Read and check a folder's manifest.

    Raises:
        RecordError: no manifest (the folder is not complete), a damaged one, or one of another schema version.
    """
    path = files.join(folder, MANIFEST)
    if not files.exists(path):
        raise RecordError(
            f"{folder}: no {MANIFEST}. Expected a folder that `cocoprep build` has finished; if a build was "
            "interrupted, run the same command again."
        )
    try:
        data = files.read_bytes(path)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror or error}).") from error
    body = unseal(data, path)
    if body.get("format") != "cocoprep" or body.get("schema_version") != SCHEMA_VERSION:
        raise RecordError(
            f"{path}: expected schema version {SCHEMA_VERSION}, found {shown(body.get('schema_version'))}. Build the "
            "shards again with this version of cocoprep, or read them with the version that made them."
        )
    try:
        manifest = msgspec.convert(body, Manifest)
        _check_content(manifest)
    except (msgspec.ValidationError, CocoprepError, IndexError, ValueError) as error:
        raise RecordError(
            f"{path}: no build has written this ({error}). Its digest is right, so it is not damaged but made: build "
            "the folder again, or take it from somebody whom you trust."
        ) from error
    return manifest


def _check_content(manifest: Manifest) -> None:
    """Refuse what no build writes: above all, names of files that lead out of the folder.

    Raises:
        CocoprepError: or IndexError or ValueError, saying what.
    """
    if not is_split_name(manifest.split) or len(manifest.split) > _LONGEST_SPLIT:
        raise RecordError(f"split {manifest.split!r:.100}")
    if set(manifest.source) != {"annotations", "images"} or max(map(len, manifest.source.values())) > _LONGEST_PATH:
        raise RecordError("source: expected the paths of annotations and images")
    for index, shard in enumerate(manifest.shards):
        expected = shard_name(manifest.split, index, len(manifest.shards))
        if shard.name != expected:
            raise RecordError(f"shards[{index}]: expected {expected}, found {shard.name!r:.100}")
    listed = {*LISTED_FILES, *(TFDS_FILES if set(TFDS_FILES) & set(manifest.files) else ())}  # of 0.1.0 there are none
    if set(manifest.files) != listed:
        raise RecordError(f"files: expected {sorted(listed)}, found {sorted(manifest.files)!r:.200}")
    if crop_record(manifest.crop.config()) != manifest.crop:
        raise RecordError("crop: its sizes do not follow from one another")
    table_of(manifest.keypoints)
    _check_counts(manifest)
    _check_sources(manifest)


def _check_sources(manifest: Manifest) -> None:
    sources, joints = manifest.sources, set(manifest.keypoints.names)
    has_origin = any(feature.name == "source" for feature in manifest.features)
    if has_origin != bool(sources):
        raise RecordError(f"features and sources: of {len(sources)} sources, the records tell theirs: {has_origin}")
    if not sources:
        return
    if len({source.name for source in sources}) < len(sources):
        raise RecordError("sources: two have the same name")
    for source in sources:
        texts = (source.name, source.annotations, source.images, *(name for _, name in source.categories))
        if max(map(len, texts)) > _LONGEST_PATH or not joints.issuperset(source.joints):
            raise RecordError(f"sources: {source.name!r:.50}: a name or a path too long, or a joint that there is not")
        if not 0 < source.weight < 1e6:
            raise RecordError(f"sources: {source.name!r:.50}: a weight of {source.weight!r:.50}")
        if source.annotations_read != source.people + sum(source.dropped.values()):
            raise RecordError(f"sources: {source.name!r:.50}: people and dropped do not add up")
    counts = manifest.counts
    if sum(source.people for source in sources) != counts.people:
        raise RecordError(f"sources: their people are not {counts.people!r:.50} together")
    if sum(source.annotations_read for source in sources) != counts.annotations:
        raise RecordError(f"sources: their entries are not {counts.annotations!r:.50} together")


def _check_counts(manifest: Manifest) -> None:
    counts, shards = manifest.counts, manifest.shards
    joints, outside = counts.joints or 0, counts.joints_outside_crop or 0
    if not set(counts.dropped) <= {reason.value for reason in DropReason}:
        raise RecordError(f"counts: reasons for dropping that there are not, {sorted(counts.dropped)!r:.200}")
    sizes = (digest.bytes for digest in listed_files(manifest).values())
    numbers = (counts.people, counts.images, *counts.dropped.values(), *(s.examples for s in shards), *sizes)
    if not all(0 <= number < 1 << 63 for number in numbers):
        raise RecordError("a count or a size is below 0, or beyond all measure")
    if not 0 <= outside <= joints < 1 << 63:
        raise RecordError(f"counts: {outside!r:.50} joints outside of their crops, of {joints!r:.50}")
    if counts.people != sum(shard.examples for shard in shards):
        raise RecordError(f"counts: {counts.people} people, but the shards hold another number")
    if counts.annotations != counts.people + sum(counts.dropped.values()):
        raise RecordError(f"counts: people and dropped do not add up to {counts.annotations!r:.50} annotations")
