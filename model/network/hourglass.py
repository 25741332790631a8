"""The stacked hourglass network.

Source: Newell, Yang and Deng 2016, "Stacked Hourglass Networks for Human Pose Estimation"; its residuals are those of
He et al. 2016, "Identity Mappings in Deep Residual Networks". Shapes in comments: B images, C channels, K joints, input
of (H, W), heatmaps of (h, w) = (H, W) / stride. The name of every layer starts with `stem` or `stackN`.
"""

from __future__ import annotations

import re
from typing import Any, get_args

import keras
from keras import layers

from cocoprep.checks import require_choice
from cocoprep.errors import ConfigError
from cocoprep.model.network.bounds import check_numbers, check_size
from cocoprep.model.network.config import Activation, Convolution

STRIDES = (2, 4, 8)
# Torch's defaults, as in the paper's own code. Keras's momentum of 0.99 still holds a third of the initial mean 0 and
# variance 1 after 100 steps, so that a young network would be evaluated with statistics of nothing; its epsilon of 1e-3
# is not small beside the variance of a quiet channel.
MOMENTUM, EPSILON = 0.9, 1e-5
# Most of a heatmap is zero: a head that starts near it does not spend the first steps on unlearning noise. At zero no
# gradient would pass the head in the first step. Source: Xiao, Wu and Wei 2018, "Simple Baselines".
HEAD_STDDEV = 1e-3
LAST = {"data_format": "channels_last"}  # whatever the user's keras.json says


def build_hourglass(
    *,
    stacks: int = 2,
    channels: int = 256,
    depth: int = 4,
    joints: int = 17,
    input_size: tuple[int, int] = (256, 256),
    heatmap_stride: int = 4,
    convolution: Convolution = "standard",
    activation: Activation = "linear",
) -> keras.Model:
    """Build the network.

    Args:
        stacks: hourglasses one after another, 1 to 8, each with heatmaps of its own.
        channels: width of every hourglass, an even number; the stem widens to it from a quarter.
        depth: how often an hourglass halves its input.
        joints: K.
        input_size: (H, W) in pixels, each divisible by heatmap_stride * 2 ** depth.
        heatmap_stride: 2, 4 or 8 input pixels a heatmap pixel; 4 is the paper's.
        convolution: `separable` replaces the 3x3 convolutions by depthwise ones followed by 1x1.
        activation: of the heatmaps.

    Returns:
        A model from images (B, H, W, 3), of about zero mean and unit variance, to a list of heatmaps (B, h, w, K),
        float32 under every dtype policy, one for each stack in order; the last one is the prediction. Its outputs are
        named `stack1_heatmaps`, `stack2_heatmaps` and so on.

    Raises:
        ConfigError: an argument is out of range, or the sizes do not divide.
    """
    check_numbers(stacks=stacks, channels=channels, depth=depth, joints=joints)
    require_choice("--heatmap-stride", heatmap_stride, STRIDES, " Build the shards with one of them.")
    require_choice("--convolution", convolution, get_args(Convolution))
    require_choice("--activation", activation, get_args(Activation))
    check_size(input_size, heatmap_stride, depth)

    image = keras.Input((*input_size, 3), name="image")
    x = _stem(image, channels, heatmap_stride, convolution)  # (B, h, w, C)
    outputs = []
    for number in range(1, stacks + 1):
        name = f"stack{number}"
        features = _hourglass(x, depth, convolution, name)  # (B, h, w, C)
        features = _residual(features, channels, convolution, f"{name}_features_residual")
        features = _conv_bn_relu(features, channels, 1, f"{name}_features")
        heatmaps = _head(features, joints, activation, name)  # (B, h, w, K)
        outputs.append(heatmaps)
        if number < stacks:
            x = _merge(x, features, heatmaps, name)  # (B, h, w, C)
    # Keras takes the outermost list off where it holds one thing alone: one stack's list must not be outermost.
    return keras.Model(image, outputs if stacks > 1 else [outputs], name="hourglass")


def group_of(name: str) -> str:
    """Return `stem`, `stack1`, `stack2`, ...: where the layer of this name, or the weight of this path, belongs."""
    found = re.search(r"(?:^|/)(stem|stack\d+)_", name)
    if not found:
        raise ConfigError(f"weight groups: expected a name that starts with stem_ or stackN_, found {name!r}.")
    return found[1]


