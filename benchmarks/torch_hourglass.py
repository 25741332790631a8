"""The stacked hourglass in plain PyTorch, to compare the Keras one with: the same topology, the same names.

Source: Newell, Yang and Deng 2016, "Stacked Hourglass Networks for Human Pose Estimation". Tensors are (B, C, H, W).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, relu

KERAS_NAMES = {
    "conv": {"weight": "kernel", "bias": "bias"},
    "bn": {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"},
}


TRUNCATED_STDDEV = 0.87962566  # of a normal distribution cut at two standard deviations
HEAD_STDDEV = 1e-3  # as in cocoprep.model.network.hourglass, which says why


@dataclass(frozen=True)
class Convolutions:
    """How convolutions are made: `separable` the 3x3 ones, and with a bias or not where a normalisation takes it out.

    Such a bias changes no function, but is one more thing to compute; the Keras network has it.
    """

    separable: bool = False
    bias_before_norm: bool = True

    def small(self, inputs: int, outputs: int, *, before_norm: bool = False) -> nn.Module:
        """Return a 1x1 convolution."""
        return nn.Conv2d(inputs, outputs, 1, bias=self.bias_before_norm or not before_norm)

    def large(self, channels: int) -> nn.Module:
        """Return a 3x3 convolution before a normalisation."""
        if self.separable:
            return Separable(channels, bias=self.bias_before_norm)
        return nn.Conv2d(channels, channels, 3, padding=1, bias=self.bias_before_norm)


class Separable(nn.Module):
    """A depthwise 3x3 convolution, then a 1x1 one."""

    def __init__(self, channels: int, *, bias: bool) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Take (B, channels, h, w) to the same shape."""
        return self.pointwise(self.depthwise(x))


