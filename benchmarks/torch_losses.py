"""Losses on heatmaps in PyTorch: those of cocoprep.model.network.losses, and some that it has not.

B people, K joints, heatmaps of (h, w). T, the steps of a training, is known ahead.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.ablation_variants import Variant

# Source: see cocoprep.model.network.losses; its EPSILON is 1.
OMEGA, THETA, ALPHA = 14.0, 0.5, 2.1
TRIM_FROM = 0.3  # of the training: before, what is hard is not yet what is wrong


def joint_losses(predicted: Tensor, truth: Tensor, variant: Variant) -> Tensor:
    """Return (B, K), the loss of each map (B, K, h, w), a mean over its pixels.

    Source of `huber`: Huber 1964, "Robust Estimation of a Location Parameter"; twice his, which begins as a square.
    """
    error = (predicted - truth).abs()
    if variant.loss == "adaptive_wing":
        values = _adaptive_wing(error, truth)
    else:
        values, bound = error.square(), variant.huber
        if bound:
            values = torch.where(error < bound, values, bound * (2 * error - bound))
        if variant.loss == "weighted_mse":
            values = values * (1 + variant.foreground * truth)
    return values.mean(dim=(2, 3))


def total_loss(losses: Tensor, weights: Tensor, variant: Variant, done: Tensor) -> Tensor:
    """Return the loss of a batch of one stack: a mean over the maps that count, with what a variant adds or leaves out.

    Hard joints are counted twice, as online hard keypoint mining does. Source: Chen et al. 2018, "Cascaded Pyramid
    Network for Multi-Person Pose Estimation".

    Args:
        losses: (B, K).
        weights: (B, K), how much each map counts.
        variant: says what is hard and what is trimmed.
        done: () the share of the training that is over.
    """
    counted = losses * weights
    total = weights.sum().clamp_min(1.0)
    if variant.hard_joints:
        hardest = torch.topk(counted, min(variant.hard_joints, counted.shape[1]), dim=1).values
        return (counted.sum() + hardest.sum()) / total
    if variant.trim:
        known = counted.detach()
        left_out = (known > torch.quantile(known, 1 - variant.trim)) & (done > TRIM_FROM)
        counted = torch.where(left_out, 0.0, counted)
    return counted.sum() / total


def _adaptive_wing(error: Tensor, truth: Tensor) -> Tensor:
    """Return the adaptive wing loss of each pixel: logarithmic up to THETA, linear from there, both smooth."""
    power = ALPHA - truth
    at_theta = THETA**power
    slope = OMEGA / (1 + at_theta) * power * THETA ** (power - 1)
    offset = THETA * slope - OMEGA * torch.log1p(at_theta)
    # Where the other branch is taken, a zero would have no finite power's gradient.
    safe = error.clamp(1e-6, THETA)
    return torch.where(error < THETA, OMEGA * torch.log1p(safe**power), slope * error - offset)
