"""What a shard is to hold, dealt out, digested, and packed for an engine to move about: metadata only."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

import msgspec

from cocoprep.builder.places import shard_of
from cocoprep.builder.selection import ImagePeople, Selection

PACKED_TOGETHER = 64  # photographs: large enough to deflate well, and small enough to be unpacked one by one


class PackedShard(msgspec.Struct, frozen=True):
    """All photographs of a shard with their people.

    Attributes:
        plan: digest of the plan of the build that it belongs to.
        fingerprint: of all that decides its bytes besides annotations and photographs.
        joints: how many a person has.
        parts: deflated msgpack of up to `PACKED_TOGETHER` photographs each.
    """

    plan: str
    fingerprint: str
    joints: int
    parts: list[bytes]


def deal_shards(selection: Selection, seed: int) -> list[list[ImagePeople]]:
    """Return the photographs of every shard with their people."""
    shards: list[list[ImagePeople]] = [[] for _ in range(selection.num_shards)]
    for group in selection.groups:
        shards[shard_of(group.image.image_id, seed, selection.num_shards)].append(group)
    return shards


def annotations_digest(groups: Sequence[ImagePeople]) -> str:
    """Return a digest of photographs' entries and people, the same in any order of the photographs."""
    digest = hashlib.blake2b(digest_size=16)
    for group in sorted(groups, key=lambda group: group.image.image_id):
        digest.update(msgspec.msgpack.encode(group))
    return digest.hexdigest()


def pack_shard(plan: str, fingerprint: str, joints: int, groups: Sequence[ImagePeople]) -> PackedShard:
    """Pack a shard's photographs and people; see `PackedShard`."""
    starts = range(0, len(groups), PACKED_TOGETHER)
    together = (groups[start : start + PACKED_TOGETHER] for start in starts)
    parts = [zlib.compress(msgspec.msgpack.encode(some), level=1) for some in together]
    return PackedShard(plan, fingerprint, joints, parts)


def unpack_shard(packed: PackedShard) -> list[ImagePeople]:
    """Return what `pack_shard` packed."""
    return [
        group
        for part in packed.parts
        for group in msgspec.msgpack.decode(zlib.decompress(part), type=list[ImagePeople])
    ]
