"""What a training run is told: frozen configs, checked on construction, read from and written to one JSON file.

Loads neither TensorFlow nor Keras, so that the command line can show its defaults.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from cocoprep.errors import ConfigError
from model.augment_config import STRENGTHS, AugmentConfig
from model.read_config import Cache, OnBadRecord, ReadConfig

Convolution = Literal["standard", "separable"]
Activation = Literal["linear", "sigmoid", "relu", "tanh"]
LossKind = Literal["mse", "weighted_mse", "adaptive_wing"]
Unlabelled = Literal["mask", "background"]
Schedule = Literal["cosine", "steps", "constant"]
OptimizerKind = Literal["adam", "adamw", "rmsprop", "sgd"]
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
Devices = Literal["one", "all"]
Xla = Literal["off", "pointwise", "whole"]


def _number(option: str, value: object, lowest: float, highest: float = math.inf, *, whole: bool = False) -> None:
    kind = "a whole number" if whole else "a number"
    good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not lowest <= value <= highest:  # type: ignore[operator]
        upwards = " up" if highest == math.inf else f" to {highest}"
        raise ConfigError(f"{option}: expected {kind} from {lowest}{upwards}, found {value!r}.")


def _choice(option: str, value: object, choices: Any) -> None:
    if value not in get_args(choices):
        raise ConfigError(f"{option}: expected one of {', '.join(get_args(choices))}, found {value!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """The network: see `model.hourglass.build_hourglass`, which checks it. Sizes and joints come from the shards."""

    stacks: int = 2
    channels: int = 256
    depth: int = 4
    convolution: Convolution = "standard"
    activation: Activation = "linear"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """What is minimised: see `model.losses`.

    `unlabelled` joints are masked, or taught as background: an empty map, so that the network can say "not there".
    `foreground` is how many times more a pixel at a joint counts than one far from it, in `weighted_mse`.
    """

    kind: LossKind = "weighted_mse"
    unlabelled: Unlabelled = "mask"
    foreground: float = 20.0

    def __post_init__(self) -> None:
        _choice("--loss", self.kind, LossKind)
        _choice("--unlabelled", self.unlabelled, Unlabelled)
        _number("--foreground", self.foreground, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """How it is minimised.

    The learning rate rises over `warmup_epochs`, then falls to zero along a cosine, or by `decay` at each of `decay_at`
    (fractions of the run), or stays. Gradients longer than `clip_norm` are cut to it, 0 for never. `ema` is the share
    that a moving average of the weights keeps at each step, 0 for none; it is what validation and prediction then use.
    """

    kind: OptimizerKind = "adam"
    learning_rate: float = 1e-3
    schedule: Schedule = "cosine"
    warmup_epochs: float = 1.0
    decay: float = 0.1
    decay_at: tuple[float, ...] = (0.7, 0.9)
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    ema: float = 0.0

    def __post_init__(self) -> None:
        _choice("--optimizer", self.kind, OptimizerKind)
        _choice("--schedule", self.schedule, Schedule)
        _number("--learning-rate", self.learning_rate, 0)
        _number("--warmup-epochs", self.warmup_epochs, 0)
        _number("optimizer.decay", self.decay, 0, 1)
        for fraction in self.decay_at:
            _number("optimizer.decay_at", fraction, 0, 1)
        _number("--weight-decay", self.weight_decay, 0)
        _number("--clip-norm", self.clip_norm, 0)
        _number("--ema", self.ema, 0, 0.999999)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One training run.

    Attributes:
        data: folder of shards to train on.
        val: folder of shards to validate on; None for no validation.
        subset: share of the people of `data` that is used.
        precision: Keras's dtype policy.
        xla: what XLA compiles: on a CPU what is `pointwise`, which saves time from some 128 channels up; the `whole`
            step, worth trying on one GPU; or nothing.
        devices: `one`, or `all` GPUs of the machine, each taking its part of every batch.
        checkpoint_steps: save at least every so many steps.
        checkpoint_minutes: save at least every so many minutes.
        keep: how many checkpoints are kept.
        log_steps: steps that one line of the log sums up.
        oks_epochs: epochs between two measurements of OKS AP; the last epoch is always measured.
        cache, on_bad_record: see `ReadConfig`.
    """

    data: str
    val: str | None = None
    epochs: int = 100
    batch_size: int = 32
    seed: int = 0
    subset: float = 1.0
    augment: AugmentConfig = field(default_factory=lambda: STRENGTHS["medium"])
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    precision: Precision = "float32"
    xla: Xla = "pointwise"
    devices: Devices = "one"
    checkpoint_steps: int = 1000
    checkpoint_minutes: float = 5.0
    keep: int = 3
    log_steps: int = 20
    oks_epochs: int = 1
    cache: Cache = "auto"
    on_bad_record: OnBadRecord = "fail"

    def __post_init__(self) -> None:
        _number("--epochs", self.epochs, 1, whole=True)
        _number("--batch-size", self.batch_size, 1, whole=True)
        _number("--seed", self.seed, 0, 2**31 - 1, whole=True)
        if not 0 < self.subset <= 1:
            raise ConfigError(f"--subset: expected a share above 0 and up to 1, found {self.subset!r}.")
        _choice("--precision", self.precision, Precision)
        _choice("--xla", self.xla, Xla)
        _choice("--devices", self.devices, Devices)
        _number("--checkpoint-steps", self.checkpoint_steps, 1, whole=True)
        _number("--checkpoint-minutes", self.checkpoint_minutes, 0)
        _number("--keep", self.keep, 1, whole=True)
        _number("--log-steps", self.log_steps, 1, whole=True)
        _number("--oks-epochs", self.oks_epochs, 1, whole=True)

    @property
    def read(self) -> ReadConfig:
        """Return how the shards are read."""
        return ReadConfig(
            batch_size=self.batch_size,
            seed=self.seed,
            augment=self.augment,
            subset=self.subset,
            cache=self.cache,
            on_bad_record=self.on_bad_record,
        )


