"""Small data sets of any joints, from one to 133, drawn at random."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import named_table, table_names
from tests.support.building import write_coco

ONE = KeypointTable("tip-1", (Joint("tip", "tip", 0.067),), (), category="tip")
PARTNERS = {"L Wing": "R Wing", "R Wing": "L Wing", "beak": "beak", "crown": "crown", "tail": "tail"}
FIVE = KeypointTable(
    "bird-5",
    tuple(Joint(name, partner, 0.067) for name, partner in PARTNERS.items()),
    (("L Wing", "beak"), ("R Wing", "beak")),
    category="bird",
)  # fmt: skip
TABLES = {table.name: table for table in (ONE, FIVE, *map(named_table, table_names()))}


def write(
    folder: Path, table: KeypointTable, category_id: int = 1, spelling: Callable[[str], str] = lambda name: name
) -> dict[str, Path]:
    """Write four photographs of two each, all joints labelled; return what to build from."""
    rng = np.random.default_rng(0)
    pictures = {n: Image.fromarray(rng.integers(0, 256, (96, 128, 3), np.uint8)) for n in range(1, 5)}
    people = []
    for number in range(8):
        points = np.column_stack(
            [rng.integers(10, 110, len(table)), rng.integers(10, 90, len(table)), np.full(len(table), 2)]
        )
        people.append(
            {
                "id": 11 + number,
                "image_id": 1 + number // 2,
                "category_id": category_id,
                "keypoints": points.ravel().tolist(),
            }
        )
    annotations, images = write_coco(folder, pictures, people, table=table)
    coco = json.loads(annotations.read_text())
    names = [spelling(name) for name in table.names]
    coco["categories"] = [
        {"id": 99, "name": "car"},
        {**coco["categories"][0], "id": category_id, "name": table.category, "keypoints": names},
    ]
    coco["annotations"].append({"id": 500, "image_id": 1, "category_id": 99, "bbox": [1, 2, 3, 4]})
    annotations.write_text(json.dumps(coco))
    return {"annotations": annotations, "images": images}
