"""The stacked hourglass in plain PyTorch, to compare the Keras one with: the same topology, the same names.

Source: Newell, Yang and Deng 2016, "Stacked Hourglass Networks for Human Pose Estimation". Tensors are (B, C, H, W).
"""

from __future__ import annotations

import re

from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, relu

KERAS_NAMES = {
    "conv": {"weight": "kernel", "bias": "bias"},
    "bn": {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"},
}


class Residual(nn.Module):
    """BN and ReLU before each of 1x1, 3x3 at half the width, 1x1; plus the input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, half, 1)
        self.bn2, self.conv2 = nn.BatchNorm2d(half), nn.Conv2d(half, half, 3, padding=1)
        self.bn3, self.conv3 = nn.BatchNorm2d(half), nn.Conv2d(half, outputs, 1)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Take (B, inputs, h, w) to (B, outputs, h, w)."""
        inner = self.conv1(relu(self.bn1(x)))
        inner = self.conv2(relu(self.bn2(inner)))
        inner = self.conv3(relu(self.bn3(inner)))
        return self.skip(x) + inner


class Stem(nn.Module):
    """From the image to a quarter of its size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 64, 7, stride=2, padding=3), nn.BatchNorm2d(64)
        self.residual1, self.residual2 = Residual(64, 128), Residual(128, 128)
        self.residual3 = Residual(128, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Take (B, 3, H, W) to (B, channels, H / 4, W / 4)."""
        x = self.residual1(relu(self.bn(self.conv(x))))
        return self.residual3(self.residual2(max_pool2d(x, 2)))


class Stack(nn.Module):
    """One hourglass with its head, and unless it is the last one the way to the next."""

    def __init__(self, channels: int, depth: int, joints: int, *, last: bool) -> None:
        super().__init__()
        self.skip = nn.ModuleList(Residual(channels, channels) for _ in range(depth))
        self.down = nn.ModuleList(Residual(channels, channels) for _ in range(depth))
        self.up = nn.ModuleList(Residual(channels, channels) for _ in range(depth))
        self.bottom = Residual(channels, channels)
        self.features = nn.Sequential(
            Residual(channels, channels), nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.head = nn.Conv2d(channels, joints, 1)
        self.last = last
        if not last:
            self.merge_features = nn.Conv2d(channels, channels, 1)
            self.merge_heatmaps = nn.Conv2d(joints, channels, 1)

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
    """The whole network."""

    def __init__(self, stacks: int = 2, channels: int = 256, depth: int = 4, joints: int = 17) -> None:
        super().__init__()
        self.stem = Stem(channels)
        self.stacks = nn.ModuleList(Stack(channels, depth, joints, last=n == stacks - 1) for n in range(stacks))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Take images (B, 3, H, W) to one (B, joints, H / 4, W / 4) a stack."""
        x, outputs = self.stem(images), []
        for stack in self.stacks:
            x, heatmaps = stack(x)
            outputs.append(heatmaps)
        return outputs


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
    layer_kind = "bn" if re.search(r"_bn\d?$", layer) else "conv"
    return f"{layer}/{KERAS_NAMES[layer_kind][kind]}"


def load_keras(model: Hourglass, weights: dict[str, Tensor]) -> None:
    """Copy Keras weights by path into a model; every weight must be used."""
    names = {name: path for name in model.state_dict() if (path := keras_name(name))}
    if set(names.values()) != set(weights):
        raise ValueError(f"weights differ: {sorted(set(names.values()) ^ set(weights))}")
    state = {
        # A Keras kernel is (height, width, in, out).
        name: weights[path].permute(3, 2, 0, 1) if weights[path].ndim == 4 else weights[path]
        for name, path in names.items()
    }
    model.load_state_dict(state, strict=False)


def count_parameters(model: nn.Module) -> int:
    """Return the number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())
