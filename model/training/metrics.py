"""What a batch says of the network, as sums that add up over batches and devices, and the figures made of such sums.

B people, K joints, S stacks, heatmaps of (h, w); points are (x, y) in pixels of the network's input.
A loss by itself says little: a network that always answers with the mean heatmap, or with nothing, has a small one. So
the sums hold the losses of those two answers too, on the same people with the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from cocoprep.errors import RecordError
from cocoprep.evaluation.baseline import Baseline
from cocoprep.model.network.config import LossConfig
from cocoprep.model.network.losses import joint_losses, loss_weights
from cocoprep.model.network.preprocess import unit_heatmaps
from cocoprep.pose.keypoints import KeypointTable

SHOWN_THRESHOLDS = (0.1, 0.2)
Sums = dict[str, Any]


@dataclass(frozen=True)
class Guess:
    """The answer that takes no picture: the mean heatmaps (h, w, K) float32, and their peaks (K, 2) in pixels."""

    heatmaps: NDArray[np.float32]
    points: NDArray[np.float32]

    @classmethod
    def of(cls, baseline: Baseline) -> Guess:
        """Take the guess of a built folder."""
        return cls(baseline.mean_heatmaps, baseline.guess.astype(np.float32))

    @classmethod
    def for_loss(cls, baseline: Baseline, loss: LossConfig) -> Guess:
        """Take the guess that a loss asks for: where unlabelled joints are background, they thin the mean map out."""
        guess = cls.of(baseline)
        if loss.unlabelled == "mask":
            return guess
        labelled = (baseline.labelled / baseline.people).astype(np.float32)
        return cls(guess.heatmaps * labelled, guess.points)


@dataclass(frozen=True)
class Measure:
    """Measures batches: the loss, the guesses, the joints, and the config they all follow."""

    loss: LossConfig
    guess: Guess
    flip_index: tuple[int, ...]
    heatmap_stride: int

    def losses(self, predictions: Sequence[Any], batch: dict[str, Any]) -> tuple[Any, Any]:
        """Return (S,) the summed loss of each stack and () the summed weight behind each."""
        truth, weights = unit_heatmaps(batch["heatmaps"]), loss_weights(batch, self.loss)
        sums = [ops.sum(joint_losses(maps, truth, self.loss) * weights) for maps in predictions]
        return ops.stack(sums), ops.sum(weights)

    def guesses(self, batch: dict[str, Any]) -> tuple[Any, Any]:
        """Return the summed losses () of the mean map and of the zero map."""
        truth, weights = unit_heatmaps(batch["heatmaps"]), loss_weights(batch, self.loss)
        mean, zero = ops.convert_to_tensor(self.guess.heatmaps)[None], ops.zeros_like(truth)
        return tuple(ops.sum(joint_losses(maps, truth, self.loss) * weights) for maps in (mean, zero))

    def points(self, predictions: Sequence[Any], batch: dict[str, Any]) -> Sums:
        """Return how many joints each stack, and the guess, has right or swapped.

        Returns:
            `joints` (K,), how many are labelled; `right` (S, T, K) within each threshold; `guess_right` (T, K);
            `paired` (K,), labelled with a labelled mirror partner that is further away than the smallest threshold, so
            that one can tell them apart; `swapped` (S, K), nearer to the partner's place.
        """
        truth = batch["keypoints"]
        labelled = ops.cast(batch["visibility"] > 0, "float32") * ops.cast(batch["valid"], "float32")[:, None]
        limit = ops.convert_to_tensor(SHOWN_THRESHOLDS, "float32")[:, None, None] * batch["box_side"][None, :, None]
        found = [self._peaks(maps) for maps in predictions]

        def right(points: Any) -> Any:
            return ops.sum(ops.cast(_distance(points, truth)[None] <= limit, "float32") * labelled[None], axis=1)

        partner = ops.convert_to_tensor(self.flip_index, "int32")
        has_partner = [float(other != k) for k, other in enumerate(self.flip_index)]
        mirrored = ops.take(truth, partner, axis=1)
        apart = ops.cast(_distance(mirrored, truth) > limit[0], "float32")
        paired = labelled * ops.take(labelled, partner, axis=1) * ops.convert_to_tensor(has_partner, "float32") * apart
        swapped = [
            ops.sum(ops.cast(_distance(points, mirrored) < _distance(points, truth), "float32") * paired, axis=0)
            for points in found
        ]
        return {
            "joints": ops.sum(labelled, axis=0),
            "right": ops.stack([right(points) for points in found]),
            "guess_right": right(ops.convert_to_tensor(self.guess.points)[None]),
            "paired": ops.sum(paired, axis=0),
            "swapped": ops.stack(swapped),
        }

    def _peaks(self, heatmaps: Any) -> Any:
        """Return (B, K, 2), the centre of each map's highest pixel, in pixels of the input."""
        _, height, width, joints = heatmaps.shape
        best = ops.argmax(ops.reshape(heatmaps, (-1, height * width, joints)), axis=1)
        column, row = ops.mod(best, width), ops.floor_divide(best, width)
        return (ops.cast(ops.stack([column, row], axis=-1), "float32") + 0.5) * self.heatmap_stride

    def sums(self, predictions: Sequence[Any], batch: dict[str, Any]) -> Sums:
        """Return everything that adds up: losses, guesses' losses, weights, people, and what `points` returns."""
        losses, weight = self.losses(predictions, batch)
        mean, zero = self.guesses(batch)
        people = ops.sum(ops.cast(batch["valid"], "float32"))
        base = {"loss": losses, "weight": weight, "mean_map_loss": mean, "zero_map_loss": zero, "people": people}
        return {**base, **self.points(predictions, batch)}

    def by_source(self, predictions: Sequence[Any], batch: dict[str, Any], sources: int) -> list[Sums]:
        """Return `sums` of the people of each source alone."""
        mine = [ops.logical_and(batch["valid"], batch["source"] == source) for source in range(sources)]
        return [self.sums(predictions, {**batch, "valid": valid}) for valid in mine]


