"""The reference that `bench_build` compares with: a bare multiprocessing loop, no framework, no guarantees.

`python -m benchmarks.bare_loop ANNOTATIONS IMAGES OUT WORKERS`. It does the same work per crop (same stored size, same
heatmaps, same zlib strategy, same Example, same framing), but keeps no order, no ledger, no digest and no resume.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from cocoprep.coco.annotations import ImageInfo, Person
from cocoprep.crops.person import crop_person
from cocoprep.crops.pixels import decode_image
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.record import encode_example
from cocoprep.shards.tfrecord import write_records

CHUNK = 32


def _person(annotation: dict[str, Any]) -> Person:
    import numpy as np

    keypoints = np.array(annotation["keypoints"], "<f4")
    bbox = tuple(annotation["bbox"])
    return Person(annotation["id"], bbox, annotation["area"], False, annotation["num_keypoints"], keypoints.tobytes())


def _build_chunk(task: tuple[list[tuple[dict[str, Any], list[dict[str, Any]]]], str, str]) -> int:
    chunk, images, out = task
    crop, records = CropConfig(), []
    for entry, people in chunk:
        info = ImageInfo(entry["id"], entry["file_name"], entry["width"], entry["height"])
        photograph = decode_image(Path(images, info.file_name).read_bytes(), info)
        records += [encode_example(crop_person(photograph, info, _person(a), crop)) for a in people]
    with open(os.path.join(out, f"{os.getpid()}.tfrecord"), "ab") as stream:
        write_records(stream, records)
    return len(records)


def main() -> None:
    """Build the crops and print how many there were."""
    annotations, images, out, workers = sys.argv[1:5]
    os.makedirs(out, exist_ok=True)
    with open(annotations) as stream:
        coco = json.load(stream)
    people = defaultdict(list)
    for annotation in coco["annotations"]:
        if annotation["num_keypoints"]:
            people[annotation["image_id"]].append(annotation)
    listed = [(image, people[image["id"]]) for image in coco["images"] if image["id"] in people]
    tasks = [(listed[i : i + CHUNK], images, out) for i in range(0, len(listed), CHUNK)]
    with Pool(int(workers)) as pool:
        print(sum(pool.imap_unordered(_build_chunk, tasks)))


if __name__ == "__main__":
    main()
