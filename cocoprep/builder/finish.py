"""The last step of a build: account for every annotation, complete the ledger, write baseline and manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.fingerprint import fingerprint_of, fingerprint_parts
from cocoprep.errors import BuildError
from cocoprep.evaluation.baseline import measure_baseline
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.ledger import check_faults, count_dropped, drop_faulty_images, read_ledger, write_ledger
from cocoprep.shards.manifest import Counts, Manifest, ShardEntry
from cocoprep.shards.names import BASELINE, LEDGER, LISTED_FILES, MANIFEST, SIDECAR_SUFFIX, shard_name
from cocoprep.shards.seal import seal
from cocoprep.shards.sidecar import Sidecar, read_sidecar
from cocoprep.storage.digests import digest_file
from cocoprep.storage.store import FileDigest, FileStore


def finish_build(
    config: BuildConfig, num_shards: int, built: Sequence[str], table: KeypointTable, files: FileStore
) -> Manifest:
    """Complete a folder whose shards are all written.

    Args:
        config: of the build.
        num_shards: how many shards there are.
        built: the names of the shards that the build reports as done.
        table: the joints.
        files: where the folder lies.

    Raises:
        BuildError: a shard or a person is unaccounted for, or the share of faults is too large.
    """
    sidecars = _read_sidecars(config, num_shards, built, files)
    made_by = fingerprint_of(fingerprint_parts(config, num_shards, table))
    if any(sidecar.fingerprint != made_by for sidecar in sidecars):
        raise BuildError(f"{config.out}: another build wrote into this folder at the same time. Run this one again.")
    faults = {fault.image_id: fault.detail for sidecar in sidecars for fault in sidecar.faults}
    ledger = drop_faulty_images(read_ledger(config.out, files), faults)
    _account(ledger, sidecars)
    # The ledger comes before the verdict: where the build is refused, it says which annotations were at fault.
    write_ledger(ledger, config.out, files)
    listed_in = files.join(config.out, LEDGER)
    check_faults(ledger, config.select.max_bad_fraction, config.annotations, listed_in=listed_in)
    if not any(sidecar.examples for sidecar in sidecars):
        raise BuildError(f"{config.images}: no photograph was usable, so no person is left. {LEDGER} says why.")
    for sidecar in sidecars:  # the shards are synced as they are made; those kept from an earlier build may not be
        files.sync(files.join(config.out, sidecar.shard))
        files.sync(files.join(config.out, sidecar.shard + SIDECAR_SUFFIX))
    baseline = measure_baseline(sidecars, config.crop, len(table))
    with files.create(files.join(config.out, BASELINE)) as stream:
        stream.write(baseline.to_npz())
    manifest = _manifest(config, sidecars, ledger, table, files)
    with files.create(files.join(config.out, MANIFEST)) as stream:
        stream.write(seal(manifest))
    return manifest


def _read_sidecars(config: BuildConfig, num_shards: int, built: Sequence[str], files: FileStore) -> list[Sidecar]:
    expected = [shard_name(config.split, index, num_shards) for index in range(num_shards)]
    if Counter(built) != Counter(expected):
        missing = [name for name in expected if name not in set(built)]
        raise BuildError(
            f"the engine lost work: expected {num_shards} shards, each once, found {len(built)}; missing {missing[:3]}."
            " Nothing is marked complete; run the same command again."
        )
    sidecars = [(name, read_sidecar(config.out, name, files)) for name in expected]
    absent = [name for name, sidecar in sidecars if sidecar is None]
    if absent:
        raise BuildError(f"{config.out}: the sidecars of {absent[:3]} vanished during the build. Run it again.")
    return [sidecar for _, sidecar in sidecars if sidecar is not None]


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
    config: BuildConfig, sidecars: Sequence[Sidecar], ledger: pa.Table, table: KeypointTable, files: FileStore
) -> Manifest:
    def digest(name: str) -> FileDigest:
        return digest_file(files.join(config.out, name), files)

    parts = fingerprint_parts(config, len(sidecars), table)
    return Manifest(
        format="cocoprep",
        fingerprint=fingerprint_of(parts),
        counts=Counts(
            annotations=len(ledger),
            people=sum(sidecar.examples for sidecar in sidecars),
            dropped=count_dropped(ledger),
            images=len(ledger.filter(ledger["kept"])["image_id"].unique()),
        ),
        shards=tuple(
            ShardEntry(s.shard, s.examples, s.bytes, s.sha256, digest(s.shard + SIDECAR_SUFFIX)) for s in sidecars
        ),
        files={name: digest(name) for name in LISTED_FILES},
        source={"annotations": config.annotations, "images": config.images},
        **parts,
    )
