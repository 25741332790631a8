"""The figures of a result, over its photographs as they are and over draws of them: OKS, and PCK by box.

N annotations, K joints, I photographs, B draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.average_precision import OKS_FIGURES, measure_precision
from cocoprep.evaluation.matching import match_people
from cocoprep.evaluation.oks import oks_of_pairs, score_oks
from cocoprep.evaluation.pck import CURVE, PCK_THRESHOLDS, matched_keypoints, unit_lengths
from cocoprep.evaluation.people_found import RANGES, PeopleFound
from cocoprep.pose.keypoints import KeypointTable

JOINT, SIZE = "AUC of ", "AUC, "  # how the figures of joints and of sizes are called, before their names
_DRAWS = 500  # that are measured together: curves and sums of all at once would fill the memory
SMALL = "small"  # below COCO's medium, where OKS has no figure

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DrawnFigures:
    """What was measured of one result.

    Attributes:
        values: by name, over all photographs; NaN where nobody stands behind one.
        drawn: (B,) the same over each draw.
        photographs: by name, how many have somebody who stands behind the figure.
        person_oks: (N,) of each person who counts and the prediction that is theirs, 0 where there is none; NaN of all
            others.
        matches: (N,) the place of that prediction, or -1.
        predictions: of which these are figures.
    """

    values: dict[str, float]
    drawn: dict[str, Floats]
    photographs: dict[str, int]
    person_oks: Floats
    matches: NDArray[np.int64]
    predictions: Predictions


def measure_drawn(
    truth: Truth, predictions: Predictions, table: KeypointTable, copies: NDArray[np.int32]
) -> DrawnFigures:
    """Measure a result, and again on every draw.

    Args:
        truth: the ground truth.
        predictions: of its joints.
        table: the K joints.
        copies: (B, I) of `draw_copies`, of the photographs in the order of their ids.

    Raises:
        CocoprepError: as `score_oks`.
    """
    oks = score_oks(truth, predictions, table)
    matches = match_people(truth, predictions, table)
    once = np.ones((1, copies.shape[1]), np.int32)
    right = _joints_right(truth, predictions, matches, table)
    place = np.searchsorted(oks.found.images, truth.image_ids[truth.counts])
    values = {name: np.array([value]) for name, value in oks.figures.items()} | _pck(right, place, once, table)
    blocks = (copies[start : start + _DRAWS] for start in range(0, len(copies), _DRAWS))
    by_block = [measure_precision(oks.found, some).figures | _pck(right, place, some, table) for some in blocks]
    drawn = {name: np.concatenate([one[name] for one in by_block]) for name in values}
    person_oks = np.full(len(matches), np.nan)
    person_oks[truth.counts] = 0.0
    found = matches >= 0
    person_oks[found] = oks_of_pairs(
        predictions.keypoints[matches[found]], truth.keypoints[found], truth.visibility[found], truth.area[found],
        table.oks_sigmas,
    )  # fmt: skip
    return DrawnFigures(
        values={name: float(_known(name, value)[0]) for name, value in values.items()},
        drawn={name: _known(name, value) for name, value in drawn.items()},
        photographs=_photographs_of_oks(oks.found) | _photographs_of_pck(right, place, table),
        person_oks=person_oks,
        matches=matches,
        predictions=predictions,
    )


def _known(name: str, values: Floats) -> Floats:
    """Return figures with NaN where nobody stands behind one, which OKS writes as -1."""
    return np.where(values < 0, np.nan, values) if name in OKS_FIGURES else values


def _photographs_of_oks(found: PeopleFound) -> dict[str, int]:
    """Return how many photographs have people who count, by figure of OKS."""
    every, medium, large = np.count_nonzero(found.people, axis=1).tolist()
    return dict(zip(OKS_FIGURES, [every, every, every, medium, large] * 2, strict=True))


@dataclass(frozen=True)
class _Right:
    """Of n people who count, whose joints are labelled (n, K) and have which credit (n, K) by figure; (n,) by size."""

    labelled: NDArray[np.bool_]
    credit: dict[str, Floats]
    sizes: dict[str, NDArray[np.bool_]]


def _joints_right(truth: Truth, predictions: Predictions, matches: NDArray[np.int64], table: KeypointTable) -> _Right:
    counts = truth.counts
    lengths = unit_lengths(truth, table)["box"][counts]
    known = np.isfinite(lengths) & (lengths > 0)  # as PCK has it: others are left out
    predicted = matched_keypoints(predictions, matches[counts])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        apart = np.linalg.norm(predicted - truth.keypoints[counts], axis=-1)
        credit = {f"PCK@{t:g}": (apart <= t * lengths[:, None]).astype(np.float64) for t in PCK_THRESHOLDS}
        credit["AUC"] = _area(apart, lengths)
    area = truth.area[counts]
    sizes = {SMALL: area < RANGES["medium"][0]}
    sizes |= {name: (area >= low) & (area <= high) for name, (low, high) in RANGES.items() if name != "all"}
    return _Right((truth.visibility[counts] > 0) & known[:, None], credit, sizes)


def _area(apart: Floats, lengths: Floats) -> Floats:
    """Return (n, K) the area under a joint's own curve, which is 0 below and 1 from its distance on, over `CURVE`."""
    curve = np.array(CURVE)
    weights = np.zeros(len(curve))
    weights[1:] += np.diff(curve) / 2
    weights[:-1] += np.diff(curve) / 2
    weights /= curve[-1] - curve[0]
    total = np.zeros_like(apart)
    for threshold, weight in zip(curve, weights, strict=True):
        total += weight * (apart <= threshold * lengths[:, None])
    return total


def _pck(right: _Right, place: NDArray[np.int64], copies: NDArray[np.int32], table: KeypointTable) -> dict[str, Floats]:
    """Return (B,) the figures of joints: by threshold and under the curve, of all, of each, of people of each size."""
    labelled = right.labelled
    joints = _summed(labelled, place, copies)
    figures = {}
    for name, credit in right.credit.items():
        sums = _summed(credit * labelled, place, copies)
        figures[name] = _ratio(sums.sum(axis=1), joints.sum(axis=1))
        if name == "AUC":
            figures |= {f"{JOINT}{joint}": _ratio(sums[:, k], joints[:, k]) for k, joint in enumerate(table.names)}
    for size, of in right.sizes.items():
        these = labelled & of[:, None]
        sums = _summed(right.credit["AUC"] * these, place, copies).sum(axis=1)
        figures[f"{SIZE}{size}"] = _ratio(sums, _summed(these, place, copies).sum(axis=1))
    return figures


def _photographs_of_pck(right: _Right, place: NDArray[np.int64], table: KeypointTable) -> dict[str, int]:
    """Return how many photographs have labelled joints, by figure of `_pck`."""
    behind = dict.fromkeys(right.credit, right.labelled.any(axis=1))
    behind |= {f"{JOINT}{joint}": right.labelled[:, k] for k, joint in enumerate(table.names)}
    behind |= {f"{SIZE}{size}": right.labelled.any(axis=1) & of for size, of in right.sizes.items()}
    return {name: len(np.unique(place[these])) for name, these in behind.items()}


def _summed(
    values: NDArray[np.float64] | NDArray[np.bool_], place: NDArray[np.int64], copies: NDArray[np.int32]
) -> Floats:
    """Return (B, K) sums of people's values (n, K), of as many copies as there are of their photographs (n,)."""
    of_images = np.zeros((copies.shape[1], values.shape[1]))
    np.add.at(of_images, place, values)
    return copies.astype(np.float64) @ of_images


def _ratio(some: Floats, of_all: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Floats = some / of_all
    return share
