"""The answer that takes no picture, of the people that a run learns from: the guess of each folder, put together.

K joints, heatmaps of (h, w).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocoprep.evaluation.baseline import Baseline, read_baseline
from cocoprep.model.input.mixture import Mixture
from cocoprep.model.network.config import LossConfig
from cocoprep.model.training.metrics import Guess
from cocoprep.pose import affine
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.storage.store import FileStore


def read_guess(people: Mixture, loss: LossConfig, files: FileStore) -> Guess:
    """Return the guess that a loss asks for, of the people of a mixture as often as they are seen.

    Raises:
        RecordError: the baseline of a folder is missing or damaged.
    """
    baselines = [read_baseline(part.folder, part.manifest, files) for part in people.parts]
    if len(people.sources) == 1:
        return Guess.for_loss(baselines[0], loss)
    return join_guesses(baselines, *_turns(people), people.manifest.crop.heatmap_stride, loss)


def join_guesses(
    baselines: list[Baseline], turns: NDArray[np.float64], searched: NDArray[np.float64], stride: int, loss: LossConfig
) -> Guess:
    """Return the guess of several folders.

    Args:
        baselines: of F folders.
        turns: (F,) how many people of each an epoch sees.
        searched: (F, K) of how many of them the source labels each joint.
        stride: input pixels a heatmap pixel.
        loss: where unlabelled joints are background, they thin the mean map out, as far as somebody has looked.
    """
    labelled = np.array([turn * b.labelled / b.people for turn, b in zip(turns, baselines, strict=True)])
    sums = sum(counts * b.mean_heatmaps.astype(np.float64) for counts, b in zip(labelled, baselines, strict=True))
    total = labelled.sum(axis=0)
    mean = (sums / np.where(total > 0, total, 1)).astype(np.float32)
    points = affine.heatmap_to_crop(decode_heatmaps(mean, decoder="argmax")[0], stride).astype(np.float32)
    if loss.unlabelled == "background":
        mean = mean * np.minimum(total / np.maximum(searched.sum(axis=0), 1e-9), 1).astype(np.float32)
    return Guess(mean, points)


def _turns(people: Mixture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (F,) how many people of each folder an epoch sees, and (F, K) in how many each joint is looked for."""
    counts = np.bincount(people.source_places, minlength=len(people.sources))
    seen = counts * np.array([weight for one in people.weights for weight in one])
    looked_for = np.concatenate([part.sources.looked_for for part in people.parts])
    of_folder = np.arange(len(people.parts))[:, None] == np.array(people.folder_of)
    return of_folder @ seen, of_folder @ (seen[:, None] * looked_for)
