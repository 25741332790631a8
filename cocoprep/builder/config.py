"""What can be set: frozen configs, checked on construction."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from cocoprep.checks import is_int, require
from cocoprep.pose.crop_config import CropConfig, estimated_record_bytes
from cocoprep.shards.names import is_split_name

MIN_DEFAULT_SHARDS = 16
TARGET_SHARD_BYTES = 100_000_000


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
        require(
            is_int(self.min_keypoints) and self.min_keypoints >= 1,
            "--min-keypoints", "a whole number from 1", self.min_keypoints,
        )  # fmt: skip
        require(is_int(self.seed), "--seed", "a whole number", self.seed)
        require(
            self.shards is None or (is_int(self.shards) and 1 <= self.shards <= 99_999),
            "--shards", "a whole number from 1 to 99999", self.shards,
        )  # fmt: skip
        require(
            self.limit is None or (is_int(self.limit) and self.limit >= 1),
            "--limit", "a whole number from 1", self.limit,
        )  # fmt: skip
        require(
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
        require(good, "--split", "ASCII letters, digits, '.' and '_', a letter or digit first", self.split)
        for option, path in (("--annotations", self.annotations), ("--images", self.images), ("--out", self.out)):
            # The manifest names them, and its JSON is UTF-8.
            require(not any("\ud800" <= c <= "\udfff" for c in path), option, "a path in UTF-8", path)


def default_shards(people: int, crop: CropConfig) -> int:
    """Return how many shards of about 100 MB hold `people` records; never fewer than 16.

    It depends on the people and the crop alone, so that it is the same on every machine.
    """
    return max(MIN_DEFAULT_SHARDS, math.ceil(people * estimated_record_bytes(crop) / TARGET_SHARD_BYTES))
