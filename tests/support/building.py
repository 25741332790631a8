"""Tiny data sets and built folders for tests: every step of a build, composed without an engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.builder.finish import finish_build
from cocoprep.builder.packing import PackedShard, images_of, unpack_shard
from cocoprep.builder.shard_writer import ShardOutcome, ShardWriter, WrittenShard
from cocoprep.builder.sources import open_photographs
from cocoprep.builder.start import start_build
from cocoprep.coco.sources import Source
from cocoprep.crops.exif_rule import Exif
from cocoprep.pipelines.counters import DROPPED
from cocoprep.pipelines.monitor import Progress, Workload
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.names import shard_name
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.store import FileStore


def keypoints(table: KeypointTable = COCO_17, **joints: tuple[float, float, int]) -> list[float]:
    """Return COCO's flat list from (x, y, visibility) by joint name; the joints not named are not labelled."""
    unknown = set(joints) - set(table.names)
    if unknown:
        raise ValueError(f"no such joints: {sorted(unknown)}")
    return [number for name in table.names for number in joints.get(name, (0, 0, 0))]


def write_coco(
    folder: Path,
    images: Mapping[int, Image.Image | tuple[int, int]],
    annotations: Iterable[Mapping[str, Any]],
    *,
    split: str = "train2017",
    table: KeypointTable = COCO_17,
) -> tuple[Path, Path]:
    """Write a data set in COCO's official layout; return the annotation file and the folder of photographs.

    Args:
        folder: to write into; made if need be.
        images: photographs by id; a (width, height) instead of a picture lists a photograph that is not there.
        annotations: entries with `id`, `image_id` and whatever matters; the rest is filled in so that the entry is a
            valid one, without labelled joints and with a box that covers the photograph.
        split: names the files.
        table: the joints.
    """
    photographs = folder / split
    photographs.mkdir(parents=True, exist_ok=True)
    sizes: dict[int, tuple[int, int]] = {}
    for image_id, picture in images.items():
        if isinstance(picture, Image.Image):
            picture.save(photographs / f"{image_id:012d}.jpg", quality=95, subsampling=0)
        sizes[image_id] = picture.size if isinstance(picture, Image.Image) else picture
    listed = [
        {"id": image_id, "file_name": f"{image_id:012d}.jpg", "width": width, "height": height}
        for image_id, (width, height) in sizes.items()
    ]
    category = {"id": 1, "name": "person", "keypoints": list(table.names), "skeleton": table.skeleton}
    entries = [_filled_in(entry, sizes, table) for entry in annotations]
    path = folder / "annotations" / f"person_keypoints_{split}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"images": listed, "annotations": entries, "categories": [category]}))
    return path, photographs


def build_folder(
    out: Path,
    *,
    annotations: Path | None = None,
    images: Path | None = None,
    sources: Sequence[Source] = (),
    split: str = "train2017",
    crop: CropConfig | None = None,
    select: SelectConfig | None = None,
    force: bool = False,
    table: KeypointTable | Literal["shared"] | None = None,
    category: str | None = None,
    follow_links: bool = False,
    exif: Exif = "auto",
    exclude: Path | None = None,
) -> Manifest:
    """Build a folder of shards in this process, as the pipeline does; return its manifest."""
    config = BuildConfig(
        split=split,
        annotations=str(annotations or ""),
        images=str(images or ""),
        sources=tuple(sources),
        out=str(out),
        crop=crop or CropConfig(),
        select=select or SelectConfig(),
        keypoints=table,
        category=category,
        exif=exif,
        force=force,
        follow_links=follow_links,
        exclude=None if exclude is None else str(exclude),
    )
    files = LocalFiles()
    _, packed = start_build(config, files)
    written = [write_shard(config, index, packed, files) for index in range(len(packed))]
    return finish_build(config, written, files)


def build_without_engine(
    config: BuildConfig,
    *,
    on_progress: Callable[[Workload | None, Progress], None],
    workers: int | None = None,
    beam_options: Sequence[str] = (),
    files: FileStore = AnyFiles(),
) -> dict[str, int]:
    """Do what `run_local_build` does by the same steps, but in this process and without Beam, which takes seconds."""
    assert not beam_options
    started, packed = start_build(config, files)
    outcomes = [_write_shard(config, index, packed, files) for index in range(len(packed))]
    manifest = finish_build(config, [outcome.written for outcome in outcomes], files)
    kept = [outcome.sidecar.examples for outcome in outcomes if outcome.kept]
    progress = Progress(started.images, manifest.counts.people, sum(kept), len(kept))
    on_progress(Workload(started.images, started.people, started.num_shards, started.category), progress)
    written = sum(outcome.sidecar.bytes for outcome in outcomes if not outcome.kept)
    counters = {"annotations_read": started.annotations, "people_kept": manifest.counts.people}
    counters |= {DROPPED + reason: amount for reason, amount in manifest.counts.dropped.items()}
    return counters | {"bytes_written": written, "shards_reused": len(kept)}


def write_shard(config: BuildConfig, index: int, shards: list[PackedShard], files: FileStore) -> WrittenShard:
    """Write one of the shards that the first step has packed, as a worker does."""
    return _write_shard(config, index, shards, files).written


def _write_shard(config: BuildConfig, index: int, shards: list[PackedShard], files: FileStore) -> ShardOutcome:
    writer = ShardWriter(
        folder=config.out,
        plan=shards[index].plan,
        fingerprint=shards[index].fingerprint,
        crop=config.crop,
        seed=config.select.seed,
        joints=shards[index].joints,
        exif=config.exif,
        images=images_of(shards[index], open_photographs(config, files)),
        files=files,
        on_progress=lambda images, crops: None,
    )
    return writer.write(shard_name(config.split, index, len(shards)), unpack_shard(shards[index]))


def _filled_in(entry: Mapping[str, Any], sizes: Mapping[int, tuple[int, int]], table: KeypointTable) -> dict[str, Any]:
    width, height = sizes.get(entry["image_id"], (1, 1))
    flat = entry.get("keypoints", [0] * 3 * len(table))
    defaults = {
        "category_id": 1,
        "bbox": [0, 0, width, height],
        "area": width * height / 2,
        "iscrowd": 0,
        "keypoints": flat,
        "num_keypoints": sum(map(bool, flat[2::3])) if isinstance(flat, list) else 0,
    }
    return {**defaults, **entry}
