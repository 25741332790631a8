"""The last step of a build: account for every annotation, complete the ledger, write baseline and manifest."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.fingerprint import fingerprint_of, fingerprint_parts
from cocoprep.builder.gather import Gathered, gather
from cocoprep.builder.output import another_build, find_foreign_file, unmark_if_mixed, write_whole
from cocoprep.builder.shard_writer import WrittenShard
from cocoprep.crops.orientation import ExifTally, exif_notes
from cocoprep.errors import BuildError, CocoprepError
from cocoprep.evaluation.baseline import Baseline, measure_baseline
from cocoprep.shards.ledger import check_faults, count_dropped, count_source, drop_faulty_images, encode_ledger
from cocoprep.shards.manifest import Counts, Manifest, ShardEntry
from cocoprep.shards.names import BASELINE, GROUND_TRUTH, LEDGER, MANIFEST, PLAN, SIDECAR_SUFFIX
from cocoprep.shards.seal import seal
from cocoprep.shards.settings import feature_records
from cocoprep.shards.sidecar import Sidecar
from cocoprep.shards.tfds_files import tfds_files
from cocoprep.storage.digests import digest_bytes
from cocoprep.storage.store import FileDigest, FileStore


def finish_build(config: BuildConfig, written: Sequence[WrittenShard], files: FileStore) -> Manifest:
    """Complete a folder whose shards are all written.

    Args:
        config: of the build.
        written: what the build's own workers tell of its shards, in any order.
        files: where the folder lies.

    Raises:
        BuildError: a shard or a person is unaccounted for, another build wrote into the folder, or the share of faults
            is too large. Where another build's manifest is there and the folder no longer as it says, it is removed.
    """
    try:
        manifest = _complete(config, gather(config, written, files), files)
        # Another build may have written between the check and the manifest; from here on, it finds the manifest.
        foreign = find_foreign_file(config.out, manifest, files)
        if foreign is not None:
            raise another_build(config.out, foreign)
    except CocoprepError:
        unmark_if_mixed(config.out, files)
        raise
    return manifest


def _complete(config: BuildConfig, build: Gathered, files: FileStore) -> Manifest:
    faults = {fault.image_id: fault.detail for sidecar in build.sidecars for fault in sidecar.faults}
    ledger = drop_faulty_images(build.ledger, faults)
    _account(ledger, build.sidecars)
    # The ledger comes before the verdict: where the build is refused, it says which annotations were at fault.
    made = {LEDGER: _write(config, LEDGER, encode_ledger(ledger), files)}
    listed_in = files.join(config.out, LEDGER)
    check_faults(ledger, config.select.max_bad_fraction, config.read_from, listed_in=listed_in)
    if not any(sidecar.examples for sidecar in build.sidecars):
        raise BuildError(
            f"{config.looked_in}: no photograph was usable, so no {build.table.noun.one} is left. {LEDGER} says why."
        )
    # The shards are synced as they are made; those kept from an earlier build may not be.
    for sidecar in build.sidecars:
        files.sync(files.join(config.out, sidecar.shard))
        files.sync(files.join(config.out, sidecar.shard + SIDECAR_SUFFIX))
    baseline = measure_baseline(build.sidecars, config.crop, len(build.table))
    made[BASELINE] = _write(config, BASELINE, baseline.to_npz(), files)
    features = feature_records(has_origin=bool(build.content.sources))
    for name, data in tfds_files(config.split, features, config.crop, len(build.table), build.sidecars).items():
        made[name] = _write(config, name, data, files)
    # Digests of what this build knows, not of what lies there now: what another one replaces from here on is found.
    manifest = _manifest(config, build, ledger, baseline, {**made, PLAN: build.plan})
    _write(config, MANIFEST, seal(manifest), files)
    return manifest


def _write(config: BuildConfig, name: str, data: bytes, files: FileStore) -> FileDigest:
    write_whole(config.out, name, data, files)
    return digest_bytes(data)


def _account(ledger: pa.Table, sidecars: Sequence[Sidecar]) -> None:
    """Raise BuildError unless the people in the shards are exactly those that the ledger calls kept."""
    kept = np.sort(ledger.filter(ledger["kept"])["annotation_id"].to_numpy())
    written = np.sort(np.concatenate([np.array(sidecar.annotation_ids, np.int64) for sidecar in sidecars]))
    if not np.array_equal(kept, written):
        odd = np.setxor1d(kept, written)[:5].tolist()
        raise BuildError(
            f"{len(kept)} annotations kept, but {len(written)} in the shards (for example {odd}). Nothing is marked "
            "complete; run the same command again."
        )


def _manifest(
    config: BuildConfig, build: Gathered, ledger: pa.Table, baseline: Baseline, made: dict[str, FileDigest]
) -> Manifest:
    """Return the manifest. `made` holds the digests of the files beside the shards, but for the ground truth."""
    sources = build.content.sources
    parts = fingerprint_parts(config, len(build.sidecars), build.table, has_origin=bool(sources))
    lying = ExifTally()
    for sidecar in build.sidecars:
        lying.add(sidecar.exif or ExifTally())
    return Manifest(
        format="cocoprep",
        fingerprint=fingerprint_of(parts),
        counts=Counts(
            annotations=len(ledger),
            people=sum(sidecar.examples for sidecar in build.sidecars),
            dropped=count_dropped(ledger),
            images=len(ledger.filter(ledger["kept"])["image_id"].unique()),
            joints=int(baseline.labelled.sum()),
            joints_outside_crop=sum(sidecar.joints_outside_crop for sidecar in build.sidecars),
        ),
        shards=tuple(
            ShardEntry(s.shard, s.examples, s.bytes, s.sha256, digest, s.annotations)
            for s, digest in zip(build.sidecars, build.sidecar_digests, strict=True)
        ),
        files={**made, GROUND_TRUTH: build.content.ground_truth},
        notes=(*build.content.notes, *exif_notes(lying, config.exif)),
        source={"annotations": config.annotations, "images": config.images},
        sources=tuple(count_source(one, ledger) for one in sources),
        follow_links=config.follow_links or msgspec.UNSET,
        **parts,
    )