# What a resumed run may be told anew without changing a single loss.
FREE_ON_RESUME = frozenset({"data", "val", "checkpoint_steps", "checkpoint_minutes", "keep", "cache", "oks_epochs"})


def changed_on_resume(before: TrainConfig, now: TrainConfig) -> list[str]:
    """Say which settings differ though losses or the log depend on them.

    Epochs may be raised where the learning rate stays: all other schedules fall towards the last one.
    """
    longer = now.optimizer.schedule == "constant" and now.epochs >= before.epochs
    free = FREE_ON_RESUME | ({"epochs"} if longer else set())
    ours, theirs = _flat(to_builtins(now)), _flat(to_builtins(before))
    return [
        f"{name} was {theirs[name]!r}, now {ours[name]!r}"
        for name in ours
        if ours[name] != theirs[name] and name not in free
    ]


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return settings by dotted names: `optimizer.learning_rate`."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def to_builtins(config: Any) -> dict[str, Any]:
    """Return a config as JSON can hold it."""
    return dataclasses.asdict(config)


def merge(base: dict[str, Any], changes: dict[str, Any], *, where: str) -> dict[str, Any]:
    """Return `base` with `changes` laid over it, nested tables too; a name that `base` lacks is an error."""
    merged = dict(base)
    for name, value in changes.items():
        if name not in base:
            raise ConfigError(f"{where}: no setting is called {name!r}; expected one of {', '.join(sorted(base))}.")
        inner = base[name]
        if name == "augment" and isinstance(value, str):
            merged[name] = to_builtins(_strength(value, where))
        elif isinstance(inner, dict):
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {name}: expected a table of settings, found {value!r}.")
            merged[name] = merge(inner, value, where=f"{where}: {name}")
        else:
            merged[name] = value
    return merged


def _strength(name: str, where: str) -> AugmentConfig:
    if name not in STRENGTHS:
        raise ConfigError(f"{where}: augment: expected one of {', '.join(STRENGTHS)}, found {name!r}.")
    return STRENGTHS[name]


def from_builtins(values: dict[str, Any], *, where: str) -> TrainConfig:
    """Return the config that `to_builtins` took apart.

    Raises:
        ConfigError: a value of the wrong type or out of range.
    """
    import msgspec

    try:
        return msgspec.convert(values, TrainConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}.") from error
