"""What `build`, `build --dry-run`, `info` and `verify` write with `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cocoprep.evaluation.baseline import Baseline, read_baseline
from cocoprep.evaluation.ceiling import Ceiling
from cocoprep.pose.crop_config import estimated_record_bytes
from cocoprep.shards.ledger import count_source
from cocoprep.shards.manifest import Manifest, records_digest
from cocoprep.shards.settings import crop_record, keypoint_record
from cocoprep.storage.json_file import as_builtins, write_json

if TYPE_CHECKING:
    from cocoprep.builder.config import BuildConfig
    from cocoprep.builder.start import JudgedBuild
    from cocoprep.shards.verify import Verification
    from cocoprep.storage.store import FileStore


def write_folder_json(
    path: str,
    folder: str,
    manifest: Manifest,
    files: FileStore,
    *,
    ceiling: Ceiling | None,
    build: dict[str, float] | None = None,
) -> None:
    """Write what a built folder holds.

    Args:
        path: of the file.
        folder: as it was given.
        manifest: the folder's.
        files: where both lie.
        ceiling: what its heatmaps can score; None where it was not measured.
        build: how long the build took that has just run, by what took it.
    """
    content = folder_as_json(folder, manifest, ceiling=ceiling, baseline=read_baseline(folder, manifest, files))
    write_json(path, {**content, **({} if build is None else {"build": build})}, files)


def folder_as_json(folder: str, manifest: Manifest, *, ceiling: Ceiling | None, baseline: Baseline) -> dict[str, Any]:
    """Return what a built folder holds, as what JSON can hold: NaN as None."""
    content = {
        "folder": folder,
        "split": manifest.split,
        "fingerprint": manifest.fingerprint,
        "records": records_digest(manifest),
        "counts": manifest.counts,
        "sources": manifest.sources,
        "keypoints": manifest.keypoints,
        "notes": manifest.notes,
        "crop": manifest.crop,
        "shards": len(manifest.shards),
        "bytes": sum(shard.bytes for shard in manifest.shards),
        "codec_ceiling": None if ceiling is None else _ceiling(ceiling),
        "mean_guess": _guess(baseline, manifest),
    }
    return _as_json(content)


def plan_as_json(config: BuildConfig, judged: JudgedBuild) -> dict[str, Any]:
    """Return what a build would do."""
    selection, table = judged.selection, judged.annotations.joints.table
    content = {
        "dry_run": True,
        "folder": config.out,
        "split": config.split,
        "counts": {
            "annotations": len(selection.entries),
            "people": selection.people,
            "dropped": {str(reason): count for reason, count in selection.dropped.items()},
            "images": len(selection.groups),
        },
        "sources": [count_source(one, judged.foreseen) for one in judged.annotations.sources],
        "keypoints": keypoint_record(table),
        "notes": judged.notes,
        "crop": crop_record(config.crop),
        "shards": selection.num_shards,
        "bytes_estimated": estimated_record_bytes(config.crop) * selection.people,
    }
    return _as_json(content)


def verification_as_json(folder: str, found: Verification) -> dict[str, Any]:
    """Return what was looked at, and what is wrong with it: each problem with its file, record and annotation."""
    return {
        "folder": folder,
        "good": not found.problems,
        "shards": found.shards,
        "records": found.records,
        "bytes": found.bytes,
        "problems": [
            {"file": one.file, "record": one.record, "annotation_id": one.annotation_id, "what": one.what}
            for one in found.problems
        ],
    }


def _ceiling(ceiling: Ceiling) -> dict[str, Any]:
    return {"kept": ceiling.kept, "full": ceiling.full, "people_without_scale": ceiling.without_scale}


def _guess(baseline: Baseline, manifest: Manifest) -> dict[str, Any]:
    names = manifest.keypoints.names
    score = baseline.pck
    at = zip(score.thresholds, score.total.tolist(), score.per_joint.tolist(), strict=True)
    return {
        "people": baseline.people,
        "pck": {f"{t:g}": {"total": total, "per_joint": dict(zip(names, each, strict=True))} for t, total, each in at},
        "joints": dict(zip(names, score.joints.tolist(), strict=True)),
    }


def _as_json(content: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = as_builtins(msgspec.to_builtins(content))
    return plain