def _stem(image: Any, channels: int, stride: int, convolution: Convolution) -> Any:
    """Take images (B, H, W, 3) to (B, H / stride, W / stride, channels)."""
    # The paper's 64 and 128 at 256 channels, and as much narrower as the network: at a quarter of the input's size, and
    # half of it before that, the stem would otherwise cost most of a small network's time.
    narrow, wide = max(1, channels // 4), max(2, channels // 2)
    # Three pixels on every side; `same` would put two before and three after, off by half a pixel.
    x = layers.ZeroPadding2D(3, name="stem_pad", **LAST)(image)
    x = _conv_bn_relu(x, narrow, 7, "stem", strides=2)  # (B, H / 2, W / 2, C / 4)
    x = _residual(x, wide, convolution, "stem_residual1")  # (B, H / 2, W / 2, C / 2)
    if stride >= 4:
        x = layers.MaxPooling2D(2, name="stem_pool1", **LAST)(x)  # (B, H / 4, W / 4, C / 2)
    x = _residual(x, wide, convolution, "stem_residual2")
    if stride >= 8:
        x = layers.MaxPooling2D(2, name="stem_pool2", **LAST)(x)  # (B, H / 8, W / 8, C / 2)
    return _residual(x, channels, convolution, "stem_residual3")


def _hourglass(x: Any, depth: int, convolution: Convolution, name: str) -> Any:
    """Look at (B, h, w, C) at its own scale and at `depth` coarser ones, each half the last; the shape stays."""
    channels, skips = x.shape[-1], []
    for level in range(1, depth + 1):
        skips.append(_residual(x, channels, convolution, f"{name}_skip{level}_residual"))
        x = layers.MaxPooling2D(2, name=f"{name}_down{level}_pool", **LAST)(x)  # (B, h / 2 ** level, ..., C)
        x = _residual(x, channels, convolution, f"{name}_down{level}_residual")
    x = _residual(x, channels, convolution, f"{name}_bottom_residual")
    for level in range(depth, 0, -1):
        x = _residual(x, channels, convolution, f"{name}_up{level}_residual")
        x = layers.UpSampling2D(2, name=f"{name}_up{level}_nearest", **LAST)(x)  # (B, h / 2 ** (level - 1), ..., C)
        x = layers.Add(name=f"{name}_up{level}_sum")([skips.pop(), x])
    return x


def _head(features: Any, joints: int, activation: Activation, name: str) -> Any:
    """Predict (B, h, w, K) from features (B, h, w, C), in float32: half precision would round the maps themselves."""
    near_zero = keras.initializers.RandomNormal(stddev=HEAD_STDDEV)
    head = layers.Conv2D(joints, 1, kernel_initializer=near_zero, dtype="float32", name=f"{name}_head", **LAST)
    return layers.Activation(activation, dtype="float32", name=f"{name}_heatmaps")(head(features))


def _merge(x: Any, features: Any, heatmaps: Any, name: str) -> Any:
    """Return the next stack's input: this one's, and what this one found, all (B, h, w, C)."""
    of_features = _conv(features, x.shape[-1], 1, f"{name}_merge_features")
    of_heatmaps = _conv(heatmaps, x.shape[-1], 1, f"{name}_merge_heatmaps")
    return layers.Add(name=f"{name}_merge_sum")([x, of_features, of_heatmaps])


def _residual(x: Any, channels: int, convolution: Convolution, name: str) -> Any:
    """Add a bottleneck to (B, h, w, any): BN and ReLU before each of 1x1, 3x3 at half the width, 1x1."""
    skip = x if x.shape[-1] == channels else _conv(x, channels, 1, f"{name}_skip")
    x = _conv(_bn_relu(x, name, 1), channels // 2, 1, f"{name}_conv1")  # (B, h, w, channels / 2)
    x = _conv(_bn_relu(x, name, 2), channels // 2, 3, f"{name}_conv2", convolution=convolution)
    x = _conv(_bn_relu(x, name, 3), channels, 1, f"{name}_conv3")  # (B, h, w, channels)
    return layers.Add(name=f"{name}_sum")([skip, x])


def _conv_bn_relu(x: Any, channels: int, size: int, name: str, *, strides: int = 1) -> Any:
    return _bn_relu(_conv(x, channels, size, f"{name}_conv", strides=strides, padding="valid"), name)


def _bn_relu(x: Any, name: str, number: int | str = "") -> Any:
    x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_bn{number}")(x)
    return layers.ReLU(name=f"{name}_relu{number}")(x)


def _conv(
    x: Any,
    channels: int,
    size: int,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    convolution: Convolution = "standard",
) -> Any:
    """Convolve with a bias; He's initialisation keeps the variance through ReLUs."""
    shared = {"strides": strides, "padding": padding, "name": name, **LAST}
    if convolution == "separable":
        he = {"depthwise_initializer": "he_normal", "pointwise_initializer": "he_normal"}
        return layers.SeparableConv2D(channels, size, **he, **shared)(x)
    return layers.Conv2D(channels, size, kernel_initializer="he_normal", **shared)(x)
