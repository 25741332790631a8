"""What can be set: frozen configs, checked on construction."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from cocoprep.errors import ConfigError

MIN_DEFAULT_SHARDS = 16
TARGET_SHARD_BYTES = 100_000_000
WIDEST_WINDOW = 1.5  # of the box: the widest training window that the margin's real pixels must cover


def _require(condition: bool, option: str, expected: str, found: object) -> None:
    if not condition:
        raise ConfigError(f"{option}: expected {expected}, found {found!r}.")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
        _require(
            len(self.input_size) == 2 and all(_is_int(n) and 16 <= n <= 4096 for n in self.input_size),
            "--input-size", "a height and a width from 16 to 4096 pixels", self.input_size,
        )  # fmt: skip
        _require(
            _is_int(self.heatmap_stride) and self.heatmap_stride >= 1,
            "--heatmap-stride", "a whole number from 1", self.heatmap_stride,
        )  # fmt: skip
        _require(
            all(n % self.heatmap_stride == 0 for n in self.input_size),
            "--input-size", f"a size divisible by the heatmap stride {self.heatmap_stride}", self.input_size,
        )  # fmt: skip
        _require(
            all(n // self.heatmap_stride >= 3 for n in self.input_size),
            "--heatmap-stride", "heatmaps of at least 3 x 3 pixels", self.heatmap_size,
        )  # fmt: skip
        _require(0.1 <= self.sigma_px <= 100, "--sigma", "0.1 to 100 heatmap pixels", self.sigma_px)
        _require(0.1 <= self.bbox_scale <= 10, "--bbox-scale", "a factor from 0.1 to 10", self.bbox_scale)
        _require(
            self.margin is None or (_is_int(self.margin) and 0 <= self.margin <= 4096),
            "--margin", "0 to 4096 crop pixels", self.margin,
        )  # fmt: skip
        _require(
            _is_int(self.jpeg_quality) and 1 <= self.jpeg_quality <= 100,
            "--jpeg-quality", "a whole number from 1 to 100", self.jpeg_quality,
        )  # fmt: skip

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectConfig:
    """Which people are kept, and how they are dealt to shards.

    `shards` None stands for a number that follows from the people kept. `limit` keeps the first so many
    images in shard order, for a quick look.
    """

    min_keypoints: int = 1
    seed: int = 0
    shards: int | None = None
    limit: int | None = None
    max_bad_fraction: float = 0.01

    def __post_init__(self) -> None:
        _require(
            _is_int(self.min_keypoints) and self.min_keypoints >= 1,
            "--min-keypoints", "a whole number from 1", self.min_keypoints,
        )  # fmt: skip
        _require(_is_int(self.seed), "--seed", "a whole number", self.seed)
        _require(
            self.shards is None or (_is_int(self.shards) and 1 <= self.shards <= 99_999),
            "--shards", "a whole number from 1 to 99999", self.shards,
        )  # fmt: skip
        _require(
            self.limit is None or (_is_int(self.limit) and self.limit >= 1),
            "--limit", "a whole number from 1", self.limit,
        )  # fmt: skip
        _require(
            0 <= self.max_bad_fraction <= 1,
            "--max-bad-fraction", "a fraction from 0 to 1", self.max_bad_fraction,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildConfig:
    """One build: where from, where to, and how. Paths may be local or what the file store reads."""

    split: str
    annotations: str
    images: str
    out: str
    crop: CropConfig = field(default_factory=CropConfig)
    select: SelectConfig = field(default_factory=SelectConfig)
    force: bool = False

    def __post_init__(self) -> None:
        good = is_split_name(self.split)
        _require(good, "--split", "ASCII letters, digits, '.' and '_', a letter or digit first", self.split)
        for option, path in (("--annotations", self.annotations), ("--images", self.images), ("--out", self.out)):
            # The manifest names them, and its JSON is UTF-8.
            _require(not any("\ud800" <= c <= "\udfff" for c in path), option, "a path in UTF-8", path)


def is_split_name(name: str) -> bool:
    """Tell whether a split may be called so: its name becomes part of file names."""
    return name.isascii() and name[:1].isalnum() and all(c.isalnum() or c in "._" for c in name)


def estimated_record_bytes(crop: CropConfig) -> float:
    """Return about how many bytes one person takes in a shard."""
    height, width = crop.stored_size
    # JPEG bytes a pixel at quality 90 on COCO's photographs, measured: 0.23. Heatmaps and the rest: 4,000.
    return 0.23 * height * width + 4_000


def default_shards(people: int, crop: CropConfig) -> int:
    """Return how many shards of about 100 MB hold `people` records; never fewer than 16.

    It depends on the people and the crop alone, so that it is the same on every machine.
    """
    return max(MIN_DEFAULT_SHARDS, math.ceil(people * estimated_record_bytes(crop) / TARGET_SHARD_BYTES))
