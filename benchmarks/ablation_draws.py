"""What a training will show its network, all of it drawn ahead: on a GPU nothing is left to chance or to this side.

Order and changes are those of `cocoprep train` with the same seed, by the same functions. Half bodies are new here.
T steps of batches of B, K joints. Loads no PyTorch.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from benchmarks.ablation_people import People
from benchmarks.ablation_variants import Variant
from cocoprep.errors import ConfigError
from cocoprep.model.augment.augmenter import Changes, draw_changes, move_joints
from cocoprep.model.draws import Purpose, draw_uniform
from cocoprep.model.input.order import Order
from cocoprep.pose import affine
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.settings import CropRecord

SHUFFLED_TOGETHER = 4096  # as `cocoprep train` does
# Half bodies: of whom, and how large their windows are. Source: Sun et al. 2019, "Deep High-Resolution Representation
# Learning", as their published code has it.
LEAST_JOINTS, LEAST_OF_HALF, HALF_WINDOW = 8, 4, 1.5
SMALLEST_WINDOW = 0.35  # of the canonical one: a half whose joints lie close together would be shown as a blur
LOWER = ("hip", "knee", "ankle", "heel", "toe", "foot")
HALF_KEYS = (13, 14)  # numbers after those that `draw_changes` draws


@dataclass(frozen=True)
class Drawn:
    """What happens in each of T steps.

    Attributes:
        places: (T, B) who is shown.
        to_canonical: (T, B, 2, 3) float32 maps from the picture to the canonical crop, both in pixels of the input.
        colours: (T, B, 3, 4) float32 colour matrices.
        noise: (T, B, 4) numbers that choose the noise, as `NoiseTiles` takes them.
        points: (T, B, K, 2) float32 joints in pixels of the picture.
        labelled: (T, B, K) float32, 1 where the joint is labelled.
        weights: (T, B, K) float32, 1 where it also lies within the picture.
        steps_an_epoch: of whole batches.
    """

    places: NDArray[np.int64]
    to_canonical: NDArray[np.float32]
    colours: NDArray[np.float32]
    noise: NDArray[np.float32]
    points: NDArray[np.float32]
    labelled: NDArray[np.float32]
    weights: NDArray[np.float32]
    steps_an_epoch: int


def draw_training(variant: Variant, people: People, used: NDArray[np.int64], *, epochs: float, seed: int) -> Drawn:
    """Draw what a variant shows in some epochs, a fraction perhaps, of the people at the places `used`.

    Raises:
        ConfigError: they do not fill a batch.
    """
    batch, size = variant.batch_size, variant.input_size
    steps_an_epoch = len(used) // batch
    if not steps_an_epoch:
        raise ConfigError(f"batch_size: expected one that {len(used)} people fill, found {batch}.")
    steps = max(1, round(steps_an_epoch * epochs))
    order = Order(len(used), steps_an_epoch * batch, SHUFFLED_TOGETHER, seed)
    some = range(math.ceil(steps / steps_an_epoch))
    rows = np.concatenate([order.group(epoch, index) for epoch in some for index in range(order.groups)])
    places = used[rows[: steps * batch]]
    keypoints = people.keypoints[places] * (size / people.size)
    seen = people.visibility[places].astype(np.int32)
    crop = replace(people.crop, input_size=(size, size))
    keys = _Keys(seed, np.arange(len(places)) // (steps_an_epoch * batch), people.annotation_ids[places])
    changes = _draw_changes(variant, people.table, crop, keys, keypoints=keypoints, labelled=seen > 0)
    points, visibility = move_joints(keypoints, seen, changes, people.table.flip_index)
    labelled = visibility > 0

    def by_step(values: NDArray[np.generic]) -> NDArray[np.float32]:
        return values.reshape(steps, batch, *values.shape[1:]).astype(np.float32)

    return Drawn(
        places=places.reshape(steps, batch),
        to_canonical=by_step(changes.to_canonical),
        colours=by_step(changes.colours),
        noise=by_step(changes.noise),
        points=by_step(points),
        labelled=by_step(labelled),
        weights=by_step(labelled & affine.inside(points, crop.input_size)),
        steps_an_epoch=steps_an_epoch,
    )


class _Keys(NamedTuple):
    """What all numbers are drawn from: the seed, and of N people their epochs (N,) and their annotation ids (N,)."""

    seed: int
    epochs: NDArray[np.int64]
    annotation_ids: NDArray[np.int64]


def _draw_changes(
    variant: Variant,
    table: KeypointTable,
    crop: CropRecord,
    keys: _Keys,
    *,
    keypoints: NDArray[np.float32],
    labelled: NDArray[np.bool_],
) -> Changes:
    """Draw what happens to N people, of joints (N, K, 2) in pixels of the canonical crop: half bodies come first."""
    config = variant.augmentation
    if not table.has_pairs:  # nobody knows what a mirrored picture shows
        config = dataclasses.replace(config, flip_probability=0.0)
    seed, epochs, ids = keys
    changes = draw_changes(config, crop, seed=seed, epochs=epochs, annotation_ids=ids)
    if not variant.half_body:
        return changes
    drawn = draw_uniform(Purpose.AUGMENT, seed, epochs[:, None], ids[:, None], np.array(HALF_KEYS))
    within = half_bodies(keypoints, labelled, table, crop, share=variant.half_body, drawn=drawn)
    return changes._replace(to_canonical=_after(within, changes.to_canonical))


def half_bodies(
    keypoints: NDArray[np.float32],
    labelled: NDArray[np.bool_],
    table: KeypointTable,
    crop: CropRecord,
    *,
    share: float,
    drawn: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return (N, 2, 3) maps from the canonical crop to the part of it around half of a person.

    Of a `share` of those who have `LEAST_JOINTS` labelled and `LEAST_OF_HALF` in the half that was drawn; the others'
    maps leave everything as it is. A window is a square around the half's joints, `HALF_WINDOW` times as large as they
    span, not larger than the canonical one.

    Args:
        keypoints: (N, K, 2) in pixels of the canonical crop.
        labelled: (N, K).
        table: names the joints.
        crop: says how large the crop is.
        share: from 0 to 1.
        drawn: (N, 2) numbers from [0, 1): whether half of the person is shown, and which.
    """
    lower = np.array([any(word in name for word in LOWER) for name in table.names])
    half = labelled & np.where(drawn[:, 1, None] < 0.5, ~lower, lower)
    enough = (labelled.sum(axis=1) >= LEAST_JOINTS) & (half.sum(axis=1) >= LEAST_OF_HALF)
    shown = enough & (drawn[:, 0] < share)
    lowest = np.where(half[..., None], keypoints, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(half[..., None], keypoints, -np.inf).max(axis=1, initial=-np.inf)
    side, centre = float(crop.input_size[0]), np.array(crop.input_size[::-1]) / 2
    with np.errstate(invalid="ignore"):  # of a half without joints
        span, middle = (highest - lowest).max(axis=1), (highest + lowest) / 2
    zoom = np.where(shown, np.clip(HALF_WINDOW * span / side, SMALLEST_WINDOW, 1), 1.0)
    middle = np.where(shown[:, None], middle, centre)
    maps = np.zeros((len(zoom), 2, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = zoom
    maps[:, :, 2] = middle - zoom[:, None] * centre
    return maps


def _after(second: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, 2, 3) the maps that take a point by `first`, then by `second`."""
    both: NDArray[np.float64] = np.einsum("nij,njk->nik", second[..., :2], first)
    both[..., 2] += second[..., 2]
    return both
