"""What a network can be: numbers and sizes, checked without Keras, so that they can be before it is loaded."""

from __future__ import annotations

import math

from cocoprep.checks import is_int, require_number
from cocoprep.errors import ConfigError

MAX_STACKS, MAX_CHANNELS, MAX_DEPTH = 8, 4096, 10


def check_numbers(*, stacks: int, channels: int, depth: int, joints: int) -> None:
    """Refuse a network that cannot be built. Raises ConfigError."""
    for option, value, lowest, highest in (
        ("--stacks", stacks, 1, MAX_STACKS),
        ("--channels", channels, 2, MAX_CHANNELS),
        ("--depth", depth, 1, MAX_DEPTH),
        ("joints", joints, 1, math.inf),
    ):
        require_number(option, value, lowest, highest, whole=True)
    if channels % 2:
        raise ConfigError(f"--channels: expected an even number, found {channels}; residuals work at half the width.")


def check_size(input_size: tuple[int, int], stride: int, depth: int) -> None:
    """Refuse a size (H, W) in pixels that an hourglass cannot halve so often. Raises ConfigError."""
    if len(input_size) != 2 or not all(is_int(side) and side >= 1 for side in input_size):
        raise ConfigError(f"input size: expected a height and a width in pixels, found {input_size!r}.")
    divisor = stride * 2**depth
    if any(side % divisor for side in input_size):
        height, width = (" or ".join(map(str, _nearest_multiples(side, divisor))) for side in input_size)
        raise ConfigError(
            f"input size: expected a height and a width divisible by {divisor} (heatmap stride {stride} times 2 to "
            f"the depth {depth}), found {input_size[0]}x{input_size[1]}; the nearest are a height of {height} and a "
            f"width of {width} (--input-size of build); or choose a smaller --depth."
        )


def _nearest_multiples(side: int, divisor: int) -> list[int]:
    """Return `side` if it is a multiple, or else the multiples below and above it."""
    below = side // divisor * divisor
    return [side] if side == below else [n for n in (below, below + divisor) if n]
