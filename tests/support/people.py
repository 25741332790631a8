"""A small data set of people on noise, for tests that need several people over several shards; folders built of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from tests.support.building import build_folder, write_coco

SIZE = (96, 80)


def write_people(folder: Path, *, images: int = 10, people: int = 3, seed: int = 0) -> tuple[Path, Path]:
    """Write `images` photographs of `people` each; return annotation file and folder. Ids start at 1 and 101.

    The first person of every image has no labelled joint.
    """
    rng = np.random.default_rng(seed)
    pictures, annotations = {}, []
    for image_id in range(1, images + 1):
        width, height = SIZE
        pictures[image_id] = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        for number in range(people):
            x, y, w, h = (int(v) for v in (*rng.integers(0, 40, 2), *rng.integers(24, 40, 2)))
            points = np.column_stack([rng.integers(x, x + w, 17), rng.integers(y, y + h, 17), rng.integers(0, 3, 17)])
            points[0, 2] = 2
            points[points[:, 2] == 0] = 0
            annotations.append(
                {
                    "id": 100 + len(annotations) + 1,
                    "image_id": image_id,
                    "bbox": [x, y, w, h],
                    "area": w * h * 0.6,
                    "keypoints": points.ravel().tolist() if number else [0] * 3 * len(COCO_17),
                }
            )
    return write_coco(folder, pictures, annotations)


def build_people(
    root: Path, *, images: int = 10, size: tuple[int, int] = (64, 48), shards: int = 4, seed: int = 0
) -> Path:
    """Build a folder of two people an image; return it. The data set lies beside it, as `coco`."""
    annotations, photographs = write_people(root / "coco", images=images, seed=seed)
    build_folder(
        root / "out", annotations=annotations, images=photographs,
        crop=CropConfig(input_size=size), select=SelectConfig(shards=shards),
    )  # fmt: skip
    return root / "out"
