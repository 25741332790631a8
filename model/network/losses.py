"""Losses on heatmaps. B people, K joints, heatmaps of (h, w); every value float32, of peak 1.

Written in `keras.ops`, so that they run on every backend.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from cocoprep.model.network.config import LossConfig

# The adaptive wing loss: its authors' constants for heatmaps of peak 1.
# Source: Wang, Bo and Li 2019, "Adaptive Wing Loss for Robust Face Alignment via Heatmap Regression", section 6.
OMEGA, THETA, EPSILON, ALPHA = 14.0, 0.5, 1.0, 2.1


def joint_losses(predicted: Any, truth: Any, config: LossConfig) -> Any:
    """Return (B, K), the loss of each map, a mean over its pixels.

    Args:
        predicted: (B, h, w, K), or what broadcasts to it.
        truth: (B, h, w, K).
        config: which loss.
    """
    if config.kind == "adaptive_wing":
        values = _adaptive_wing(ops.abs(truth - predicted), truth)
    else:
        values = ops.square(predicted - truth)
        if config.kind == "weighted_mse":
            values = values * (1 + config.foreground * truth)
    return ops.mean(values, axis=(1, 2))


def loss_weights(batch: dict[str, Any], config: LossConfig) -> Any:
    """Return (B, K), how much each map counts.

    A labelled joint inside the window counts 1, one outside 0. An unlabelled one counts 0 where it is masked, and 1
    where it is taught as background: its stored map is empty. It counts 0 there too where the person's source does not
    label such joints: nobody has looked for it. People who only fill up a batch count 0.

    Args:
        batch: `weights` (B, K), `visibility` (B, K), `looked_for` (B, K) and `valid` (B,).
        config: what to do with unlabelled joints.
    """
    weights = batch["weights"]
    if config.unlabelled == "background":
        absent = ops.cast(batch["visibility"] == 0, "float32")
        weights = weights + absent * ops.cast(batch["looked_for"], "float32")
    return weights * ops.cast(batch["valid"], "float32")[:, None]


def _adaptive_wing(error: Any, truth: Any) -> Any:
    """Return the adaptive wing loss of each pixel: logarithmic up to THETA, linear from there, both smooth."""
    power = ALPHA - truth
    at_theta = (THETA / EPSILON) ** power
    slope = OMEGA / (1 + at_theta) * power * (THETA / EPSILON) ** (power - 1) / EPSILON
    offset = THETA * slope - OMEGA * ops.log1p(at_theta)
    # Where the other branch is taken, a zero would have no finite power's gradient.
    safe = ops.maximum(ops.minimum(error, THETA), 1e-6)
    return ops.where(error < THETA, OMEGA * ops.log1p((safe / EPSILON) ** power), slope * error - offset)
