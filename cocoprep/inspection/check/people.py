"""What every check of labels looks at: the people, their size, their own frames, and where joints are expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cocoprep.inspection.check.expected import Surprise, surprise
from cocoprep.inspection.check.frame import Complexes, Frame, frame_people
from cocoprep.inspection.check.lengths import Lengths, measure_lengths
from cocoprep.inspection.data_set import Bools, Floats, Ints, People
from cocoprep.pose.keypoints import KeypointTable

_FARTHEST_PX = 1e7
OFF_PX = 1.0  # outside of a photograph, which rounding does
_TOLERANCE = 2.6  # times a joint's OKS sigma, by the scale: two sigmas of a body of some 1.3 scales squared


@dataclass(frozen=True)
class Checked:
    """The N people of a data set that are checked: those with a label that are no crowd.

    Attributes:
        table: the K joints.
        people: as labelled.
        places: (N,) of each among all of the data set.
        frame: in frames of their own.
        lengths: of their limbs.
        surprise: how unexpected their joints are.
    """

    table: KeypointTable
    people: People
    places: Ints
    frame: Frame
    lengths: Lengths
    surprise: Surprise

    def __len__(self) -> int:
        """Return N."""
        return len(self.people)

    @property
    def labelled(self) -> Bools:
        """Return (N, K) which joints are labelled."""
        return self.frame.labelled

    @property
    def visible(self) -> Bools:
        """Return (N, K) which joints are labelled as visible."""
        return np.asarray(self.people.joints[..., 2] == 2)

    @property
    def tolerance(self) -> Floats:
        """Return (N, K) pixels: how far apart two labels of one joint mostly are at most."""
        return _TOLERANCE * self.frame.scale[:, None] * self.table.oks_sigmas


def checked_people(people: People, table: KeypointTable) -> Checked:
    """Measure those people of a data set that are checked, of whom there is one at least."""
    places = np.flatnonzero(is_checked(people))
    people = people.take(places)
    # What is farther is as odd, and its square is still a number.
    people = replace(people, bbox=np.clip(people.bbox, -_FARTHEST_PX, _FARTHEST_PX), joints=_bounded(people.joints))
    points = people.joints[..., 0].astype(np.float64) + 1j * people.joints[..., 1]
    labelled = people.joints[..., 2] > 0
    box_px = np.sqrt(np.maximum(people.bbox[:, 2] * people.bbox[:, 3], 0))
    # A fault that many share, such as one joint at the corner, must not make its limbs long for all.
    trusted = labelled & ~at_corner(points) & ~(outside_px(points, people.sizes) > OFF_PX)
    lengths = measure_lengths(points, labelled, trusted, limbs_of(table), np.where(box_px > 0, box_px, np.nan))
    frame = frame_people(points, labelled, lengths.scale)
    return Checked(table, people, places, frame, lengths, surprise(frame, table.flip_index))


def is_checked(people: People) -> Bools:
    """Return (N,) which people are checked."""
    return np.asarray((people.labelled > 0) & ~people.crowd)


def outside_px(points: Complexes, sizes: Ints) -> Floats:
    """Return (N, K) by how many pixels points (N, K) lie outside of photographs of `sizes` (N, 2); 0 if not known."""
    width, height = sizes[:, :1], sizes[:, 1:]
    beyond = np.maximum(
        np.maximum(-points.real, points.real - width + 1), np.maximum(-points.imag, points.imag - height + 1)
    )
    known = np.asarray((sizes > 0).all(axis=1))
    return np.where(known[:, None], np.maximum(beyond, 0), 0)


def at_corner(points: Complexes) -> Bools:
    """Return (N, K) which points lie at exactly (0, 0), where tools put what nobody has placed."""
    return np.asarray(points == 0)


def _bounded(joints: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.clip(joints, -_FARTHEST_PX, _FARTHEST_PX)


def limbs_of(table: KeypointTable) -> Ints:
    """Return (L, 2) the limbs of a table; where it has none, each joint with the next."""
    chain: Sequence[tuple[int, int]] = [(k, k + 1) for k in range(len(table) - 1)]
    return np.array(table.limb_index or chain, np.int64).reshape(-1, 2)
