"""What decides a shard's bytes besides annotations and photographs, and the digest of it."""

from __future__ import annotations

import hashlib
import platform
import zlib
from typing import Any

import google.protobuf
import numpy as np
import PIL
import simplejpeg
from PIL import features

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.record import SCHEMA_VERSION
from cocoprep.shards.seal import canonical_json
from cocoprep.shards.settings import SelectRecord, crop_record, feature_records, keypoint_record
from cocoprep.version import __version__


def library_versions() -> dict[str, str]:
    """Return the versions of all that can change a shard's bytes."""
    return {
        "cocoprep": __version__,
        "libjpeg": features.version("libjpeg_turbo") or features.version("jpg") or "unknown",
        "machine": platform.machine(),
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "protobuf": google.protobuf.__version__,
        "simplejpeg": simplejpeg.__version__,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def select_record(select: SelectConfig, num_shards: int) -> SelectRecord:
    """Resolve a select config into what the manifest keeps."""
    return SelectRecord(select.min_keypoints, select.seed, select.limit, num_shards)


def fingerprint_parts(
    config: BuildConfig, num_shards: int, table: KeypointTable, *, has_origin: bool = False
) -> dict[str, Any]:
    """Return all that decides a shard's bytes besides annotations and photographs.

    `has_origin` says that records tell their source and category.
    """
    # What is at its default is left away where it came later than the first builds, which are not to be built anew.
    later = {} if config.exif == "auto" else {"exif": config.exif}
    return {
        **later,
        "schema_version": SCHEMA_VERSION,
        "split": config.split,
        "crop": crop_record(config.crop),
        "select": select_record(config.select, num_shards),
        "keypoints": keypoint_record(table),
        "features": feature_records(has_origin=has_origin),
        "versions": library_versions(),
    }


def fingerprint_of(parts: dict[str, Any]) -> str:
    """Return a digest of `fingerprint_parts`: equal fingerprints, equal shards from equal input."""
    return hashlib.blake2b(canonical_json(parts), digest_size=16).hexdigest()
