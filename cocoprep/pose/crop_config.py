"""How one person is cropped and drawn: the config of crop and heatmaps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cocoprep.checks import is_int, require, require_number

WIDEST_WINDOW = 1.5  # of the box: the widest training window that the margin's real pixels must cover


def default_margin(input_size: tuple[int, int], bbox_scale: float) -> int:
    """Return the margin in crop pixels that keeps a window of 150 % of the box on real pixels."""
    return max(0, math.ceil(max(input_size) * (WIDEST_WINDOW / bbox_scale - 1) / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class CropConfig:
    """How one person becomes a record. Sizes are (height, width) in pixels.

    `margin` is the number of real pixels stored around the canonical crop, in crop pixels; None stands for
    `default_margin`. `sigma_px` is in heatmap pixels.
    """

    input_size: tuple[int, int] = (256, 256)
    heatmap_stride: int = 4
    sigma_px: float = 2.0
    bbox_scale: float = 1.25
    margin: int | None = None
    jpeg_quality: int = 90

    def __post_init__(self) -> None:
        require(
            len(self.input_size) == 2 and all(is_int(n) and 16 <= n <= 4096 for n in self.input_size),
            "--input-size", "a height and a width from 16 to 4096 pixels", self.input_size,
        )  # fmt: skip
        require_number("--heatmap-stride", self.heatmap_stride, 1, whole=True)
        require(
            all(n % self.heatmap_stride == 0 for n in self.input_size),
            "--input-size", f"a size divisible by the heatmap stride {self.heatmap_stride}", self.input_size,
        )  # fmt: skip
        require(
            all(n // self.heatmap_stride >= 3 for n in self.input_size),
            "--heatmap-stride", "heatmaps of at least 3 x 3 pixels", self.heatmap_size,
        )  # fmt: skip
        require_number("--sigma", self.sigma_px, 0.1, 100, unit="heatmap pixels")
        require_number("--bbox-scale", self.bbox_scale, 0.1, 10)
        if self.margin is not None:
            require_number("--margin", self.margin, 0, 4096, whole=True, unit="crop pixels")
        require_number("--jpeg-quality", self.jpeg_quality, 1, 100, whole=True)

    @property
    def margin_px(self) -> int:
        """Return the margin in force, in crop pixels."""
        return default_margin(self.input_size, self.bbox_scale) if self.margin is None else self.margin

    @property
    def heatmap_size(self) -> tuple[int, int]:
        """Return the (height, width) of a heatmap."""
        height, width = self.input_size
        return height // self.heatmap_stride, width // self.heatmap_stride

    @property
    def stored_size(self) -> tuple[int, int]:
        """Return the (height, width) of the stored crop: the input size plus the margin on every side."""
        height, width = self.input_size
        return height + 2 * self.margin_px, width + 2 * self.margin_px


def estimated_record_bytes(crop: CropConfig) -> float:
    """Return about how many bytes one person takes in a shard."""
    height, width = crop.stored_size
    # JPEG bytes a pixel at quality 90 on COCO's photographs, measured: 0.23. Heatmaps and the rest: 4,000.
    return 0.23 * height * width + 4_000
