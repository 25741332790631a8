"""AP by how crowded photographs are, as CrowdPose counts it.

Li and others 2019, "CrowdPose: Efficient Crowded Scenes Pose Estimation and A New Benchmark". Its annotation files
state a crowd index of each photograph, 0 to 1: how many joints of others lie in a person's box for each of the person's
own. The paper parts the photographs at 0.1 and 0.8; the published code, crowdpose-api/PythonAPI/crowdposetools/
cocoeval.py of https://github.com/Jeff-sjtu/CrowdPose, at 0.2 and 0.8, and so does xtcocotools, by which mmpose prints
its figures. Here it is as in the code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.oks import score_oks
from cocoprep.pose.keypoints import KeypointTable

MEDIUM_FROM, HARD_FROM = 0.2, 0.8
CROWDED = ("easy", "medium", "hard")


@dataclass(frozen=True)
class CrowdedAp:
    """AP over the photographs that are as crowded; -1 where nobody is on them.

    Attributes:
        ap: the mean over the ten thresholds of OKS.
        images: photographs.
        people: whom OKS looks for on them.
    """

    ap: float
    images: int
    people: int


def without_index(truth: Truth) -> int:
    """Return how many photographs do not say how crowded they are."""
    return sum(image["id"] not in truth.crowd_index for image in truth.images)


def measure_by_crowding(truth: Truth, predictions: Predictions, table: KeypointTable) -> dict[str, CrowdedAp] | None:
    """Return AP of each of `CROWDED`; None where no photograph says how crowded it is.

    Photographs that do not say are in none.
    """
    stated = {image["id"]: truth.crowd_index.get(image["id"]) for image in truth.images}
    level = {
        number: int(np.digitize(index, [MEDIUM_FROM, HARD_FROM]))
        for number, index in stated.items()
        if index is not None
    }
    if not level:
        return None
    found = {}
    for n, name in enumerate(CROWDED):
        images = [number for number, of in level.items() if of == n]
        people = int(truth.counts[np.isin(truth.image_ids, images)].sum())
        ap = score_oks(truth, predictions, table, images=images).figures["AP"] if people else -1.0
        found[name] = CrowdedAp(ap, len(images), people)
    return found
