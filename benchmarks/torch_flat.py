"""A network whose values lie in one buffer, so that its update by Adam is a few operations, not hundreds."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.ablation_variants import Variant

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-7  # Keras's
ALIGNED = 64  # float32 numbers, 256 bytes: cuDNN fails on weights that do not begin at a multiple of 16 bytes
DECAY, DECAY_AT = 0.1, (0.7, 0.9)  # of the schedule "steps", as in OptimizerConfig


class FlatNetwork:
    """A network, its optimizer's state and its average, all of them flat.

    Attributes:
        network: whose weights and statistics are views of `values`, and whose gradients are views of `gradients`.
        values: (V,) the weights, then the statistics of batch normalisation.
        gradients: (P,) of the weights.
        average: (V,) the moving average of `values`.
        parameters: how many weights are trained, without what only aligns them.
    """

    def __init__(self, network: nn.Module) -> None:
        weights = list(network.parameters())
        statistics = [buffer for name, buffer in network.named_buffers() if "running_" in name]
        device = weights[0].device
        trained, total = (sum(map(_aligned, some)) for some in (weights, weights + statistics))
        self.network, self.parameters = network, sum(weight.numel() for weight in weights)
        self.values, self.gradients = torch.zeros(total, device=device), torch.zeros(trained, device=device)
        start = 0
        for tensor in weights + statistics:
            view = self.values.as_strided(tensor.shape, tensor.stride(), start)
            view.copy_(tensor.data)
            tensor.data = view
            if start < trained:
                tensor.grad = self.gradients.as_strided(tensor.shape, tensor.stride(), start)
            start += _aligned(tensor)
        self.average = self.values.clone()
        self._weights = self.values[:trained]
        self._mean, self._square = torch.zeros_like(self.gradients), torch.zeros_like(self.gradients)

    @property
    def state(self) -> list[Tensor]:
        """Return all that a step changes."""
        return [self.values, self.average, self._mean, self._square]

    def update(self, rates: Tensor) -> None:
        """Take the gradients into the weights, and these into the average: Keras's Adam, and our `WeightAverage`.

        Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", the form at the end of section 2.

        Args:
            rates: (3,) of this step, of `step_rates`.
        """
        step_size, kept_weight, kept_average = rates.unbind()
        self._mean.lerp_(self.gradients, 1 - BETA1)
        self._square.mul_(BETA2).addcmul_(self.gradients, self.gradients, value=1 - BETA2)
        self._weights.mul_(kept_weight).sub_(step_size * self._mean / (self._square.sqrt() + EPSILON))
        self.average.mul_(kept_average).add_((1 - kept_average) * self.values)


def step_rates(variant: Variant, *, steps: int, steps_an_epoch: int) -> NDArray[np.float32]:
    """Return (T, 3) of each step: Adam's step size, what weight decay leaves of a weight, what the average keeps."""
    step = np.arange(steps)
    rate = learning_rates(variant, steps=steps, warmup=round(variant.warmup_epochs * steps_an_epoch))
    size = rate * np.sqrt(1 - BETA2 ** (step + 1.0)) / (1 - BETA1 ** (step + 1.0))
    kept = np.minimum(variant.ema, (2.0 + step) / (11.0 + step))
    return np.stack([size, 1 - rate * variant.weight_decay, kept], axis=-1).astype(np.float32)


def learning_rates(variant: Variant, *, steps: int, warmup: int) -> NDArray[np.float64]:
    """Return (T,) the learning rate of each step: see `cocoprep.model.training.schedule`; `linear` is new here."""
    step = np.arange(steps)
    rise = np.minimum((step + 1) / max(warmup, 1), 1.0)
    done = np.clip((step - warmup) / max(steps - warmup, 1), 0.0, 1.0)
    passed = sum((step >= fraction * steps).astype(float) for fraction in DECAY_AT)
    fall = {
        "cosine": 0.5 * (1 + np.cos(math.pi * done)),
        "linear": 1 - done,
        "steps": np.power(DECAY, passed),
        "constant": np.ones(steps),
    }[variant.schedule]
    rates: NDArray[np.float64] = variant.learning_rate * rise * fall
    return rates


def _aligned(tensor: Tensor) -> int:
    count: int = tensor.numel()
    return -(-count // ALIGNED) * ALIGNED
