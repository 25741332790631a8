"""The names of a built folder's files."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

MANIFEST = "manifest.json"
PLAN = "build.json"
LEDGER = "ledger.parquet"
GROUND_TRUTH = "ground_truth.json"
BASELINE = "baseline.npz"
CEILING = "ceiling.json"
UNDER_WAY = "under_way.json"  # as long as a build writes into the folder
FEATURES_FILE, DATASET_INFO = "features.json", "dataset_info.json"  # TensorFlow Datasets' names
TFDS_FILES = (FEATURES_FILE, DATASET_INFO)
SUMMARIES = (MANIFEST, CEILING, LEDGER, GROUND_TRUTH, BASELINE, *TFDS_FILES)
LISTED_FILES = (PLAN, LEDGER, GROUND_TRUTH, BASELINE)  # by every manifest, beside the shards
DATASET = "cocoprep"  # as which TensorFlow Datasets knows a folder, and how shards begin

SIDECAR_SUFFIX = ".json"
SHARD_FILE = re.compile(r"cocoprep-.+\.tfrecord-\d{5}-of-\d{5}(\.json)?")
_READERS_GLOB = "cocoprep-*-of-*[0-9]"  # what docs/record.md has readers look for


def is_split_name(name: str) -> bool:
    """Tell whether a split may be called so: its name becomes part of file names."""
    return name.isascii() and name[:1].isalnum() and all(c.isalnum() or c in "._" for c in name)


def shard_name(split: str, index: int, count: int) -> str:
    """Return a shard's file name, as TensorFlow Datasets names them."""
    return f"{DATASET}-{split}.tfrecord-{index:05d}-of-{count:05d}"


def is_ours(name: str) -> bool:
    """Tell whether a name in a built folder is one that a build gives to its files."""
    return name in (*SUMMARIES, PLAN, UNDER_WAY) or SHARD_FILE.fullmatch(name) is not None


def is_read_as_shard(name: str) -> bool:
    """Tell whether a reader that lists the folder would take a file of this name for a shard or its sidecar."""
    return fnmatchcase(name.removesuffix(SIDECAR_SUFFIX), _READERS_GLOB)
