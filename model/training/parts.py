"""Validation by source and by folder: the log's figures named `source/figure`, and OKS of each folder and of all.

OKS is by folder alone; by source, `cocoprep evaluate` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from cocoprep.evaluation.oks import evaluate_oks
from cocoprep.model.input.mixture import Mixture
from cocoprep.model.training.metrics import SHOWN_THRESHOLDS, add_sums, figures
from cocoprep.model.training.validate import Validation, measure_oks
from cocoprep.shards.ground_truth import category_of, read_ground_truth
from cocoprep.shards.settings import table_of

_PCK = [f"pck@{threshold}{whose}" for threshold in SHOWN_THRESHOLDS for whose in ("", "_guess")]
SHOWN = ("people", "loss", "skill", *_PCK, "swapped")
Lines = Sequence[dict[str, Any]]


def figures_of_parts(found: Validation, people: Mixture) -> dict[str, float]:
    """Return the figures of every source, and of every folder of several sources; none of a single source."""
    table = table_of(people.manifest.keypoints)
    parts = {name: [number] for number, name in enumerate(people.sources)}
    for folder, name in enumerate(people.folders):
        members = [source for source, of in enumerate(people.folder_of) if of == folder]
        if len(members) > 1 and len(people.folders) > 1:
            parts[name] = members
    values: dict[str, float] = {}
    for name, members in parts.items() if found.by_source else ():
        sums = add_sums([found.by_source[source] for source in members])
        own = figures(sums, table)
        values.update({f"{name}/{key}": own[key] for key in SHOWN if key in own})
    return values


def oks_of_parts(found: Validation, people: Mixture) -> dict[str, float]:
    """Return the OKS figures of all people together and, of several folders, of each: `folder/AP`."""
    files = people.parts[0].files
    lines = _by_folder(found, people)
    each = [
        measure_oks(mine, part.folder, part.manifest, files) for mine, part in zip(lines, people.parts, strict=True)
    ]
    if len(each) == 1:
        return each[0]
    truths = [read_ground_truth(part.folder, files) for part in people.parts]
    together = evaluate_oks(*join_truths(truths, lines), table_of(people.manifest.keypoints))
    return {**together, **{f"{name}/AP": own["AP"] for name, own in zip(people.folders, each, strict=True)}}


def _by_folder(found: Validation, people: Mixture) -> list[list[dict[str, Any]]]:
    folders = np.array(people.folder_of)[found.sources].tolist()
    lines: list[list[dict[str, Any]]] = [[] for _ in people.parts]
    for folder, line in zip(folders, found.results, strict=True):
        lines[folder].append(line)
    return lines


def join_truths(truths: Sequence[dict[str, Any]], lines: Sequence[Lines]) -> tuple[dict[str, Any], Lines]:
    """Return the ground truths of several folders as one, and their results lines: images and people renumbered."""
    category = category_of(truths[0])
    images, annotations, results = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    numbers, image_numbers = count(1), count(1)
    for truth, mine in zip(truths, lines, strict=True):
        image_of = {image["id"]: next(image_numbers) for image in truth["images"]}
        images += [{**image, "id": image_of[image["id"]]} for image in truth["images"]]
        annotations += [
            {**one, "id": next(numbers), "image_id": image_of[one["image_id"]], "category_id": category}
            for one in truth["annotations"]
        ]
        results += [{**line, "image_id": image_of[line["image_id"]], "category_id": category} for line in mine]
    return {**truths[0], "images": images, "annotations": annotations}, results
