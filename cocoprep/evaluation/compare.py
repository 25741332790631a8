"""Two or more results of the same people: their figures side by side, and which differences are more than chance.

N annotations, K joints, B draws of photographs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.evaluation.bootstrap import DRAWS, LEVEL, Interval, draw_copies, interval_of
from cocoprep.evaluation.drawn_figures import DrawnFigures, measure_drawn
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.json_file import as_builtins

NOT_DISTINGUISHABLE, BETTER, WORSE = "not distinguishable", "better", "worse"
TOO_FEW, UNKNOWN = "too few photographs", "nobody stands behind it"


@dataclass(frozen=True)
class Compared:
    """What was found of results of the same people; the first is the one that the others are held against.

    Attributes:
        truth: the ground truth.
        sides: by name, what was measured of each.
        figures: by name of the result, then of the figure: the figure and its interval.
        differences: the same of all but the first: its figure minus the first's, on the same draws.
        draws: B, how often photographs were drawn.
        seed: of the draws.
    """

    truth: Truth
    sides: dict[str, DrawnFigures]
    figures: dict[str, dict[str, Interval]]
    differences: dict[str, dict[str, Interval]]
    draws: int
    seed: int

    @property
    def first(self) -> str:
        """Return the name of the result that the others are held against."""
        return next(iter(self.sides))

    def farthest_apart(self, other: str, people: int) -> NDArray[np.int64]:
        """Return the places of the people on whose OKS the first and another result differ most, these first."""
        apart = np.abs(self.sides[other].person_oks - self.sides[self.first].person_oks)
        rows = np.flatnonzero(apart > 0)
        order = np.lexsort((self.truth.annotation_ids[rows], -apart[rows]))
        return rows[order][:people]


def compare(
    truth: Truth, results: Mapping[str, Predictions], table: KeypointTable, *, draws: int = DRAWS, seed: int = 0
) -> Compared:
    """Measure results, each over the photographs and over draws of them, which are the same for all.

    Args:
        truth: the ground truth.
        results: two at least, by name, of its joints.
        table: the K joints.
        draws: B, how often photographs are drawn.
        seed: of the draws.

    Raises:
        ConfigError: fewer than two results, or a number that makes no draws.
        CocoprepError: there are no predictions, one is not finite, or people are on fewer than two photographs.
    """
    if len(results) < 2:
        raise ConfigError(f"expected two results at least to compare, found {len(results)}.")
    photographs = len(set(truth.image_ids[truth.counts].tolist()))
    if photographs < 2:
        raise CocoprepError(
            f"{truth.path}: expected people on two photographs at least, found them on {photographs}: how sure a "
            "difference is follows from how photographs differ."
        )
    copies = draw_copies(len(truth.images), draws=draws, seed=seed)
    sides = {name: measure_drawn(truth, one, table, copies) for name, one in results.items()}
    first, *others = sides
    return Compared(
        truth=truth,
        sides=sides,
        figures={
            name: {
                key: interval_of(value, side.drawn[key], photographs=side.photographs[key])
                for key, value in side.values.items()
            }
            for name, side in sides.items()
        },
        differences={name: _differences(sides[first], sides[name]) for name in others},
        draws=draws,
        seed=seed,
    )


def _differences(first: DrawnFigures, other: DrawnFigures) -> dict[str, Interval]:
    return {
        key: interval_of(other.values[key] - value, other.drawn[key] - first.drawn[key], photographs=photographs)
        for key, value, photographs in ((key, first.values[key], first.photographs[key]) for key in first.values)
    }


def verdict(difference: Interval) -> str:
    """Say in words what the interval of a difference says."""
    if not np.isfinite(difference.value):
        return UNKNOWN
    if not np.isfinite(difference.low):
        return TOO_FEW
    if not difference.is_sure:
        return NOT_DISTINGUISHABLE
    return BETTER if difference.low > 0 else WORSE


def compared_as_json(compared: Compared, *, context: dict[str, Any]) -> dict[str, Any]:
    """Return every figure, not rounded, as what JSON can hold: NaN as None.

    Args:
        compared: of `compare`.
        context: what the figures are of; comes first.
    """
    truth = compared.truth
    content = {
        **context,
        "draws": compared.draws,
        "seed": compared.seed,
        "level": LEVEL,
        "counts": {"images": len(truth.images), "people": int(truth.counts.sum())},
        "results": {
            name: {"predictions": len(side.predictions), "people_predicted": int((side.matches >= 0).sum())}
            for name, side in compared.sides.items()
        },
        "held_against": compared.first,
        "figures": {name: _by_name(figures) for name, figures in compared.figures.items()},
        "differences": {
            name: {key: {**_as_json(one), "verdict": verdict(one)} for key, one in differences.items()}
            for name, differences in compared.differences.items()
        },
        "people_farthest_apart": {name: _people(compared, name) for name in compared.differences},
    }
    return {key: as_builtins(value) for key, value in content.items()}


def _by_name(figures: Mapping[str, Interval]) -> dict[str, Any]:
    return {key: _as_json(one) for key, one in figures.items()}


def _as_json(one: Interval) -> dict[str, float]:
    return {"value": one.value, "low": one.low, "high": one.high}


def _people(compared: Compared, other: str, people: int = 100) -> list[dict[str, Any]]:
    truth, names = compared.truth, compared.truth.file_names
    return [
        {
            "annotation_id": int(truth.annotation_ids[row]),
            "image_id": int(truth.image_ids[row]),
            "file_name": names[int(truth.image_ids[row])],
            "oks": {name: compared.sides[name].person_oks[row] for name in (compared.first, other)},
        }
        for row in compared.farthest_apart(other, people).tolist()
    ]
