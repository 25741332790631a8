"""What can be set: frozen configs, checked on construction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from cocoprep.checks import MAX_BAD_FRACTION, require, require_choice, require_number
from cocoprep.coco.sources import Source, check_sources
from cocoprep.crops.exif_rule import EXIF_RULES, Exif
from cocoprep.pose.crop_config import CropConfig, estimated_record_bytes
from cocoprep.shards.names import is_split_name

if TYPE_CHECKING:
    from cocoprep.pose.keypoints import KeypointTable

MIN_DEFAULT_SHARDS = 16
TARGET_SHARD_BYTES = 100_000_000
SHARED = "shared"  # in place of a keypoint table: the joints that all sources have


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
    max_bad_fraction: float = MAX_BAD_FRACTION

    def __post_init__(self) -> None:
        require_number("--min-keypoints", self.min_keypoints, 1, whole=True)
        require_number("--seed", self.seed, whole=True)
        if self.shards is not None:
            require_number("--shards", self.shards, 1, 99_999, whole=True)
        if self.limit is not None:
            require_number("--limit", self.limit, 1, whole=True)
        require_number("--max-bad-fraction", self.max_bad_fraction, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildConfig:
    """One build: where from, where to, and how. Paths may be local or what the file store reads.

    Attributes:
        sources: what is built, each with a name, in place of `annotations` and `images`.
        keypoints: the joints; None for those that the annotation file lists, `SHARED` for those that all sources have.
        category: of the annotation file, whose joints are built; None for the one that has joints, `all` for all that
            share theirs. Of sources, those that name none.
        visibility: what visibilities of the annotation file mean, 0, 1 or 2, where they are others. Of sources, those
            that name none.
        drop_leaks: path of a list of `cocoprep leaks`, whose photographs are left out.
        exclude: path of a list of annotations that are left out, such as `cocoprep check` writes.
        follow_links: links in the image folder may lead out of it.
        exif: whether photographs are taken as stored or upright; see `how_it_lies`.
    """

    split: str
    out: str
    annotations: str = ""
    images: str = ""
    sources: tuple[Source, ...] = ()
    crop: CropConfig = field(default_factory=CropConfig)
    select: SelectConfig = field(default_factory=SelectConfig)
    keypoints: KeypointTable | Literal["shared"] | None = None
    category: str | None = None
    visibility: Mapping[float, int] = field(default_factory=dict)
    exif: Exif = "auto"
    force: bool = False
    follow_links: bool = False
    drop_leaks: str | None = None
    exclude: str | None = None

    def __post_init__(self) -> None:
        require_choice("--exif", self.exif, EXIF_RULES)
        good = is_split_name(self.split)
        require(good, "--split", "ASCII letters, digits, '.' and '_', a letter or digit first", self.split)
        if self.sources:
            check_sources(self.sources)
        self._check_one_input()
        # The manifest names it, and its JSON is UTF-8.
        require(not any("\ud800" <= c <= "\udfff" for c in self.out), "--out", "a path in UTF-8", self.out)
        require(self.keypoints != SHARED or len(self.sources) > 1, "--keypoints", "several sources for 'shared'", "one")
        _ = self.each_source  # checked on construction

    def _check_one_input(self) -> None:
        """Raise ConfigError unless it is said in one way what is built: `annotations` and `images`, or `sources`."""
        given = {name: getattr(self, name) for name in ("annotations", "images", "sources") if getattr(self, name)}
        good = set(given) in ({"annotations", "images"}, {"sources"})
        require(good, "what is built", "`annotations` and `images`, or `sources` alone", " and ".join(given) or None)

    @property
    def each_source(self) -> tuple[Source, ...]:
        """Return what is built: the sources, or the one without a name."""
        given = self.sources or (Source(annotations=self.annotations, images=self.images),)
        return tuple(
            replace(one, category=one.category or self.category, visibility=one.visibility or self.visibility)
            for one in given
        )

    @property
    def looked_in(self) -> str:
        """Return the paths of the photographs, for messages."""
        return ", ".join(source.images for source in self.each_source)

    @property
    def read_from(self) -> str:
        """Return the paths of the annotation files, for messages."""
        return ", ".join(source.annotations for source in self.each_source)


def default_shards(people: int, crop: CropConfig) -> int:
    """Return how many shards of about 100 MB hold `people` records; never fewer than 16.

    It depends on the people and the crop alone, so that it is the same on every machine.
    """
    return max(MIN_DEFAULT_SHARDS, math.ceil(people * estimated_record_bytes(crop) / TARGET_SHARD_BYTES))
