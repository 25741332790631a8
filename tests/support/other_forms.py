"""Data sets in COCO's form written as other tools write them, for the way back: each as its own documents say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import scipy.io
import yaml

from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.sample import write_sample

SPLIT = "train2017"


@dataclass(frozen=True)
class CocoSet:
    """A data set in COCO's form: no crowds, and only people with joints, one a photograph if `alone`."""

    images: tuple[dict[str, Any], ...]
    people: tuple[dict[str, Any], ...]
    photographs: Path
    table: KeypointTable

    def of(self, image: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the people of a photograph."""
        return [person for person in self.people if person["image_id"] == image["id"]]


def joints_of(person: Mapping[str, Any]) -> np.ndarray:
    """Return (K, 3): pixel index x and y, visibility."""
    return np.array(person["keypoints"], float).reshape(-1, 3)


def drawn_set(folder: Path, table: str = "coco-17", *, images: int = 5, alone: bool = False) -> CocoSet:
    """Draw a sample and return what of it other forms can hold; coordinates are not whole numbers."""
    write_sample(folder, images=images, seed=3, table=named_table(table))
    return read_set(folder / f"annotations/person_keypoints_{SPLIT}.json", folder / SPLIT, table, alone=alone)


def read_set(annotations: Path, photographs: Path, table: str = COCO_17.name, *, alone: bool = False) -> CocoSet:
    """Return what of a COCO file other forms can hold."""
    document = json.loads(annotations.read_bytes())
    people: list[dict[str, Any]] = []
    for person in document["annotations"]:
        taken = alone and any(other["image_id"] == person["image_id"] for other in people)
        if not person.get("iscrowd") and any(person["keypoints"]) and not taken:
            people.append(_between_pixels(person))
    images = [image for image in document["images"] if any(p["image_id"] == image["id"] for p in people)]
    return CocoSet(tuple(images), tuple(people), photographs, named_table(table))


def _between_pixels(person: dict[str, Any]) -> dict[str, Any]:
    joints = joints_of(person)
    joints[joints[:, 2] > 0, :2] += (0.25, 0.125)
    return {**person, "keypoints": joints.ravel().tolist()}


# MPII


def write_mpii_json(coco: CocoSet, path: Path) -> Path:
    """Write the list that HRNet reads; a person's centre and scale are those of its box."""
    names = {image["id"]: image["file_name"] for image in coco.images}
    entries = []
    for person in coco.people:
        joints, (x, y, w, h) = joints_of(person), person["bbox"]
        labelled = joints[:, 2] > 0
        entries.append(
            {
                "joints_vis": labelled.astype(int).tolist(),
                "joints": np.where(labelled[:, None], joints[:, :2] + 1, -1.0).tolist(),
                "image": names[person["image_id"]],
                "scale": max(w, h) / 200,
                "center": [x + w / 2 + 0.5, y + h / 2 + 0.5],
            }
        )
    path.write_text(json.dumps(entries))
    return path


def head_box_of(person: Mapping[str, Any]) -> list[float]:
    """Return a box for a head, x1, y1, x2, y2 as pixel indices from 0."""
    x, y, w, h = person["bbox"]
    return [x + w / 4, y, x + w / 2, y + h / 5]


def write_mpii_mat(coco: CocoSet, path: Path, *, compressed: bool = True) -> Path:
    """Write a MAT-file of the nesting of mpii_human_pose_v1_u12_1.mat, with one test image at its end."""
    annolist = [
        {"image": structs([{"name": i["file_name"]}]), "annorect": structs(list(map(_annorect, coco.of(i))))}
        for i in coco.images
    ]
    rough = structs([{"scale": 2.0, "objpos": structs([{"x": 5.0, "y": 6.0}])}])
    annolist.append({"image": structs([{"name": "test.jpg"}]), "annorect": rough})
    release = {
        "annolist": structs(annolist),
        "img_train": np.array([[1] * len(coco.images) + [0]], np.uint8),
        "single_person": np.array([[np.array([[1.0]])]], object),
        "act": structs([{"act_name": "standing", "cat_name": "idle", "act_id": 1.0}]),
        "version": "12",
    }
    scipy.io.savemat(path, {"RELEASE": release}, do_compression=compressed)
    return path


def _annorect(person: Mapping[str, Any]) -> dict[str, Any]:
    x, y, w, h = person["bbox"]
    corners = dict(zip(("x1", "y1", "x2", "y2"), (n + 1 for n in head_box_of(person)), strict=True))
    points = []
    for number, (px, py, visible) in enumerate(joints_of(person).tolist()):
        if visible:
            is_head = number in (8, 9)
            points.append({"x": px + 1, "y": py + 1, "id": number, "is_visible": [] if is_head else visible - 1})
    return {
        **corners,
        "annopoints": structs([{"point": structs(points)}]),
        "scale": max(w, h) / 200,
        "objpos": structs([{"x": x + w / 2 + 0.5, "y": y + h / 2 + 0.5}]),
    }


def structs(fields: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return a struct array of 1 x N; an empty one where there are none."""
    if not fields:
        return np.zeros((0, 0))
    found = np.empty((1, len(fields)), [(name, object) for name in fields[0]])
    for place, one in enumerate(fields):
        found[0, place] = tuple(one.values())
    return found


# Leeds Sports Pose


def write_lsp(coco: CocoSet, folder: Path, *, extended: bool = False) -> Path:
    """Write joints.mat and photographs, one person each."""
    (folder / "images").mkdir(parents=True)
    joints = np.stack([joints_of(person) for person in coco.people])  # (N, 14, 3)
    joints[..., :2] += joints[..., 2:] > 0
    joints[..., 2] = joints[..., 2] > 0 if extended else joints[..., 2] == 1
    stored = joints.transpose(1, 2, 0) if extended else joints.transpose(2, 1, 0)
    scipy.io.savemat(folder / "joints.mat", {"joints": stored})
    names = {image["id"]: image["file_name"] for image in coco.images}
    for number, person in enumerate(coco.people, 1):
        name = f"im{number:05d}.jpg" if extended else f"im{number:04d}.jpg"
        shutil.copy(coco.photographs / names[person["image_id"]], folder / "images" / name)
    return folder / "joints.mat"


# YOLO


def write_yolo(coco: CocoSet, folder: Path, *, dims: int = 3, named: bool = False) -> Path:
    """Write data.yaml, images/train and labels/train, six digits each, as Ultralytics' converter does."""
    for kind in ("images", "labels"):
        (folder / kind / "train").mkdir(parents=True)
    for image in coco.images:
        size = image["width"], image["height"]
        shutil.copy(coco.photographs / image["file_name"], folder / "images/train")
        lines = [_yolo_line(person, size, dims) for person in coco.of(image)]
        (folder / "labels/train" / image["file_name"]).with_suffix(".txt").write_text("\n".join(lines) + "\n")
    config = {
        "path": "../datasets/drawn", "train": "images/train", "val": None,
        "kpt_shape": [len(coco.table), dims], "flip_idx": list(coco.table.flip_index), "names": {0: "person"},
    }  # fmt: skip
    if named:
        config["kpt_names"] = {0: list(coco.table.names)}
    (folder / "data.yaml").write_text("# drawn\n" + yaml.safe_dump(config))
    return folder / "data.yaml"


def _yolo_line(person: Mapping[str, Any], size: tuple[int, int], dims: int) -> str:
    (x, y, w, h), (width, height) = person["bbox"], size
    numbers = [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height]
    words = ["0", *(f"{number:.6f}" for number in numbers)]
    for px, py, visible in joints_of(person).tolist():
        words += [f"{px / width:.6f}", f"{py / height:.6f}", *([f"{visible:.0f}"] if dims == 3 else [])]
    return " ".join(words)


# CVAT


def write_cvat(coco: CocoSet, path: Path, *, grouped: bool = False) -> Path:
    """Write annotations.xml: skeletons with a box in their group, or the points of an older task in groups."""
    group = 0
    images = []
    for number, image in enumerate(coco.images):
        shapes = []
        for person in coco.of(image):
            group += 1
            points = _cvat_points(person, coco.table, f' group_id="{group}"' if grouped else "")
            x, y, w, h = person["bbox"]
            box = f'xtl="{x:.2f}" ytl="{y:.2f}" xbr="{x + w:.2f}" ybr="{y + h:.2f}"'
            skeleton = f'<skeleton label="person" source="manual" z_order="0" group_id="{group}">{points}</skeleton>'
            shapes.append(points if grouped else skeleton)
            shapes.append(
                f'<box label="person" source="manual" occluded="0" {box} z_order="0" group_id="{group}"></box>'
            )
        name, size = quoteattr(image["file_name"]), f'width="{image["width"]}" height="{image["height"]}"'
        images.append(f'  <image id="{number}" name={name} {size}>{"".join(shapes)}</image>')
    meta = f"<meta><task><id>7</id><name>drawn</name><labels>{_cvat_labels(coco.table)}</labels></task></meta>"
    version = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  '
    path.write_text(f"{version}{'' if grouped else meta}\n" + "\n".join(images) + "\n</annotations>\n")
    return path


def _cvat_points(person: Mapping[str, Any], table: KeypointTable, more: str) -> str:
    found = []
    for name, (x, y, visible) in zip(table.names, joints_of(person).tolist(), strict=True):
        state = f'outside="{int(visible == 0)}" occluded="{int(visible == 1)}"'
        found.append(
            f'<points label={quoteattr(name)} source="manual" {state} points="{x + 0.5:.2f},{y + 0.5:.2f}"{more}/>'
        )
    return "".join(found)


def _cvat_labels(table: KeypointTable) -> str:
    circles = "".join(
        f'<circle r="1.5" cx="1" cy="2" data-type="element node" data-element-id="{k}" data-node-id="{k}" '
        f'data-label-name="{name}"></circle>'
        for k, name in enumerate(table.names, 1)
    )
    lines = "".join(
        f'<line x1="1" y1="2" x2="3" y2="4" data-type="edge" data-node-from="{a}" data-node-to="{b}"></line>'
        for a, b in table.skeleton
    )
    whole = f"<label><name>person</name><type>skeleton</type><svg>{escape(lines + circles)}</svg></label>"
    parts = (f"<label><name>{name}</name><type>points</type><parent>person</parent></label>" for name in table.names)
    return whole + "".join(parts)


# Label Studio


def write_labelstudio(coco: CocoSet, path: Path) -> Path:
    """Write an export as JSON: joints by parentID of the first of a photograph's people, by relations of the others."""
    path.write_text(json.dumps([_task(coco, number, image) for number, image in enumerate(coco.images, 1)]))
    return path


def _task(coco: CocoSet, number: int, image: Mapping[str, Any]) -> dict[str, Any]:
    result: list[dict[str, Any]] = []
    size = {"original_width": image["width"], "original_height": image["height"], "image_rotation": 0}
    for place, person in enumerate(coco.of(image)):
        box = f"box-{place}"
        x, y, w, h = person["bbox"]
        value = {
            "x": 100 * x / image["width"], "y": 100 * y / image["height"], "rotation": 0,
            "width": 100 * w / image["width"], "height": 100 * h / image["height"], "rectanglelabels": ["person"],
        }  # fmt: skip
        result.append(
            {"id": box, "type": "rectanglelabels", "from_name": "box", "to_name": "img", "value": value, **size}
        )
        for name, (px, py, visible) in zip(coco.table.names, joints_of(person).tolist(), strict=True):
            if not visible:
                continue
            own = f"{box}-{name}"
            spot = {"x": 100 * (px + 0.5) / image["width"], "y": 100 * (py + 0.5) / image["height"], "width": 0.5}
            joint = {"id": own, "type": "keypointlabels", "value": {**spot, "keypointlabels": [name]}, **size}
            if place == 0:
                joint["parentID"] = box
            else:
                result.append({"type": "relation", "from_id": own, "to_id": box, "direction": "right"})
            result.append(joint)
    data = {"image": f"/data/upload/1/{image['file_name']}"}
    return {"id": number, "data": data, "annotations": [{"id": number, "was_cancelled": False, "result": result}]}