class Residual(nn.Module):
    """BN and ReLU before each of 1x1, 3x3 at half the width, 1x1; plus the input."""

    def __init__(self, inputs: int, outputs: int, make: Convolutions) -> None:
        super().__init__()
        half = outputs // 2
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), make.small(inputs, half, before_norm=True)
        self.bn2, self.conv2 = nn.BatchNorm2d(half), make.large(half)
        self.bn3, self.conv3 = nn.BatchNorm2d(half), make.small(half, outputs)
        self.skip = nn.Identity() if inputs == outputs else make.small(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Take (B, inputs, h, w) to (B, outputs, h, w)."""
        inner = self.conv1(relu(self.bn1(x)))
        inner = self.conv2(relu(self.bn2(inner)))
        inner = self.conv3(relu(self.bn3(inner)))
        return self.skip(x) + inner


class Stem(nn.Module):
    """From the image to the size of the heatmaps; as wide as in the paper at 256 channels, else narrower with them."""

    def __init__(self, channels: int, stride: int, make: Convolutions) -> None:
        super().__init__()
        narrow, wide = max(1, channels // 4), max(2, channels // 2)
        self.stride = stride
        self.conv = nn.Conv2d(3, narrow, 7, stride=2, padding=3, bias=make.bias_before_norm)
        self.bn = nn.BatchNorm2d(narrow)
        self.residual1, self.residual2 = Residual(narrow, wide, make), Residual(wide, wide, make)
        self.residual3 = Residual(wide, channels, make)

    def forward(self, x: Tensor) -> Tensor:
        """Take (B, 3, H, W) to (B, channels, H / stride, W / stride)."""
        x = self.residual1(relu(self.bn(self.conv(x))))
        x = self.residual2(max_pool2d(x, 2) if self.stride >= 4 else x)
        return self.residual3(max_pool2d(x, 2) if self.stride >= 8 else x)


class Stack(nn.Module):
    """One hourglass with its head, and unless it is the last one the way to the next."""

    def __init__(self, channels: int, depth: int, joints: int, make: Convolutions, *, last: bool) -> None:
        super().__init__()
        self.skip, self.down, self.up = (
            nn.ModuleList(Residual(channels, channels, make) for _ in range(depth)) for _ in range(3)
        )
        self.bottom = Residual(channels, channels, make)
        to_features = make.small(channels, channels, before_norm=True)
        self.features = nn.Sequential(
            Residual(channels, channels, make), to_features, nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.head = make.small(channels, joints)
        self.last = last
        if not last:
            self.merge_features = make.small(channels, channels)
            self.merge_heatmaps = make.small(joints, channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Take (B, channels, h, w) to the next stack's input, of the same shape, and heatmaps (B, joints, h, w)."""
        inner, skips = x, []
        for skip, down in zip(self.skip, self.down, strict=True):
            skips.append(skip(inner))
            inner = down(max_pool2d(inner, 2))
        inner = self.bottom(inner)
        for up in reversed(self.up):
            inner = skips.pop() + interpolate(up(inner), scale_factor=2, mode="nearest")
        features = self.features(inner)
        heatmaps = self.head(features)
        if not self.last:
            x = x + self.merge_features(features) + self.merge_heatmaps(heatmaps)
        return x, heatmaps


class Hourglass(nn.Module):
    """The whole network; see `build_hourglass` of cocoprep.model.network.hourglass for what the numbers mean."""

    def __init__(
        self,
        stacks: int = 2,
        channels: int = 256,
        depth: int = 4,
        joints: int = 17,
        *,
        stride: int = 4,
        make: Convolutions = Convolutions(),
    ) -> None:
        super().__init__()
        self.stem = Stem(channels, stride, make)
        self.stacks = nn.ModuleList(
            Stack(channels, depth, joints, make, last=number == stacks - 1) for number in range(stacks)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Take images (B, 3, H, W) to one (B, joints, H / stride, W / stride) a stack."""
        x, outputs = self.stem(images), []
        for stack in self.stacks:
            x, heatmaps = stack(x)
            outputs.append(heatmaps)
        return outputs


def begin_as_keras(model: Hourglass, seed: int) -> None:
    """Give a new model weights such as Keras's initialisers draw: He's for convolutions, all but nothing for heads."""
    generator = Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.ndim != 4:
            continue  # biases and normalisations
        if name.endswith("head.weight"):
            nn.init.normal_(weight, std=HEAD_STDDEV, generator=generator)
            continue
        outputs, inputs, height, width = weight.shape
        # Of a depthwise kernel, Keras takes the channels for its inputs.
        fan_in = (outputs if name.endswith("depthwise.weight") else inputs) * height * width
        bound = 2 * math.sqrt(2 / fan_in) / TRUNCATED_STDDEV
        nn.init.trunc_normal_(weight, std=bound / 2, a=-bound, b=bound, generator=generator)
    for module in model.modules():
        bias = getattr(module, "bias", None)
        if isinstance(bias, Tensor):
            nn.init.zeros_(bias)


def keras_name(name: str) -> str | None:
    """Return the path of the Keras weight that an entry of the state corresponds to; None where Keras has none."""
    *modules, kind = name.split(".")
    if kind == "num_batches_tracked":
        return None
    layer = "_".join(modules)
    layer = re.sub(r"^stacks_(\d+)", lambda found: f"stack{int(found[1]) + 1}", layer)
    layer = re.sub(r"_(skip|down|up)_(\d+)", lambda found: f"_{found[1]}{int(found[2]) + 1}_residual", layer)
    layer = layer.replace("_bottom_", "_bottom_residual_").replace("_features_0_", "_features_residual_")
    layer = layer.replace("_features_1", "_features_conv").replace("_features_2", "_features_bn")
    separable = re.fullmatch(r"(.*)_(depthwise|pointwise)", layer)
    if separable:
        return f"{separable[1]}/{f'{separable[2]}_kernel' if kind == 'weight' else kind}"
    layer_kind = "bn" if re.search(r"_bn\d?$", layer) else "conv"
    return f"{layer}/{KERAS_NAMES[layer_kind][kind]}"


def load_keras(model: Hourglass, weights: dict[str, Tensor]) -> None:
    """Copy Keras weights by path into a model; every weight must be used."""
    names = {name: path for name in model.state_dict() if (path := keras_name(name))}
    if set(names.values()) != set(weights):
        raise ValueError(f"weights differ: {sorted(set(names.values()) ^ set(weights))}")
    model.load_state_dict({name: _as_torch(path, weights[path]) for name, path in names.items()}, strict=False)


def _as_torch(path: str, weight: Tensor) -> Tensor:
    """Return a Keras weight with its axes in torch's order."""
    if path.endswith("depthwise_kernel"):
        return weight.permute(2, 3, 0, 1)  # (height, width, in, 1)
    return weight.permute(3, 2, 0, 1) if weight.ndim == 4 else weight  # (height, width, in, out)


def count_parameters(model: nn.Module) -> int:
    """Return the number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())
