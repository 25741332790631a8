"""How much is labelled: joints of an annotation, visibilities of a joint, and what a lowest number of labels keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cocoprep.inspection.data_set import Ints, People
from cocoprep.pose.boxes import croppable
from cocoprep.pose.crop_config import CropConfig


@dataclass(frozen=True)
class LabelFigures:
    """Labels of a data set's annotations, K joints.

    Attributes:
        annotations: all of them.
        crowds: those that are marked as a crowd.
        by_labelled: (K + 1,) int64, how many have so many labelled joints, crowds too.
        people: those that have a labelled joint and are no crowd.
        visibility: (K, 3) int64, of `people`, how many have each joint not labelled, hidden and visible; those are
            left out whose source labels it of nobody.
        kept: of --min-keypoints 1 to K, (K, 3) int64: people, photographs and labelled joints that a build keeps.
    """

    annotations: int
    crowds: int
    by_labelled: Ints
    people: int
    visibility: Ints
    kept: Ints

    @property
    def unlabelled(self) -> int:
        """Count the annotations without a labelled joint."""
        return int(self.by_labelled[0])

    @property
    def looked_for(self) -> Ints:
        """Return (K,) int64: of how many of `people` each joint was looked for."""
        return np.asarray(self.visibility.sum(axis=1))

    @property
    def joints(self) -> Ints:
        """Return (3,) int64: joints of `people` that are not labelled, hidden, visible."""
        return np.asarray(self.visibility.sum(axis=0))


def label_figures(people: People, crop: CropConfig) -> LabelFigures:
    """Return how much is labelled, and what of it a build with `crop` keeps."""
    count = people.joints.shape[1]
    training = (people.labelled > 0) & ~people.crowd
    return LabelFigures(
        annotations=len(people),
        crowds=int(people.crowd.sum()),
        by_labelled=np.bincount(people.labelled, minlength=count + 1),
        people=int(training.sum()),
        visibility=_visibility(people),
        kept=kept_by_minimum(people, crop),
    )


def _visibility(people: People) -> Ints:
    found = np.zeros((people.joints.shape[1], 3), np.int64)
    for part in people.parts((people.labelled > 0) & ~people.crowd):
        counts = True if part.looked_for is None else part.looked_for
        for value in range(3):
            found[:, value] += np.count_nonzero((part.joints[..., 2] == value) & counts, axis=0)
    return found


def kept_by_minimum(people: People, crop: CropConfig) -> Ints:
    """Return (K, 3) int64: the people, photographs and labelled joints that a build keeps of --min-keypoints 1 to K.

    A build also drops boxes of which no crop can be made, as far as sizes of photographs are known, and finds out the
    others.
    """
    count = people.joints.shape[1]
    chosen = np.flatnonzero((people.labelled > 0) & ~people.crowd)
    good = ~people.sized[chosen]
    known = ~good
    good[known] = croppable(people.bbox[chosen[known]], people.sizes[chosen[known]], crop)
    chosen = chosen[good]
    labelled, images = people.labelled[chosen], people.images[chosen]
    most = np.zeros(int(people.images.max(initial=-1)) + 1, np.int64)  # labelled joints of the best of each photograph
    np.maximum.at(most, images, labelled)
    found = np.stack([
        np.bincount(labelled, minlength=count + 1),
        np.bincount(most, minlength=count + 1),
        np.bincount(labelled, labelled, minlength=count + 1).astype(np.int64),
    ], axis=1)  # fmt: skip
    at_least: Ints = found[::-1].cumsum(axis=0)[::-1][1:]
    return at_least
