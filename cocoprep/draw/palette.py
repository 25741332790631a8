"""The colours of every picture, and which joint has which.

Left, right and centre are told apart by colour-blind readers too: orange, blue and green differ in lightness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocoprep.pose.joint_names import Side
from cocoprep.pose.keypoints import KeypointTable

Colour = tuple[int, int, int]
Colours = NDArray[np.float32]

BACKGROUND: Colour = (22, 24, 28)
PANEL: Colour = (36, 39, 45)
RULE: Colour = (64, 68, 77)
TEXT: Colour = (238, 240, 244)
DIM_TEXT: Colour = (164, 170, 181)
OUTLINE: Colour = (12, 13, 16)

BOX: Colour = (255, 221, 45)
CANONICAL: Colour = (255, 255, 255)
STORED: Colour = (205, 140, 255)
OTHER: Colour = (196, 202, 212)
DROPPED: Colour = (255, 122, 112)

SIDE_COLOURS: dict[Side, Colour] = {"left": (255, 145, 48), "right": (64, 178, 255), "centre": (168, 230, 96)}

# Dark to light with rising lightness, so that it reads in grey too.
_HEAT = np.array(
    [(10, 10, 22), (72, 20, 96), (170, 40, 96), (240, 98, 60), (253, 178, 72), (252, 250, 196)], np.float32
)


def joint_colours(table: KeypointTable) -> Colours:
    """Return (K, 3) float32 RGB: each joint in the colour of the owner's own side; without sides, a hue each."""
    if not table.has_pairs:
        return distinct_colours(len(table))
    return np.array([SIDE_COLOURS[side] for side in table.sides], np.float32)


def limb_colours(table: KeypointTable) -> Colours:
    """Return (limbs, 3) float32 RGB: a limb has the side of its ends; one that joins both sides is central.

    Without sides it has the hue of its later joint, so that a finger is of nearly one colour.
    """
    if not table.has_pairs:
        later = [max(ends) for ends in table.limb_index]
        return joint_colours(table)[later].reshape(-1, 3)
    sides = [{table.sides[a], table.sides[b]} - {"centre"} for a, b in table.limb_index]
    return np.array([SIDE_COLOURS[next(iter(ends)) if len(ends) == 1 else "centre"] for ends in sides], np.float32)


def distinct_colours(count: int) -> Colours:
    """Return (count, 3) float32 RGB of evenly spread hue."""
    hue = np.arange(count, dtype=np.float32)[:, None] / max(count, 1)
    wave = np.abs((hue * 6 + np.array([0, 4, 2], np.float32)) % 6 - 3) - 1
    return np.asarray(60 + 195 * np.clip(wave, 0, 1), np.float32)


def heat_colours(values: NDArray[np.floating]) -> Colours:
    """Return (..., 3) float32 RGB of values from 0 to 1, dark to light."""
    stops = np.linspace(0, 1, len(_HEAT))
    return np.stack([np.interp(values, stops, _HEAT[:, c]) for c in range(3)], axis=-1).astype(np.float32)
