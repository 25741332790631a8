"""Figures of what a training learned, and the table of many of them. Loads neither PyTorch nor TensorFlow.

N people, K joints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ablation_people import People
from cocoprep.evaluation.pck import pck, torso_length
from cocoprep.pose.heatmaps import decode_heatmaps

FIGURES = {"box@0.2": ("box", 0.2), "box@0.1": ("box", 0.1), "torso@0.2": ("torso", 0.2)}
FLIPPED = "flip "
COLUMNS = [*FIGURES, *(FLIPPED + name for name in FIGURES)]


def score(maps: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]], people: People) -> dict[str, float]:
    """Return PCK by name, as `COLUMNS` has them, from heatmaps (B, h, w, K) without and with the flip test, in turn."""
    found = [[_joints(each, people.size) for each in both] for both in maps]
    plain, flipped = (np.concatenate([both[n] for both in found]) for n in range(2))
    of_flipped = {FLIPPED + name: value for name, value in _figures(flipped, people).items()}
    return _figures(plain, people) | of_flipped


def _joints(maps: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """Return (B, K, 2) joints in pixels of a canonical crop of `size`, from maps of the whole of it."""
    points, _ = decode_heatmaps(maps)
    joints: NDArray[np.float64] = points * (size / maps.shape[1])
    return joints


def _figures(points: NDArray[np.float64], people: People) -> dict[str, float]:
    labelled = people.visibility > 0
    torso = torso_length(people.keypoints, labelled, people.table)
    known = labelled & ~np.isnan(torso)[:, None]
    units = {"box": (people.box_side, labelled), "torso": (np.nan_to_num(torso), known)}
    figures = {}
    for name, (unit, threshold) in FIGURES.items():
        lengths, counts = units[unit]
        scored = pck(points, people.keypoints, counts, unit=lengths, thresholds=(threshold,))
        figures[name] = float(scored.total[0])
    return figures


def result_table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return results as lines of a table: PCK in percent, and by how many points it differs from the plain one's.

    The plain one is that of the same seed. Results whose training has not come to its end are marked, and not compared:
    their rates have not fallen yet.
    """
    plain = {one["seed"]: one for one in results if one["variant"] == "plain" and _is_finished(one)}
    wide = max([len(one["variant"]) for one in results], default=0)
    lines = [f"{'PCK, %':<{wide}}  seed  epochs" + "".join(f"  {name:>14}" for name in COLUMNS)]
    for one in results:
        cells = "".join(f"  {_cell(one, plain.get(one['seed']), name):>14}" for name in COLUMNS)
        mark = "" if _is_finished(one) else f"  unfinished: {one['steps']} of {one['of']} steps"
        lines.append(f"{one['variant']:<{wide}}  {one['seed']:>4}  {one['epochs']:>6.1f}{cells}{mark}".rstrip())
    return "\n".join(lines)


def _is_finished(one: Mapping[str, Any]) -> bool:
    return bool(one["steps"] == one["of"])


def _cell(one: Mapping[str, Any], plain: Mapping[str, Any] | None, name: str) -> str:
    figure = 100 * one["pck"][name]
    if plain is None or plain is one or not _is_finished(one):
        return f"{figure:.1f}" + " " * 6
    return f"{figure:.1f} {figure - 100 * plain['pck'][name]:+5.1f}"
