"""How shards are read into training: a frozen config, checked on construction. Loads no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from cocoprep.checks import require, require_choice, require_number, require_share
from cocoprep.model.augment.config import AugmentConfig

OnBadRecord = Literal["fail", "skip"]
Cache = bool | Literal["auto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadConfig:
    """How folders are read. The same config gives the same batches, byte by byte, on any number of cores.

    Attributes:
        batch_size: people a batch.
        seed: of the order of people, of their augmentation, and of the subset.
        augment: how people are varied in training; evaluation never varies them.
        subset: share of the people that is used, chosen by seed and annotation id; a smaller one lies in a larger one.
        cache: keep the records in memory: True, False, or "auto", where they fit in a quarter of it. The batches are
            the same either way.
        on_bad_record: "fail" at a damaged record and name it, or "skip" it; to skip, the folder is scanned first.
        shuffle_records: how many records are shuffled together. They come from blocks of consecutive records all
            over the folder; one that holds no more people than this is shuffled as a whole.
        weights: how often people are seen in training, by folder or source: see `resolve_weights`.
    """

    batch_size: int = 32
    seed: int = 0
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    subset: float = 1.0
    cache: Cache = "auto"
    on_bad_record: OnBadRecord = "fail"
    shuffle_records: int = 4096
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_number("batch_size", self.batch_size, 1, whole=True)
        require_number("seed", self.seed, 0, 2**63 - 1, whole=True)
        require_number("shuffle_records", self.shuffle_records, 1, whole=True)
        require_share("subset", self.subset)
        known = isinstance(self.cache, bool) or self.cache == "auto"
        require(known, "cache", "True, False or 'auto'", self.cache)
        require_choice("on_bad_record", self.on_bad_record, get_args(OnBadRecord))
