"""Folders of several sources, made of a built folder of one: its people dealt to sources that label some joints."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from cocoprep.coco.annotations import ImageInfo, Origin
from cocoprep.crops.person import PersonCrop
from cocoprep.pose.affine import CropWindow
from cocoprep.shards.manifest import Manifest, ShardEntry, read_manifest
from cocoprep.shards.names import MANIFEST
from cocoprep.shards.record import encode_example, parse_example, unpack_heatmaps
from cocoprep.shards.seal import seal
from cocoprep.shards.settings import SourceRecord, feature_records
from cocoprep.shards.sidecar import read_sidecar, write_sidecar
from cocoprep.shards.tfrecord import read_records, write_records
from cocoprep.storage.digests import digest_file
from cocoprep.storage.local import LocalFiles

FILES = LocalFiles()


def deal_to_sources(
    folder: Path,
    to: Path,
    sources: Mapping[str, Sequence[str] | None],
    source_of: Callable[[int], int],
    *,
    weights: Mapping[str, float] | None = None,
) -> Path:
    """Copy a built folder as if it had been built of several sources; return the copy.

    Args:
        folder: a built one.
        to: the copy.
        sources: names of the joints that each labels, by its name; None for all. Labels of others are removed.
        source_of: tells the place of a person's source by annotation id.
        weights: of sources, by name; 1 where there is none.
    """
    shutil.copytree(folder, to)
    manifest = read_manifest(str(folder), FILES)
    names = manifest.keypoints.names
    labelled = [[joints is None or name in joints for name in names] for joints in sources.values()]
    shards = tuple(_rewrite(to, shard, manifest, np.array(labelled), source_of) for shard in manifest.shards)
    ids = [n for shard in shards for n in read_sidecar(str(to), shard.name, FILES).annotation_ids]
    counts = np.bincount([source_of(n) for n in ids], minlength=len(sources)).tolist()
    lost = [manifest.counts.dropped, *[dict[str, int]()] * (len(sources) - 1)]  # all of the first source
    records = tuple(
        SourceRecord(
            name=name, annotations=f"{name}.json", images=name, categories=((1, "person"),),
            joints=tuple(names if joints is None else joints), joint_map="", weight=(weights or {}).get(name, 1.0),
            annotations_read=count + sum(dropped.values()), people=count, dropped=dropped,
        )
        for (name, joints), count, dropped in zip(sources.items(), counts, lost, strict=True)
    )  # fmt: skip
    changed = replace(manifest, shards=shards, sources=records, features=feature_records(has_origin=True))
    (to / MANIFEST).write_bytes(seal(changed))
    return to


def _rewrite(
    folder: Path, shard: ShardEntry, manifest: Manifest, labelled: np.ndarray, source_of: Callable[[int], int]
) -> ShardEntry:
    path, joints = folder / shard.name, len(manifest.keypoints.names)
    with path.open("rb") as stream:
        people = [parse_example(record, joints) for record in read_records(stream)]
    records = []
    for person in people:
        source = source_of(person["annotation_id"])
        keep = labelled[source]
        heatmaps = unpack_heatmaps(person["heatmaps"], (*manifest.crop.heatmap_size, joints))
        crop = PersonCrop(
            image=ImageInfo(
                person["image_id"], person["file_name"].decode(), person["image_width"], person["image_height"]
            ),
            annotation_id=person["annotation_id"],
            jpeg=person["image"],
            heatmaps=heatmaps * keep.astype(np.uint8),
            keypoints=person["keypoints"] * keep[:, None].astype(np.float32),
            visibility=person["visibility"] * keep,
            window=CropWindow(*person["crop_window"].tolist()),
            bbox=tuple(person["bbox"].tolist()),
            area_px2=person["area"],
            origin=Origin(source, 1),
        )
        records.append(encode_example(crop))
    with path.open("wb") as stream:
        offsets = write_records(stream, records)
    digest = digest_file(str(path), FILES)
    sidecar = replace(
        read_sidecar(str(folder), shard.name, FILES), offsets=offsets, bytes=digest.bytes, sha256=digest.sha256,
        origins=[source_of(person["annotation_id"]) for person in people],
    )  # fmt: skip
    written = write_sidecar(str(folder), sidecar, FILES)
    return replace(shard, bytes=digest.bytes, sha256=digest.sha256, sidecar=written)