def _distance(a: Any, b: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(a - b), axis=-1))


def add_sums(sums: Sequence[Sums]) -> Sums:
    """Add sums up, as float64 NumPy arrays.

    Raises:
        RecordError: they are not of one kind: a checkpoint holds sums too.
    """
    kinds = [{name: (np.shape(a), np.asarray(a).dtype.kind in "fiu") for name, a in part.items()} for part in sums]
    if any(kind != kinds[-1] for kind in kinds):
        raise RecordError("the sums in the checkpoint are not those of this run: begin anew in another --run-dir.")
    return {name: np.sum([np.asarray(part[name], np.float64) for part in sums], axis=0) for name in sums[0]}


def figures(sums: Sums, table: KeypointTable) -> dict[str, float]:
    """Turn sums over the joints of a table into the figures that a log shows; one without a joint is left out.

    Returns:
        `loss`, over all stacks, as minimised; `lossN` of stack N; `skill`, the share of the better guess's loss that
        the last stack does without: 1 is perfect, 0 is guessing, and less is worse; `skillN`; `pck@T` of the last
        stack, `pck@T_guess`, `pck@T_stackN`, and, of each of the table's families, `pck@T_eye` and `pck@T_eye_guess`;
        `swapped`, the share of joints nearer to their mirror partner's place, among those where both are labelled and
        can be told apart.
    """
    stacks = len(sums["loss"])
    values = {"people": float(sums["people"])}
    if sums["weight"] > 0:
        losses = sums["loss"] / sums["weight"]
        better = min(sums["mean_map_loss"], sums["zero_map_loss"]) / sums["weight"]
        values["loss"] = float(losses.sum())
        values["guess_loss"] = float(better)
        for n, loss in enumerate(losses, 1):
            values[f"loss{n}"] = float(loss)
            values[f"skill{n}"] = float(1 - loss / better) if better > 0 else float("nan")
        values["skill"] = values[f"skill{stacks}"]
    joints = sums["joints"]
    for t, threshold in enumerate(SHOWN_THRESHOLDS):
        key = f"pck@{threshold}"
        if joints.sum():
            values[key] = float(sums["right"][-1, t].sum() / joints.sum())
            values[f"{key}_guess"] = float(sums["guess_right"][t].sum() / joints.sum())
            for n in range(stacks):
                values[f"{key}_stack{n + 1}"] = float(sums["right"][n, t].sum() / joints.sum())
        for family, members in table.families.items():
            k = list(members)
            if joints[k].sum():
                values[f"{key}_{family}"] = float(sums["right"][-1, t, k].sum() / joints[k].sum())
                values[f"{key}_{family}_guess"] = float(sums["guess_right"][t, k].sum() / joints[k].sum())
    if sums["paired"].sum():
        values["swapped"] = float(sums["swapped"][-1].sum() / sums["paired"].sum())
    return values
