"""What a training run is told: frozen configs, checked on construction, read from and written to one JSON file.

Loads neither TensorFlow nor Keras, so that the command line can show its defaults.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from cocoprep.checks import printable, require, require_choice, require_number, require_share, shown
from cocoprep.errors import ConfigError
from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.input.config import Cache, OnBadRecord, ReadConfig
from cocoprep.model.network.bounds import check_numbers
from cocoprep.model.network.config import LossConfig, NetworkConfig

Schedule = Literal["cosine", "steps", "constant"]
OptimizerKind = Literal["adam", "adamw", "rmsprop", "sgd"]
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
Devices = Literal["one", "cores", "all", "hosts"]
Backend = Literal["auto", "tensorflow", "jax"]
Xla = Literal["off", "pointwise", "whole"]
LEAST_HALF = 8  # people of a batch; of fewer, statistics of batch normalisation say too little
LONGEST_PATH = 4096  # that Linux takes
MOST_FOLDERS = 100
HIGHEST_RATE = 1000  # times the learning rate


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """How it is minimised.

    The learning rate rises over `warmup_epochs`, then falls to zero along a cosine, or by `decay` at each of `decay_at`
    (fractions of the run), or stays. Gradients longer than `clip_norm` are cut to it, 0 for never. `ema` is the share
    that a moving average of the weights keeps at each step, 0 for none; it is what validation and prediction then use.
    `rates` are factors of the learning rate by group of layers, `stem`, `stack1`, ...; 1 for those not named.
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
    rates: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_choice("--optimizer", self.kind, get_args(OptimizerKind))
        require_choice("--schedule", self.schedule, get_args(Schedule))
        require_number("--learning-rate", self.learning_rate, 0)
        require_number("--warmup-epochs", self.warmup_epochs, 0)
        require_number("optimizer.decay", self.decay, 0, 1)
        for fraction in self.decay_at:
            require_number("optimizer.decay_at", fraction, 0, 1)
        require_number("--weight-decay", self.weight_decay, 0)
        require_number("--clip-norm", self.clip_norm, 0)
        require_number("--ema", self.ema, 0, 0.999999)
        for group, factor in self.rates.items():
            _check_rate(printable(f"{group:.100}"), factor)


