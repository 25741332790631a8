"""The learning rate as a function of the step."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from cocoprep.model.run.config import OptimizerConfig
from cocoprep.model.training.group_rates import AdamByGroup, RMSpropByGroup, SGDByGroup

PLAIN: dict[str, Any] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
BY_GROUP: dict[str, Any] = {"adam": AdamByGroup, "adamw": AdamByGroup, "rmsprop": RMSpropByGroup, "sgd": SGDByGroup}


@keras.saving.register_keras_serializable("cocoprep")
class WarmedUp(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Rises in a line over `warmup` steps, then follows `kind` down to the last of `steps`.

    `cosine` falls to zero along half a period; `steps` multiplies by `decay` at each of the fractions `decay_at` of all
    steps; `constant` stays.
    """

    def __init__(
        self, *, peak: float, steps: int, warmup: int, kind: str, decay: float = 0.1, decay_at: tuple[float, ...] = ()
    ) -> None:
        """Set the schedule up; `peak` is the highest rate."""
        super().__init__()
        self.peak, self.steps, self.warmup, self.kind = peak, steps, warmup, kind
        self.decay, self.decay_at = decay, tuple(decay_at)

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, counted from 0."""
        at = ops.cast(step, "float32")
        # The first step already moves: a rate of zero would waste it.
        rise = ops.minimum((at + 1) / max(self.warmup, 1), 1.0) if self.warmup else 1.0
        return self.peak * rise * self._fall(at)

    def _fall(self, at: Any) -> Any:
        if self.kind == "cosine":
            done = (at - self.warmup) / max(self.steps - self.warmup, 1)
            return 0.5 * (1 + ops.cos(math.pi * ops.clip(done, 0.0, 1.0)))
        if self.kind == "steps":
            passed = sum(ops.cast(at >= fraction * self.steps, "float32") for fraction in self.decay_at)
            return ops.power(self.decay, passed) if self.decay_at else 1.0
        return 1.0

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this schedule again."""
        return {
            "peak": self.peak,
            "steps": self.steps,
            "warmup": self.warmup,
            "kind": self.kind,
            "decay": self.decay,
            "decay_at": self.decay_at,
        }


def build_optimizer(config: OptimizerConfig, steps_per_epoch: int, epochs: int, precision: str) -> Any:
    """Build the optimizer of a run: schedule, rates by group, and loss scale where needed."""
    schedule = WarmedUp(
        peak=config.learning_rate,
        steps=steps_per_epoch * epochs,
        warmup=round(config.warmup_epochs * steps_per_epoch),
        kind=config.schedule,
        decay=config.decay,
        decay_at=config.decay_at,
    )
    shared: dict[str, Any] = {
        "learning_rate": schedule,
        # A decay of zero would cost an update of each variable all the same. AdamW insists on a number.
        "weight_decay": config.weight_decay if config.kind == "adamw" else config.weight_decay or None,
    }
    if config.kind == "sgd":
        shared |= {"momentum": 0.9, "nesterov": True}
    # Keras's own where all learn at one rate: a factor of 1 would cost as much as any other.
    optimizer = BY_GROUP[config.kind](rates=config.rates, **shared) if config.rates else PLAIN[config.kind](**shared)
    # Half precision's smallest numbers are larger than many gradients: scaled up, they survive.
    return keras.optimizers.LossScaleOptimizer(optimizer) if precision == "mixed_float16" else optimizer
