"""What can be set of network and loss: frozen configs, checked on construction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from cocoprep.checks import require_choice, require_number

Convolution = Literal["standard", "separable"]


Activation = Literal["linear", "sigmoid", "relu", "tanh"]


LossKind = Literal["mse", "weighted_mse", "adaptive_wing"]


Unlabelled = Literal["mask", "background"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """The network: see `hourglass.build_hourglass`, which checks it. Sizes and joints come from the shards."""

    stacks: int = 2
    channels: int = 256
    depth: int = 4
    convolution: Convolution = "standard"
    activation: Activation = "linear"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """What is minimised: see `losses`.

    `unlabelled` joints are masked, or taught as background: an empty map, so that the network can say "not there".
    `foreground` is how many times more a pixel at a joint counts than one far from it, in `weighted_mse`.
    """

    kind: LossKind = "weighted_mse"
    unlabelled: Unlabelled = "mask"
    foreground: float = 20.0

    def __post_init__(self) -> None:
        require_choice("--loss", self.kind, get_args(LossKind))
        require_choice("--unlabelled", self.unlabelled, get_args(Unlabelled))
        require_number("--foreground", self.foreground, 0)
