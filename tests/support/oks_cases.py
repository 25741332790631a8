"""Ground truths and results with all that OKS has rules for, drawn by number, and what pycocotools makes of them."""

from __future__ import annotations

import contextlib
import copy
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cocoprep.pose.keypoints import Joint, KeypointTable

JOINTS = (1, 2, 5, 14, 17, 133)
# Where sizes change from one range to the next, and just beside.
_EDGES = [
    area for edge in (32.0**2, 96.0**2, 1e5**2) for area in (np.nextafter(edge, 0), edge, np.nextafter(edge, 1e11))
]
AREAS = (0.0, 1.0, 1e11, *map(float, _EDGES))


@dataclass(frozen=True)
class Case:
    """A ground truth, results of it, their joints, and the images that count; all where None."""

    truth: dict[str, Any]
    lines: list[dict[str, Any]]
    table: KeypointTable
    images: list[int] | None


def draw_case(seed: int, number: int, *, ties: bool = True) -> Case:
    """Draw a case; with `ties` some predictions are equally sure, and some people are in one place."""
    rng = np.random.default_rng([seed, number])
    joints = int(rng.choice(JOINTS, p=[0.1, 0.1, 0.2, 0.2, 0.35, 0.05]))
    sigmas = rng.uniform(0.02, 0.12, joints) if rng.uniform() < 0.7 else np.full(joints, 0.05)
    table = KeypointTable("drawn", tuple(Joint(f"j{k}", f"j{k}", float(s)) for k, s in enumerate(sigmas)), ())
    ids = rng.choice(10**6, int(rng.integers(1, 9)), replace=False) + 1
    crowding = rng.choice([1, 3, 12], p=[0.4, 0.5, 0.1])
    truths = [_person(rng, joints, int(image), ties=ties) for image in ids for _ in range(rng.poisson(crowding))]
    if ties and truths:
        truths += [copy.deepcopy(truths[n]) for n in rng.integers(len(truths), size=rng.integers(0, 3))]
    for n, person in enumerate(rng.permutation(len(truths)).tolist()):
        truths[n]["id"] = person + 1
    rng.shuffle(truths)
    document = {
        "images": [{"id": int(n), "file_name": f"{n}.jpg", "width": 500, "height": 400} for n in ids],
        "annotations": truths,
        "categories": [{"id": 1, "name": "person", "keypoints": list(table.names)}],
    }
    lines = _lines(rng, truths, joints, ids, ties=ties)
    some = rng.choice(ids, int(rng.integers(1, len(ids) + 1)), replace=False).tolist() if rng.uniform() < 0.2 else None
    return Case(document, lines, table, some)


def _person(rng: np.random.Generator, joints: int, image: int, *, ties: bool) -> dict[str, Any]:
    scale = float(np.exp(rng.uniform(2, 5.5)))
    at = rng.uniform(0, scale, (joints, 2)) + rng.uniform(0, 300, 2)
    seen = rng.integers(0, 3, joints)
    kind = rng.choice(
        ["whole", "some", "nothing", "crowd", "crowd with joints", "counted as nothing"],
        p=[0.3, 0.4, 0.12, 0.08, 0.05, 0.05],
    )
    if kind == "whole":
        seen[:] = 2
    if kind in ("nothing", "crowd"):
        seen[:] = 0
    at = at.round() if rng.uniform() < 0.5 else at
    triples = np.column_stack([at * (seen > 0)[:, None], seen])
    area = float(rng.choice(AREAS)) if ties and rng.uniform() < 0.15 else float(rng.uniform(0.2, 0.8) * scale**2)
    return {
        "image_id": image, "category_id": 1, "iscrowd": int(kind.startswith("crowd")), "area": area,
        "bbox": [*at.min(axis=0).tolist(), scale, scale * float(rng.uniform(0.5, 1.5))],
        "num_keypoints": 0 if kind == "counted as nothing" else int((seen > 0).sum()),
        "keypoints": [int(n) if n == int(n) else n for n in triples.ravel().tolist()],
    }  # fmt: skip


def _lines(
    rng: np.random.Generator, truths: list[dict[str, Any]], joints: int, ids: NDArray[np.int64], *, ties: bool
) -> list[dict[str, Any]]:
    near = [one for one in truths if rng.uniform() < 0.85 for _ in range(rng.choice([1, 2, 5], p=[0.6, 0.3, 0.1]))]
    points = [(one["image_id"], _near(rng, one, joints)) for one in near]
    strays = int(rng.choice([0, 2, 30], p=[0.4, 0.5, 0.1])) or int(not points)
    points += [(int(rng.choice(ids)), rng.uniform(0, 400, (joints, 2))) for _ in range(strays)]
    scores = (
        rng.choice([0, 0.25, 0.5, 0.9], len(points)) if ties and rng.uniform() < 0.5 else rng.uniform(size=len(points))
    )
    lines = [
        {
            "image_id": image, "category_id": 1, "keypoints": np.column_stack([at, np.ones(joints)]).ravel().tolist(),
            "score": float(score),
        }
        for (image, at), score in zip(points, scores, strict=True)
    ]  # fmt: skip
    if rng.uniform() < 0.3:
        for line in lines:
            line["bbox"] = [0, 0, *rng.choice([1, 31, 32, 33, 95, 96, 97, 1e5, 2e5], 2).tolist()]
    rng.shuffle(lines)
    return lines


def _near(rng: np.random.Generator, person: dict[str, Any], joints: int) -> NDArray[np.float64]:
    at = np.array(person["keypoints"], float).reshape(joints, 3)[:, :2]
    if person["num_keypoints"] == 0:
        x, y, w, h = person["bbox"]
        return np.column_stack([rng.uniform(x - 2 * w, x + 3 * w, joints), rng.uniform(y - 2 * h, y + 3 * h, joints)])
    if rng.uniform() < 0.3:  # each joint is right or far away: OKS lies on a threshold
        return at + np.where(rng.uniform(size=(joints, 1)) < 0.3, 1e4, 0.0)
    return at + rng.normal(0, 1, at.shape) * np.sqrt(person["area"]) * rng.choice([0, 0.02, 0.06, 0.12])


def plain_run(case: Case) -> COCOeval:
    """Return pycocotools' own evaluation of a case."""
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(over="ignore", invalid="ignore"):
        truth = COCO()
        truth.dataset = copy.deepcopy(case.truth)
        truth.createIndex()
        plain = COCOeval(truth, truth.loadRes(copy.deepcopy(case.lines)), "keypoints")
        plain.params.kpt_oks_sigmas = case.table.oks_sigmas
        if case.images is not None:
            plain.params.imgIds = case.images
        plain.evaluate()
        plain.accumulate()
        plain.summarize()
    return plain
