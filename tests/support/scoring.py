"""Ground truths and predictions small enough to be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth, read_truth
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.storage.local import LocalFiles

# With sigma 0.1 and an area of 1000 a joint is as similar as exp(-d^2 / 80): 0.85 at 3.6 pixels, 0.5 at 7.4.
HANDS = KeypointTable(
    "hands",
    (Joint("head", "head", 0.1), Joint("left_hand", "right_hand", 0.1), Joint("right_hand", "left_hand", 0.1)),
    (("head", "left_hand"), ("head", "right_hand")),
)

# What a damaged JSON file may hold in place of what it held.
PIECES = (
    b"",
    b"0",
    b"-",
    b"e9",
    b"e999",
    b".",
    b'"',
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"null",
    b"NaN",
    b"\xff",
    b" ",
)


def person(number: int, *triples: tuple[float, float, int], image: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an annotation with joints (x, y, visibility); `fields` change its entries."""
    annotation = {
        "id": number, "image_id": image, "category_id": 1, "bbox": [0, 0, 100, 50], "area": 1000.0, "iscrowd": 0,
        "num_keypoints": sum(v > 0 for *_, v in triples), "keypoints": [n for triple in triples for n in triple],
    }  # fmt: skip
    return {**annotation, **fields}


def coco_of(*people: dict[str, Any], images: int | None = None, table: KeypointTable = HANDS) -> dict[str, Any]:
    """Return a COCO file's content with `images` images of ids from 1."""
    count = images or max(p["image_id"] for p in people)
    return {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 200, "height": 100} for n in range(1, count + 1)],
        "annotations": list(people),
        "categories": [{"id": 1, "name": "person", "keypoints": list(table.names), "skeleton": table.skeleton}],
    }


def write_json(folder: Path, content: Any, name: str = "truth.json") -> str:
    """Write a file and return its path."""
    path = folder / name
    path.write_text(json.dumps(content))
    return str(path)


def truth_of(folder: Path, *people: dict[str, Any], table: KeypointTable = HANDS, images: int | None = None) -> Truth:
    """Return people as `read_truth` reads them."""
    return read_truth(write_json(folder, coco_of(*people, images=images, table=table)), LocalFiles(), table)


def predictions_of(*rows: tuple[int, float, list[tuple[float, float]]], **fields: Any) -> Predictions:
    """Return predictions of (image id, score, points); `fields` change the arrays."""
    images, scores, points = zip(*rows, strict=True)
    keypoints = np.array(points, np.float64)
    arrays = {
        "image_ids": np.array(images, np.int64),
        "keypoints": keypoints,
        "confidence": np.ones(keypoints.shape[:2]),
        "scores": np.array(scores, np.float64),
    }
    return Predictions(**{**arrays, **fields})
