"""What many do today: photographs opened, cropped and drawn upon in every epoch, by OpenCV and torch's DataLoader.

`python -m benchmarks.torch_loader ANNOTATIONS IMAGES [--augment] [--seconds S]`, in an environment that has torch,
OpenCV and NumPy and nothing of ours. Prints people per second, cropped to 256 x 256, normalised, with heatmaps of
64 x 64 at sigma 2. The steps are those of the published loaders of Sun et al. 2019 ("Deep High-Resolution
Representation Learning") and of Newell et al. 2016.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

SIZE, HEATMAP, SIGMA, BBOX_SCALE = 256, 64, 2, 1.25
MEAN, STDDEV = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
SWAP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
BATCH = 64
WARM_UP_BATCHES = 4


class Photographs:
    """The labelled people of an annotation file, each read from its photograph: a map-style data set."""

    def __init__(self, annotations: Path, images: Path, *, augment: bool) -> None:
        coco = json.loads(annotations.read_text())
        names = {image["id"]: str(images / image["file_name"]) for image in coco["images"]}
        kept = [a for a in coco["annotations"] if a["num_keypoints"] > 0 and not a["iscrowd"]]
        self.people = [
            (names[a["image_id"]], a["bbox"], np.array(a["keypoints"], np.float32).reshape(-1, 3)) for a in kept
        ]
        self.augment = augment

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        path, (x, y, width, height), keypoints = self.people[index]
        read = cv2.imread(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        assert read is not None, path
        image = cv2.cvtColor(read, cv2.COLOR_BGR2RGB)
        centre, side, degrees = np.array([x + width / 2, y + height / 2]), max(width, height) * BBOX_SCALE, 0.0
        keypoints = keypoints.copy()
        if self.augment:
            rng = np.random.default_rng()
            side *= rng.uniform(0.88, 1.2)
            degrees = rng.uniform(-30, 30) if rng.random() < 0.6 else 0.0
            if rng.random() < 0.5:
                image = image[:, ::-1].copy()
                keypoints[:, 0] = image.shape[1] - keypoints[:, 0] - 1
                keypoints, centre = keypoints[SWAP], np.array([image.shape[1] - centre[0], centre[1]])
        matrix = cv2.getRotationMatrix2D(tuple(centre), degrees, SIZE / side)
        matrix[:, 2] = matrix[:, 2] + SIZE / 2 - centre
        crop = cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
        if self.augment:
            crop = colour_jitter(crop, rng)
        points = keypoints[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        target, weight = draw_heatmaps(points / (SIZE / HEATMAP), keypoints[:, 2])
        normalised = (crop.astype(np.float32) / 255 - MEAN) / STDDEV
        return (
            torch.from_numpy(normalised.transpose(2, 0, 1).copy()),
            torch.from_numpy(target),
            torch.from_numpy(weight),
        )


def colour_jitter(image: Any, rng: Any) -> Any:
    """Change brightness, contrast and saturation, and add noise."""
    pixels = image.astype(np.float32)
    grey = pixels @ LUMA
    pixels = grey[..., None] + (pixels - grey[..., None]) * rng.uniform(0.75, 1.25)
    pixels = (pixels - 127.5) * rng.uniform(0.75, 1.25) + 127.5 + 255 * rng.uniform(-0.15, 0.15)
    pixels += rng.standard_normal(pixels.shape, np.float32) * rng.uniform(0, 4)
    return pixels.clip(0, 255).astype(np.uint8)


def draw_heatmaps(points: Any, visibility: Any) -> tuple[Any, Any]:
    """Return (K, h, w) float32 maps, a Gaussian patch at each joint, and (K,) weights."""
    maps, weight = np.zeros((len(points), HEATMAP, HEATMAP), np.float32), (visibility > 0).astype(np.float32)
    reach = 3 * SIGMA
    grid = np.arange(2 * reach + 1, dtype=np.float32)
    patch = np.exp(-((grid - reach) ** 2 + (grid[:, None] - reach) ** 2) / (2 * SIGMA**2))
    for k, (x, y) in enumerate(points):
        left, top = math.floor(x + 0.5) - reach, math.floor(y + 0.5) - reach
        if left >= HEATMAP or top >= HEATMAP or left + len(grid) <= 0 or top + len(grid) <= 0:
            weight[k] = 0
        elif weight[k]:
            rows = slice(max(0, top), min(HEATMAP, top + len(grid)))
            columns = slice(max(0, left), min(HEATMAP, left + len(grid)))
            cut = patch[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            maps[k, rows, columns] = cut
    return maps, weight


def quiet_worker(_: int) -> None:
    """Keep OpenCV from starting threads beside the loader's processes."""
    cv2.setNumThreads(0)


def main() -> None:
    """Load for some seconds and print the rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--augment", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    chosen = parser.parse_args()
    dataset = Photographs(chosen.annotations, chosen.images, augment=chosen.augment)
    workers = len(os.sched_getaffinity(0))
    loader = DataLoader(dataset, BATCH, shuffle=True, num_workers=workers, drop_last=True, worker_init_fn=quiet_worker)
    batches = iter(loader)
    for _ in range(WARM_UP_BATCHES):
        next(batches)
    started, count = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < chosen.seconds:
        try:
            next(batches)
            count += BATCH
        except StopIteration:
            batches = iter(loader)
    versions = {"torch": torch.__version__, "opencv": cv2.__version__, "workers": workers}
    print(json.dumps({"people_per_second": count / seconds, **versions}))


if __name__ == "__main__":
    main()
