"""What is varied: settings of short trainings of like cost, read from a TOML file such as ablations.toml beside this.

Loads neither PyTorch nor TensorFlow. A setting has the name and the meaning that `cocoprep train` or `build` gives it.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from cocoprep.checks import require, require_choice, require_number, shown
from cocoprep.errors import ConfigError
from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.network.config import Convolution, LossConfig, LossKind

Falls = Literal["cosine", "linear", "steps", "constant"]
STRIDES = (2, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to train.

    Attributes:
        cost: of a step on two cores, for each person in it, over that of the plain one: it has as many epochs fewer.
        input_size: side of the square input in pixels; stored crops are shrunk to it.
        sigma: of the heatmaps, in heatmap pixels.
        schedule: `linear` falls in a line to zero; the others as those of `cocoprep train`.
        augment: name of a strength.
        augment_changes: fields of it that differ.
        half_body: share of the people, with enough joints for it, of whom the upper or the lower half is shown.
        hard_joints: that many maps of each person, those of the highest losses, count twice; 0 for none.
        huber: error from which a squared error grows in a line; 0 for never.
        trim: share of the maps of a batch, those of the highest losses, that do not count once `TRIM_FROM` of the
            training is over.
        exclude: whether the people of the list that is handed over are left out.
    """

    cost: float = 1.0
    stacks: int = 2
    channels: int = 64
    depth: int = 4
    convolution: Convolution = "standard"
    input_size: int = 128
    heatmap_stride: int = 4
    sigma: float = 2.0
    batch_size: int = 16
    learning_rate: float = 0.006
    warmup_epochs: float = 1.0
    schedule: Falls = "cosine"
    ema: float = 0.998
    weight_decay: float = 0.0
    loss: LossKind = "weighted_mse"
    foreground: float = 20.0
    huber: float = 0.0
    hard_joints: int = 0
    trim: float = 0.0
    augment: str = "light"
    augment_changes: Mapping[str, float] = field(default_factory=dict)
    half_body: float = 0.0
    exclude: bool = False

    def __post_init__(self) -> None:
        require_number("cost", self.cost, 0.01, 100)
        for name, highest in (("stacks", 8), ("channels", 4096), ("depth", 10), ("batch_size", 4096)):
            require_number(name, getattr(self, name), 1, highest, whole=True)
        require(self.channels % 2 == 0, "channels", "an even number", self.channels)
        require_choice("convolution", self.convolution, get_args(Convolution))
        require_choice("heatmap_stride", self.heatmap_stride, STRIDES)
        divisor = self.heatmap_stride * 2**self.depth
        require_number("input_size", self.input_size, 16, 4096, whole=True)
        divides = self.input_size % divisor == 0
        require(divides, "input_size", f"a multiple of {divisor}, the stride times 2 to the depth", self.input_size)
        require_number("sigma", self.sigma, 0.1, 100)
        require_number("learning_rate", self.learning_rate, 0)
        require_number("warmup_epochs", self.warmup_epochs, 0)
        require_choice("schedule", self.schedule, get_args(Falls))
        require_number("ema", self.ema, 0, 0.999999)
        require_number("weight_decay", self.weight_decay, 0)
        LossConfig(kind=self.loss, foreground=self.foreground)
        require_number("huber", self.huber, 0)
        require_number("hard_joints", self.hard_joints, 0, 1000, whole=True)
        require_number("trim", self.trim, 0, 0.9)
        one_at_most = not (self.trim and self.hard_joints)
        require(one_at_most, "trim, hard_joints", "one of them at most", (self.trim, self.hard_joints))
        require_number("half_body", self.half_body, 0, 1)
        require(isinstance(self.exclude, bool), "exclude", "true or false", self.exclude)
        require_choice("augment", self.augment, STRENGTHS)
        require(isinstance(self.augment_changes, Mapping), "augment_changes", "a table", self.augment_changes)
        _require_known("augment_changes", self.augment_changes, AugmentConfig)
        dataclasses.replace(STRENGTHS[self.augment], **self.augment_changes)

    @property
    def augmentation(self) -> AugmentConfig:
        """Return how people are varied."""
        return dataclasses.replace(STRENGTHS[self.augment], **self.augment_changes)

    @property
    def heatmap_size(self) -> int:
        """Return the side of a heatmap in pixels."""
        return self.input_size // self.heatmap_stride


@dataclass(frozen=True)
class Task:
    """A training: a variant from a seed, for some epochs."""

    name: str
    variant: Variant
    seed: int
    epochs: float

    @property
    def about(self) -> dict[str, Any]:
        """Return what its result is known by."""
        settings = json.loads(json.dumps(dataclasses.asdict(self.variant)))
        return {"variant": self.name, "seed": self.seed, "epochs": self.epochs, "settings": settings}


@dataclass(frozen=True)
class Variants:
    """Variants by name, `plain` first, and the epochs that the plain one has."""

    epochs: float
    by_name: Mapping[str, Variant]

    def only(self, names: Iterable[str]) -> Variants:
        """Return the plain one and those of some names. Raises ConfigError for a name that is none."""
        for name in names:
            require_choice("--only", name, self.by_name)
        return Variants(self.epochs, {name: self.by_name[name] for name in dict.fromkeys(["plain", *names])})


def read_variants(path: Path) -> Variants:
    """Read a file: `epochs`, the table `plain`, and `variants`, a table of each, of what differs from the plain one.

    Raises:
        ConfigError: it cannot be read, or is no such file; names the variant and the setting.
    """
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: expected a TOML file of variants, found something else ({error}).") from error
    unknown = set(content) - {"epochs", "plain", "variants"}
    require(not unknown, str(path), "epochs, plain and variants", sorted(unknown))
    require_number(f"{path}: epochs", content.get("epochs"), 0.01, 100_000)
    plain, others = content.get("plain", {}), content.get("variants", {})
    require(isinstance(others, dict) and "plain" not in others, f"{path}: variants", "tables by other names", others)
    by_name = {"plain": plain} | others
    return Variants(content["epochs"], {name: _variant(path, name, plain, own) for name, own in by_name.items()})


def _variant(path: Path, name: str, plain: Any, own: Any) -> Variant:
    where = f"{path}: {shown(name)}"
    for table in (plain, own):
        require(isinstance(table, dict), where, "a table of settings", table)
        _require_known(where, table, Variant)
    try:
        return Variant(**{**plain, **own})
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _require_known(where: str, table: Mapping[str, Any], config: type) -> None:
    known = [one.name for one in dataclasses.fields(config)]
    for name in table:
        require_choice(where, name, known)
