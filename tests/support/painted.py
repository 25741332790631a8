"""Photographs painted over a ground truth, a colour for each joint; a network that knows colours; boxes of a detector.

So a network finds people without having learned anything, and its figures hang on its boxes.
"""

from __future__ import annotations

import colorsys
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image, ImageDraw

from cocoprep.coco.truth import Truth
from cocoprep.model.network.preprocess import MEAN_RGB, STDDEV_RGB
from cocoprep.pose.joint_map import map_joints
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.settings import CropRecord

GREY = (70, 70, 70)
COLOURS = np.array([colorsys.hsv_to_rgb(k / len(COCO_17), 1 if k % 2 else 0.6, 1) for k in range(len(COCO_17))]).round(
    3
)
_NEAR = 0.15  # of colours, red, green and blue from 0 to 1: at this distance nothing is left


def paint_truth(annotations: Path, folder: Path, *, images: int | None = None) -> tuple[Path, Path]:
    """Paint a disc for every labelled joint of a COCO file; return a file of those photographs, and their folder."""
    content = json.loads(annotations.read_text())
    listed = sorted(content["images"], key=lambda image: image["id"])[:images]
    known = {image["id"] for image in listed}
    people = [one for one in content["annotations"] if one["image_id"] in known]
    photographs = folder / "photographs"
    photographs.mkdir(parents=True)
    for image in listed:
        picture = Image.new("RGB", (image["width"], image["height"]), GREY)
        for person in (one for one in people if one["image_id"] == image["id"]):
            _paint(picture, person["bbox"], np.reshape(person["keypoints"], (-1, 3)))
        picture.save(photographs / image["file_name"], quality=95, subsampling=0)
    path = folder / "truth.json"
    path.write_text(json.dumps({**content, "images": listed, "annotations": people}))
    return path, photographs


def paint_over(truth: Truth, photographs: Path, folder: Path, *, prefix: str = "") -> Path:
    """Take the colours out of photographs, and paint those joints of everybody that COCO has too; return `folder`.

    Args:
        truth: of any joints.
        photographs: the folder of its photographs.
        folder: to write them to, under the same names.
        prefix: what the file puts before names that the folder does not have.
    """
    places = map_joints(COCO_17, truth.table).places
    for number, name in truth.file_names.items():
        own = name.removeprefix(prefix)
        with Image.open(photographs / own) as photograph:
            picture = photograph.convert("L").convert("RGB")
        for row in np.flatnonzero(truth.counts & (truth.image_ids == number)):
            triples = np.zeros((len(COCO_17), 3))
            for k, place in enumerate(places):
                if place is not None:
                    triples[place] = *truth.keypoints[row, k], truth.visibility[row, k]
            _paint(picture, truth.bbox[row], triples)
        (folder / own).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / own, quality=95, subsampling=0)
    return folder


def _paint(picture: Image.Image, bbox: Any, triples: Any) -> None:
    """Paint a person's labelled joints, COCO's 17 with their visibilities, each a disc in its colour."""
    draw, radius = ImageDraw.Draw(picture), 0.03 * max(bbox[2:])
    for (x, y, v), colour in zip(triples, COLOURS, strict=True):
        if v:
            box = (x + 0.5 - radius, y + 0.5 - radius, x + 0.5 + radius, y + 0.5 + radius)
            draw.ellipse(box, tuple(int(255 * part) for part in colour))


def colour_network(crop: CropRecord) -> keras.Model:
    """Return a network whose heatmap of a joint is how near the picture's colours are to that joint's."""
    image = keras.Input((*crop.input_size, 3), name="image")
    fine = keras.layers.AveragePooling2D(2)(image)
    colour = _affine(fine, np.diag(STDDEV_RGB), np.array(MEAN_RGB), "stack1_colour")
    squares = keras.layers.Multiply()([colour, colour])
    both = keras.layers.Concatenate()([colour, squares])
    kernel = np.concatenate([2 * COLOURS.T, -np.ones((3, len(COLOURS)))]) / _NEAR**2
    near = _affine(both, kernel, 1 - np.square(COLOURS).sum(axis=1) / _NEAR**2, "stack1_near")
    maps = keras.layers.AveragePooling2D(crop.heatmap_stride // 2, name="stack1_head")(keras.layers.ReLU()(near))
    return keras.Model(image, [[maps]])


def _affine(inputs: Any, kernel: Any, bias: Any, name: str) -> Any:
    layer = keras.layers.Conv2D(np.shape(kernel)[1], 1, name=name)
    found = layer(inputs)
    layer.set_weights([np.asarray(kernel, np.float32)[None, None], np.asarray(bias, np.float32)])
    return found


def detections(
    truth: Truth, *, jitter: float = 0.0, missed: float = 0.0, doubled: float = 0.0, false: float = 0.0, seed: int = 0
) -> list[dict[str, Any]]:
    """Return boxes as a detector finds them: those of the people who count, made worse.

    Args:
        truth: of the people.
        jitter: standard deviation of a side's place, a share of the box.
        missed: share of people without a box.
        doubled: share of people with a second one.
        false: boxes of nobody, a share of the people.
        seed: of all that is drawn. What is drawn for a person does not hang on the shares.
    """
    sizes = {image["id"]: (image["width"], image["height"]) for image in truth.images}
    lines = []

    def add(image_id: int, box: Any, score: float) -> None:
        x, y, width, height = (float(number) for number in box)
        width, height = max(width, 4.0), max(height, 4.0)
        lines.append({"image_id": image_id, "category_id": 1, "bbox": [x, y, width, height], "score": round(score, 4)})

    for row in np.flatnonzero(truth.counts):
        rng = np.random.default_rng([seed, int(row)])
        chances, shifts, score = rng.uniform(size=3), rng.normal(size=(2, 4)), rng.uniform(0.7, 1)
        image_id, box = int(truth.image_ids[row]), truth.bbox[row]
        sides = np.tile(box[2:], 2)
        if chances[0] >= missed:
            add(image_id, box + jitter * sides * shifts[0], score)
            if chances[1] < doubled:
                add(image_id, box + (0.03 + jitter) * sides * shifts[1], 0.9 * score)
        if chances[2] < false:
            width, height = sizes[image_id]
            add(image_id, (rng.uniform(0, width / 2), rng.uniform(0, height / 2), width / 4, height / 3), 0.5 * score)
    return lines
