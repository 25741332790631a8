"""What a shard is to hold, dealt out, digested, and packed for an engine to move about: metadata only."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence

import msgspec

from cocoprep.builder.places import shard_of
from cocoprep.builder.selection import ImagePeople, Selection
from cocoprep.crops.image_source import DigestedImages, ImageSource, Place
from cocoprep.crops.named_images import Refusing

PACKED_TOGETHER = 64  # photographs: large enough to deflate well, and small enough to be unpacked one by one


class PackedShard(msgspec.Struct, frozen=True):
    """All photographs of a shard with their people.

    Attributes:
        plan: digest of the plan of the build that it belongs to.
        fingerprint: of all that decides its bytes besides annotations and photographs.
        joints: how many a person has.
        parts: deflated msgpack of up to `PACKED_TOGETHER` photographs each.
        refused: file names that mean no one photograph, and why.
        places: of the photographs in their archive, as `ImageSource.places` returns them.
    """

    plan: str
    fingerprint: str
    joints: int
    parts: list[bytes]
    refused: dict[str, str] = {}
    places: dict[str, Place] = {}


def deal_shards(selection: Selection, seed: int) -> list[list[ImagePeople]]:
    """Return the photographs of every shard with their people."""
    shards: list[list[ImagePeople]] = [[] for _ in range(selection.num_shards)]
    for group in selection.groups:
        shards[shard_of(group.image.image_id, seed, selection.num_shards)].append(group)
    return shards


def annotations_digest(groups: Sequence[ImagePeople]) -> str:
    """Return a digest of photographs' entries and people, the same in any order of the photographs.

    Origins, which most builds have none of, change it only where they are there.
    """
    digest = hashlib.blake2b(digest_size=16)
    for group in sorted(groups, key=lambda group: group.image.image_id):
        parts = (group.image, group.people, *([group.origins] if group.origins else []))
        digest.update(msgspec.msgpack.encode(parts))
    return digest.hexdigest()


def pack_shard(
    plan: str,
    fingerprint: str,
    joints: int,
    groups: Sequence[ImagePeople],
    *,
    refused: Mapping[str, str] = {},
    images: ImageSource | None = None,
) -> PackedShard:
    """Pack a shard's photographs and people; see `PackedShard`. Of `refused`, what concerns the shard is taken."""
    starts = range(0, len(groups), PACKED_TOGETHER)
    together = (groups[start : start + PACKED_TOGETHER] for start in starts)
    parts = [zlib.compress(msgspec.msgpack.encode(some), level=1) for some in together]
    names = [group.image.file_name for group in groups]
    places = {} if images is None else images.places(names)
    return PackedShard(plan, fingerprint, joints, parts, {n: refused[n] for n in names if n in refused}, places)


def images_of(packed: PackedShard, images: ImageSource) -> DigestedImages:
    """Return the source of a shard's photographs, from the source of all, which takes over what the shard tells."""
    images.learn(packed.places)
    return Refusing(images, packed.refused) if packed.refused else images


def unpack_shard(packed: PackedShard) -> list[ImagePeople]:
    """Return what `pack_shard` packed."""
    return [
        group
        for part in packed.parts
        for group in msgspec.msgpack.decode(zlib.decompress(part), type=list[ImagePeople])
    ]