def _check_rate(group: str, factor: float) -> None:
    """Raise ConfigError unless a factor of the learning rate leaves something of it."""
    require_number(f"--rate {group}", factor)
    if factor == 0:
        raise ConfigError(f"--rate {group}: expected a number above 0, found 0. --freeze {group} leaves it untrained.")
    fits = 0 < factor <= HIGHEST_RATE
    require(fits, f"--rate {group}", f"a number above 0 and up to {HIGHEST_RATE}", factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One training run.

    Attributes:
        data: folder of shards to train on, or several.
        val: folder of shards to validate on, or several; None for no validation.
        init: run, or `.keras` file, whose weights it begins with; None for none.
        freeze: groups of layers that stay as they begin: `stem`, `stack1`, `stack2`, ...
        subset: share of the people of `data` that is used.
        weights: how often people are seen, by folder or source: see `cocoprep.model.input.weights`.
        precision: Keras's dtype policy.
        backend: what computes: the one that is named, or, by `auto`, TensorFlow where it is installed, else JAX.
        xla: what XLA compiles for TensorFlow; for JAX it compiles all. Nothing; on a CPU what is `pointwise`, which has
            saved no time since batch normalisation is one operation; or the `whole` step, worth trying on one GPU.
        devices: `one`, or `all` GPUs or TPU chips of the machine, or, on JAX, those of all `hosts` that train together,
            each taking its part of every batch. `cores` is one whose batches TensorFlow takes in two halves at a time
            where it is a CPU.
        checkpoint_steps: save at least every so many steps.
        checkpoint_minutes: save at least every so many minutes.
        keep: how many checkpoints are kept.
        log_steps: steps that one line of the log sums up.
        oks_epochs: epochs between two measurements of OKS AP; the last epoch is always measured.
        cache, on_bad_record: see `ReadConfig`.
    """

    data: str | tuple[str, ...]
    val: str | tuple[str, ...] | None = None
    init: str | None = None
    freeze: tuple[str, ...] = ()
    epochs: int = 100
    batch_size: int = 32
    seed: int = 0
    subset: float = 1.0
    weights: dict[str, float] = field(default_factory=dict)
    augment: AugmentConfig = field(default_factory=lambda: STRENGTHS["medium"])
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    precision: Precision = "float32"
    backend: Backend = "auto"
    xla: Xla = "off"
    devices: Devices = "one"
    checkpoint_steps: int = 1000
    checkpoint_minutes: float = 5.0
    keep: int = 3
    log_steps: int = 20
    oks_epochs: int = 1
    cache: Cache = "auto"
    on_bad_record: OnBadRecord = "fail"

    def __post_init__(self) -> None:
        for option, paths in (("--data", self.folders), ("--val", self.val_folders)):
            require(len(paths) <= MOST_FOLDERS, option, f"at most {MOST_FOLDERS} folders", len(paths))
            for path in paths:
                require(len(path) <= LONGEST_PATH and "\0" not in path, option, "the path of a folder", path)
        if self.init is not None:
            fits = 0 < len(self.init) <= LONGEST_PATH and "\0" not in self.init
            require(fits, "--init", "the path of a run or of a .keras file", self.init)
        require_number("--epochs", self.epochs, 1, whole=True)
        require_number("--batch-size", self.batch_size, 1, whole=True)
        require_number("--seed", self.seed, 0, 2**31 - 1, whole=True)
        require_share("--subset", self.subset)
        require_choice("--precision", self.precision, get_args(Precision))
        require_choice("--backend", self.backend, get_args(Backend))
        require_choice("--xla", self.xla, get_args(Xla))
        require_choice("--devices", self.devices, get_args(Devices))
        require_number("--checkpoint-steps", self.checkpoint_steps, 1, whole=True)
        require_number("--checkpoint-minutes", self.checkpoint_minutes, 0)
        require_number("--keep", self.keep, 1, whole=True)
        require_number("--log-steps", self.log_steps, 1, whole=True)
        require_number("--oks-epochs", self.oks_epochs, 1, whole=True)

    def check_together(self) -> None:
        """Refuse settings that are fine each, and cannot be together. Raises ConfigError.

        Not on construction: a file of settings may leave to the command line what makes them whole.
        """
        network = self.network
        check_numbers(stacks=network.stacks, channels=network.channels, depth=network.depth, joints=1)
        if self.devices == "hosts" and self.backend != "jax":
            raise ConfigError(
                f"--devices hosts: expected --backend jax, found {self.backend}. On one host, --devices one."
            )
        if self.devices == "cores" and (self.batch_size < 2 * LEAST_HALF or self.batch_size % 2):
            raise ConfigError(
                f"--devices cores: expected a --batch-size of two halves of at least {LEAST_HALF} people each, found "
                f"{self.batch_size}. With that, --devices one."
            )
        if self.devices == "cores" and self.xla == "whole":
            raise ConfigError("--xla whole: compiles a step of one part; with it, --devices one.")
        frozen, rates = self.freeze, self.optimizer.rates
        groups = ["stem", *(f"stack{number}" for number in range(1, network.stacks + 1))]
        for option, named in (("--freeze", frozen), ("--rate", rates)):
            for name in named:
                several = f" Several groups: {option} once for each." if "," in name else ""
                require_choice(option, name, groups, several)
        if set(groups) <= set(frozen):
            raise ConfigError(
                f"--freeze: all of {', '.join(groups)} are frozen, and nothing is left to train. Leave one out."
            )
        if both := [name for name in frozen if name in rates]:
            raise ConfigError(
                f"--rate {both[0]}: --freeze {both[0]} leaves nothing of it to train. Leave one of the two out."
            )
        if frozen and self.init is None:
            raise ConfigError(
                f"--freeze {frozen[0]}: without --init its weights are random numbers, and would stay so. Name a "
                "network that has learned by --init, or leave --freeze out."
            )

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folders to train on."""
        return (self.data,) if isinstance(self.data, str) else self.data

    @property
    def val_folders(self) -> tuple[str, ...]:
        """Return the folders to validate on, none or more."""
        return (self.val,) if isinstance(self.val, str) else self.val or ()

    @property
    def read(self) -> ReadConfig:
        """Return how the shards are read."""
        return ReadConfig(
            batch_size=self.batch_size,
            seed=self.seed,
            augment=self.augment,
            subset=self.subset,
            weights=self.weights,
            cache=self.cache,
            on_bad_record=self.on_bad_record,
        )


# What a resumed run may be told anew without changing a single loss. Weights are named by folders, which may have
# moved: what they come to is checked by itself.
FREE_ON_RESUME = frozenset(
    {"backend", "data", "val", "checkpoint_steps", "checkpoint_minutes", "keep", "cache", "oks_epochs"}
)


def changed_on_resume(before: TrainConfig, now: TrainConfig, *, backends: tuple[str, str]) -> list[str]:
    """Say which settings differ though losses or the log depend on them.

    Epochs may be raised where the learning rate stays: all other schedules fall towards the last one. Devices may be
    others where only rounding depends on them.

    Args:
        before: the run's config.
        now: what it is to go on with.
        backends: what computed it, and what is to.
    """
    longer = now.optimizer.schedule == "constant" and now.epochs >= before.epochs
    whole = [_normalises_whole_batches(*one) for one in zip((before, now), backends, strict=True)]
    free = FREE_ON_RESUME | ({"epochs"} if longer else set()) | ({"devices"} if all(whole) else set())
    ours, theirs = (
        flat_settings({**to_builtins(config), "weights": None, "freeze": sorted(set(config.freeze))})
        for config in (now, before)
    )
    changed = [
        f"{name} was {shown(theirs[name])}, now {shown(ours[name])}"
        for name in ours
        if ours[name] != theirs[name] and name not in free
    ]
    if whole[0] != whole[1] and now.devices == before.devices:
        changed.append(
            f"the backend was {backends[0]}, now {backends[1]}, which with --devices {now.devices} normalises batches "
            f"otherwise: --backend {backends[0]} goes on"
        )
    return changed


def _normalises_whole_batches(config: TrainConfig, backend: str) -> bool:
    """Tell whether batch normalisation sees the whole of a batch, so that only rounding depends on the devices."""
    return config.devices == "one" or backend == "jax"


WHOLE = frozenset({"weights", "rates"})  # tables whose names are the user's: one takes the place of another


def flat_settings(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return settings by dotted names: `optimizer.learning_rate`."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        is_table = isinstance(value, dict) and name not in WHOLE
        flat |= flat_settings(value, f"{prefix}{name}.") if is_table else {prefix + name: value}
    return flat


def to_builtins(config: Any) -> dict[str, Any]:
    """Return a config as JSON can hold it."""
    return dataclasses.asdict(config)


def merge(base: dict[str, Any], changes: dict[str, Any], *, where: str) -> dict[str, Any]:
    """Return `base` with `changes` laid over it, nested tables too; a name that `base` lacks is an error."""
    merged = dict(base)
    for name, value in changes.items():
        if name not in base:
            raise ConfigError(
                f"{where}: no setting is called {shown(name)}; expected one of {', '.join(sorted(base))}."
            )
        inner = base[name]
        if name == "augment" and isinstance(value, str):
            merged[name] = to_builtins(_strength(value, where))
        elif isinstance(inner, dict) and name not in WHOLE:
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {name}: expected a table of settings, found {shown(value)}.")
            merged[name] = merge(inner, value, where=f"{where}: {name}")
        else:
            merged[name] = value
    return merged


def _strength(name: str, where: str) -> AugmentConfig:
    if name not in STRENGTHS:
        raise ConfigError(f"{where}: augment: expected one of {', '.join(STRENGTHS)}, found {shown(name)}.")
    return STRENGTHS[name]


def from_builtins(values: dict[str, Any], *, where: str) -> TrainConfig:
    """Return the config that `to_builtins` took apart.

    Raises:
        ConfigError: a value of the wrong type or out of range.
    """
    import msgspec

    try:
        return msgspec.convert(values, TrainConfig)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # the second for text that is half a character
        raise ConfigError(f"{where}: {error!s:.500}.") from error
