"""Where a photograph and its records go: hashes of ids, the same in every process and on every machine."""

from __future__ import annotations

import hashlib


def image_hash(seed: int, image_id: int) -> int:
    """Return 64 bits that decide an image's shard."""
    return _hash(seed, "image", image_id)


def annotation_hash(seed: int, annotation_id: int) -> int:
    """Return 64 bits that decide a record's place within its shard."""
    return _hash(seed, "annotation", annotation_id)


def shard_of(image_id: int, seed: int, num_shards: int) -> int:
    """Return the shard that holds all people of an image."""
    return image_hash(seed, image_id) % num_shards


def _hash(seed: int, kind: str, number: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{kind}/{number}".encode(), digest_size=8).digest())
