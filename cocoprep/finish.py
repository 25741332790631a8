"""The last step of a build: account for every annotation, then write ledger, ground truth, baseline and manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from cocoprep.annotations import ImageInfo
from cocoprep.baseline import measure_baseline
from cocoprep.config import BuildConfig, SelectConfig
from cocoprep.errors import BuildError
from cocoprep.files import FileStore
from cocoprep.ground_truth import ground_truth_pieces
from cocoprep.keypoints import KeypointTable
from cocoprep.ledger import apply_image_faults, ledger_bytes
from cocoprep.manifest import (
    BASELINE,
    GROUND_TRUTH,
    LEDGER,
    MANIFEST,
    PLAN,
    Counts,
    FileDigest,
    Manifest,
    ShardEntry,
    digest_file,
    fingerprint,
    fingerprint_parts,
    seal,
)
from cocoprep.selection import FAULTS, DropReason, Entry, ImagePeople, Selection
from cocoprep.shards import shard_name
from cocoprep.sidecars import SIDECAR_SUFFIX, Sidecar, read_sidecar, unpack_array

MAX_FAULTS_SHOWN = 5


def finish_build(
    config: BuildConfig, selection: Selection, built: Iterable[str], table: KeypointTable, files: FileStore
) -> Manifest:
    """Complete a folder whose shards are all written.

    Args:
        config: of the build.
        selection: made anew from the annotation file.
        built: the names of the shards that the build reports as done.
        table: the joints.
        files: where the folder lies.

    Raises:
        BuildError: a shard or a person is unaccounted for, or the share of faults is too large.
    """
    sidecars = _read_sidecars(config, selection.num_shards, built, files)
    faults = {fault.image_id: fault.detail for sidecar in sidecars for fault in sidecar.faults}
    entries = apply_image_faults(selection.entries, faults)
    groups = [group for group in selection.groups if group.image.image_id not in faults]
    _account(entries, sidecars, config.annotations)
    # The ledger comes before the verdict: where the build is refused, it says which annotations were at fault.
    _write(config, LEDGER, [ledger_bytes(entries, config.split, selection.num_shards)], files)
    check_faults(entries, config.select, config.annotations)
    _require_people(groups, entries)
    _write(config, GROUND_TRUTH, ground_truth_pieces(_listed_images(selection, config), entries, table), files)
    _write(config, BASELINE, [_baseline(sidecars, groups, config, table)], files)
    manifest = _manifest(config, sidecars, entries, table, files)
    _write(config, MANIFEST, [seal(manifest)], files)
    return manifest


def check_faults(entries: Sequence[Entry], select: SelectConfig, path: str) -> None:
    """Raise BuildError where the share of faulty annotations exceeds `max_bad_fraction`."""
    bad = [entry for entry in entries if entry.reason in FAULTS]
    if len(bad) <= select.max_bad_fraction * len(entries):
        return
    counts = ", ".join(f"{n} {reason}" for reason, n in Counter(entry.reason for entry in bad).most_common())
    shown = "".join(
        f"\n  row {e.row}, annotation {e.annotation_id}: {e.reason}: {e.detail}" for e in bad[:MAX_FAULTS_SHOWN]
    )
    more = f"\n  and {len(bad) - MAX_FAULTS_SHOWN} more" if len(bad) > MAX_FAULTS_SHOWN else ""
    raise BuildError(
        f"{path}: {len(bad)} of {len(entries)} annotations are faulty ({counts}), more than the share of "
        f"{select.max_bad_fraction:g} that --max-bad-fraction allows:{shown}{more}\n"
        "Mend the data, or raise --max-bad-fraction to drop these annotations."
    )


def _require_people(groups: Sequence[ImagePeople], entries: Sequence[Entry]) -> None:
    if not groups:
        counts = Counter(str(entry.reason) for entry in entries)
        raise BuildError(f"no person is left of {len(entries)} annotations ({dict(counts)}): no photograph was usable.")


def _read_sidecars(config: BuildConfig, num_shards: int, built: Iterable[str], files: FileStore) -> list[Sidecar]:
    expected = [shard_name(config.split, index, num_shards) for index in range(num_shards)]
    found = Counter(built)
    if found != Counter(expected):
        missing = [name for name in expected if name not in found]
        raise BuildError(
            f"the engine lost work: expected {num_shards} shards, each once, found {sum(found.values())}; missing "
            f"{missing[:3]}. Nothing is marked complete; run the same command again."
        )
    sidecars = [read_sidecar(config.out, name, files) for name in expected]
    absent = [name for name, sidecar in zip(expected, sidecars, strict=True) if sidecar is None]
    if absent:
        raise BuildError(f"{config.out}: the sidecars of {absent[:3]} vanished during the build. Run it again.")
    return [sidecar for sidecar in sidecars if sidecar is not None]


def _account(entries: Sequence[Entry], sidecars: Sequence[Sidecar], path: str) -> None:
    """Raise BuildError unless the people in the shards are exactly those that the ledger calls kept."""
    kept = sorted(e.annotation_id for e in entries if e.reason is None and e.annotation_id is not None)
    written = sorted(number for sidecar in sidecars for number in sidecar.annotation_ids)
    if kept != written:
        odd = sorted(set(kept) ^ set(written))[:5]
        raise BuildError(
            f"{path}: {len(kept)} annotations kept, but {len(written)} in the shards (for example {odd}). Did the "
            "annotation file change during the build? Run the same command again."
        )


def _listed_images(selection: Selection, config: BuildConfig) -> list[ImageInfo]:
    if config.select.limit is None:
        return list(selection.images.values())
    return [group.image for group in selection.groups]


def _baseline(
    sidecars: Sequence[Sidecar], groups: Sequence[ImagePeople], config: BuildConfig, table: KeypointTable
) -> bytes:
    shape = (*config.crop.heatmap_size, len(table))
    sums = np.zeros(shape, np.int64)
    for sidecar in sidecars:
        sums += unpack_array(sidecar.heatmap_sums, np.uint32, shape)
    labelled = np.sum([sidecar.labelled for sidecar in sidecars], axis=0)
    return measure_baseline(sums, labelled, groups, config.crop).to_npz()


def _write(config: BuildConfig, name: str, pieces: Iterable[bytes], files: FileStore) -> None:
    with files.create(files.join(config.out, name)) as stream:
        stream.writelines(pieces)


def _manifest(
    config: BuildConfig,
    sidecars: Sequence[Sidecar],
    entries: Sequence[Entry],
    table: KeypointTable,
    files: FileStore,
) -> Manifest:
    def digest(name: str) -> FileDigest:
        return digest_file(files.join(config.out, name), files)

    parts = fingerprint_parts(config, len(sidecars), table)
    dropped = Counter(entry.reason for entry in entries)
    return Manifest(
        format="cocoprep",
        fingerprint=fingerprint(parts),
        counts=Counts(
            annotations=len(entries),
            people=dropped.pop(None, 0),
            dropped={reason.value: dropped[reason] for reason in DropReason},
            images=len({entry.image_id for entry in entries if entry.reason is None}),
        ),
        shards=tuple(
            ShardEntry(s.shard, s.examples, s.bytes, s.sha256, digest(s.shard + SIDECAR_SUFFIX)) for s in sidecars
        ),
        files={name: digest(name) for name in (PLAN, LEDGER, GROUND_TRUTH, BASELINE)},
        source={"annotations": config.annotations, "images": config.images},
        **parts,
    )
