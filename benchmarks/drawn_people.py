"""Input for benchmarks: drawn photographs, listed as often as it takes to reach a number of people."""

from __future__ import annotations

import json
from pathlib import Path

from cocoprep.builder.config import BuildConfig
from cocoprep.pose.crop_config import CropConfig
from cocoprep.sample import write_sample

PHOTOGRAPHS = 150


def write_input(folder: Path, crops: int) -> tuple[Path, Path]:
    """Return an annotation file of at least `crops` people with keypoints, and its folder of photographs.

    Each photograph is listed many times under ids of its own, so it is read, decoded and cropped as often.
    """
    write_sample(folder / "coco", images=PHOTOGRAPHS)
    coco = json.loads((folder / "coco" / "annotations" / "person_keypoints_train2017.json").read_text())
    labelled = sum(annotation["num_keypoints"] > 0 for annotation in coco["annotations"])
    copies = -(-crops // labelled)
    images, annotations = [], []
    for copy in range(copies):
        images += [{**image, "id": image["id"] * copies + copy} for image in coco["images"]]
        annotations += [
            {**a, "id": a["id"] * copies + copy, "image_id": a["image_id"] * copies + copy} for a in coco["annotations"]
        ]
    path = folder / f"annotations-{crops}.json"
    path.write_text(json.dumps({**coco, "images": images, "annotations": annotations}))
    return path, folder / "coco" / "train2017"


def build_sample(folder: Path, crops: int, input_size: int = 256) -> str:
    """Build shards of at least `crops` people, of so many pixels a side; return their folder."""
    from cocoprep.pipelines.local.run import run_local_build

    annotations, images = write_input(folder, crops)
    out = str(folder / "out")
    crop = CropConfig(input_size=(input_size, input_size))
    run_local_build(BuildConfig(split="bench", annotations=str(annotations), images=str(images), out=out, crop=crop))
    return out
