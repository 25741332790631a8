"""Figures of each source of a folder that was built of several. N people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.errors import RecordError
from cocoprep.evaluation.oks import OKS_FIGURES, score_oks
from cocoprep.evaluation.pck import PCK_THRESHOLDS, PckFigures, matched_keypoints, pck_by_unit, unit_lengths
from cocoprep.pose.keypoints import KeypointTable


@dataclass(frozen=True)
class SourceFigures:
    """What was measured on the photographs of one source.

    Attributes:
        images: photographs.
        people: whom OKS looks for on them.
        predicted: of them those who were predicted.
        oks: the ten of `OKS_FIGURES`; -1 where no person stands behind one.
        pck: by box.
    """

    images: int
    people: int
    predicted: int
    oks: dict[str, float]
    pck: PckFigures


def measure_by_source(
    truth: Truth,
    predictions: Predictions,
    matches: NDArray[np.int64],
    table: KeypointTable,
    *,
    sources: Sequence[str],
    thresholds: Sequence[float] = PCK_THRESHOLDS,
) -> dict[str, SourceFigures] | None:
    """Return the figures of each source by name, in their order; None where there is one or none.

    Args:
        truth: of a built folder, whose images say their source: `source_id` is its name, a slash, and the own id.
        predictions: what is scored.
        matches: (N,) of `match_people`.
        table: the joints.
        sources: names of the folder's.
        thresholds: of PCK, fractions of the box.

    Raises:
        RecordError: an image is of none of the sources.
    """
    if len(sources) < 2:
        return None
    images = _images_of(truth, sources)
    predicted, lengths = matched_keypoints(predictions, matches), unit_lengths(truth, table)["box"]
    found = {}
    for name, numbers in images.items():
        rows = np.flatnonzero(truth.counts & np.isin(truth.image_ids, numbers))
        nothing = dict.fromkeys(OKS_FIGURES, -1.0)
        found[name] = SourceFigures(
            images=len(numbers),
            people=len(rows),
            predicted=int((matches[rows] >= 0).sum()),
            oks=score_oks(truth, predictions, table, images=numbers).figures if len(rows) else nothing,
            pck=pck_by_unit(
                "box", predicted[rows], truth.keypoints[rows], truth.visibility[rows] > 0,
                lengths=lengths[rows], thresholds=thresholds,
            ),
        )  # fmt: skip
    return found


def _images_of(truth: Truth, sources: Sequence[str]) -> dict[str, list[int]]:
    """Return the images of each source."""
    found: dict[str, list[int]] = {name: [] for name in sources}
    for image in truth.images:
        own = truth.source_ids.get(image["id"], "")
        name = own.partition("/")[0]
        if name not in found:
            names = ", ".join(sources)
            raise RecordError(
                f"{truth.path}: image {image['id']}: expected a source_id of one of the sources {names:.300}, found "
                f"{own!r:.100}. Build the folder again."
            )
        found[name].append(image["id"])
    return found
