"""OKS as CrowdPose counts it: by how crowded photographs are, and by rules of its own.

Li and others 2019, "CrowdPose: Efficient Crowded Scenes Pose Estimation and A New Benchmark". Its annotation files
state a crowd index of each photograph, 0 to 1: how many joints of others lie in a person's box for each of the person's
own. The rules are those of the published code, crowdpose-api/PythonAPI/crowdposetools/cocoeval.py of
https://github.com/Jeff-sjtu/CrowdPose, and of xtcocotools, by which mmpose prints its figures. They are COCO's, but for
three things. Photographs are parted at 0.2 and 0.8, where the paper says 0.1 and 0.8. A person is as large as 0.53 of
the box, whatever area a file states, and no figure is by size. And whom the file's `num_keypoints` says to have none is
ignored: CrowdPose's counts visible joints alone, so these are people all of whose joints are hidden.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cocoprep.coco.entries import BOX_SHARE
from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.evaluation.average_precision import measure_precision
from cocoprep.evaluation.oks import match_predictions, people_of
from cocoprep.evaluation.oks_pairs import People
from cocoprep.pose.keypoints import KeypointTable

MEDIUM_FROM, HARD_FROM = 0.2, 0.8
CROWDED = ("all", "easy", "medium", "hard")
CROWDPOSE_FIGURES = ("AP", "AP50", "AP75", "AR", "AR50", "AR75")


@dataclass(frozen=True)
class CrowdedOks:
    """OKS over the photographs that are as crowded.

    Attributes:
        figures: by name, `CROWDPOSE_FIGURES`; -1 where nobody is on these photographs.
        images: photographs.
        people: whom OKS looks for on them.
    """

    figures: dict[str, float]
    images: int
    people: int


def without_index(truth: Truth) -> int:
    """Return how many photographs do not say how crowded they are."""
    return sum(image["id"] not in truth.crowd_index for image in truth.images)


def measure_by_crowding(truth: Truth, predictions: Predictions, table: KeypointTable) -> dict[str, CrowdedOks] | None:
    """Return the figures of each of `CROWDED`; None where no photograph says how crowded it is.

    Photographs that do not say are among all, and in no other.
    """
    if not truth.crowd_index:
        return None
    found = match_predictions(people_by_box(truth), truth.images, predictions, table)
    index = np.array([truth.crowd_index.get(number, np.nan) for number in found.images.tolist()])
    level = np.where(np.isnan(index), 0, 1 + np.digitize(index, [MEDIUM_FROM, HARD_FROM]))
    among = np.array([np.full(len(level), True), *(level == n for n in range(1, len(CROWDED)))])
    measured = measure_precision(found, among.astype(np.int64)).figures
    people = among @ found.people[0]
    return {
        name: CrowdedOks(
            {figure: float(measured[figure][n]) for figure in CROWDPOSE_FIGURES}, int(among[n].sum()), int(people[n])
        )
        for n, name in enumerate(CROWDED)
    }


def people_by_box(truth: Truth) -> People:
    """Return the people by CrowdPose's rules; the order of factors is that of its code, so that all bits are."""
    people = people_of(truth)
    ignored = people.ignored if truth.said_empty is None else people.ignored | truth.said_empty
    return replace(people, area=people.bbox[:, 3] * people.bbox[:, 2] * BOX_SHARE, ignored=ignored)
