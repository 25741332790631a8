"""The mean guess as predictions: what every network has to beat. K joints."""

from __future__ import annotations

import numpy as np

from cocoprep import affine
from cocoprep.affine import CropWindow
from cocoprep.baseline import Baseline
from cocoprep.boxes import box_fault, canonical_window
from cocoprep.config import CropConfig
from cocoprep.predictions import Predictions
from cocoprep.truth import Truth


def guess_people(truth: Truth, baseline: Baseline, crop: CropConfig) -> Predictions:
    """Predict, for every counting person with a sound box, the same joints in the box's crop.

    Args:
        truth: whose boxes; its images must have sizes, as the ground truth of a built folder has.
        baseline: the guess.
        crop: how a box becomes a crop.

    Returns:
        One prediction a person, all of one score; a joint's confidence is how often it is labelled.
    """
    sizes = {image["id"]: (image["width"], image["height"]) for image in truth.document["images"]}
    rows, windows = [], []
    for row in np.flatnonzero(truth.counts).tolist():
        x, y, w, h = truth.bbox[row].tolist()
        width, height = sizes[int(truth.image_ids[row])]
        if box_fault((x, y, w, h), width, height) is None:
            rows.append(row)
            windows.append(canonical_window((x, y, w, h), (height, width), crop))
    window = CropWindow(*np.array(windows, np.float64).reshape(-1, 4).T[:, :, None])
    points = affine.crop_to_image(
        np.broadcast_to(baseline.guess, (len(rows), *baseline.guess.shape)), window, crop.input_size
    )
    return Predictions(
        image_ids=truth.image_ids[rows],
        keypoints=affine.point_to_index(points),
        confidence=np.broadcast_to(baseline.labelled / baseline.people, points.shape[:2]),
        scores=np.ones(len(rows)),
        annotation_ids=truth.annotation_ids[rows],
    )
