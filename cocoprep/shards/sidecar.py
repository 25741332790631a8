"""The sidecar of a shard: all that is known of it, so that a rerun can keep it and the last step need not read it."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray

from cocoprep.crops.orientation import ExifTally
from cocoprep.errors import RecordError
from cocoprep.shards.names import SIDECAR_SUFFIX
from cocoprep.shards.seal import seal, unseal
from cocoprep.storage.digests import digest_bytes
from cocoprep.storage.store import FileDigest, FileStore

DECODED_STEP_PX = 0.001  # decoded joints are kept in thousandths of an image pixel


class ImageFault(msgspec.Struct, frozen=True):
    """A photograph whose people could not be cropped, and why."""

    image_id: int
    detail: str


class ShardPlaces(msgspec.Struct):
    """The part of a sidecar that random access needs; the rest is skipped unread."""

    annotation_ids: list[int]
    offsets: list[int]
    origins: list[int] | None = None


class Sidecar(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a finished shard. No times, no host names: the same shard has the same sidecar.

    Attributes:
        annotations: digest of the shard's annotations.
        sources: `photograph_digest` of each photograph by image id, None where it could not be read.
        joints_outside_crop: labelled joints that lie outside the canonical crop.
        decoded: joints read back from the stored heatmaps, (examples, K, 2) int32 thousandths of an image pixel
            (COCO's frame: pixel indices), packed.
        keypoints: the records' joints, (examples, K, 2) float32 crop pixels, packed.
        labelled_joints: which of them are labelled, (examples, K) bool, packed.
        box_sides: the longer side of each box in crop pixels, (examples,) float32, packed: the unit of PCK.
        heatmap_sums: sum of the stored maps over labelled joints, (h, w, K) uint32, packed.
        exif: photographs that were turned upright, or might have been; None, and left away, where there are none.
        origins: place of each record's source among the manifest's; None, and left away, where the build has one.
    """

    shard: str
    fingerprint: str
    annotations: str
    sources: dict[int, str | None]
    examples: int
    bytes: int
    sha256: str
    annotation_ids: list[int]
    offsets: list[int]
    faults: list[ImageFault]
    joints_outside_crop: int
    decoded: str
    keypoints: str
    labelled_joints: str
    box_sides: str
    heatmap_sums: str
    exif: ExifTally | None = None
    origins: list[int] | None = None


def pack_array(array: NDArray[Any]) -> str:
    """Pack an array's numbers, little-endian, as text."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(zlib.compress(little.tobytes(), level=1)).decode()


def unpack_array(text: str, dtype: DTypeLike, shape: Sequence[int]) -> NDArray[Any]:
    """Return the array that `pack_array` packed. Raises RecordError where it is damaged or of another size."""
    little = np.dtype(dtype).newbyteorder("<")
    expected, unpacker = math.prod(shape) * little.itemsize, zlib.decompressobj()
    try:
        raw = unpacker.decompress(base64.b64decode(text, validate=True), expected + 1)
    except (zlib.error, ValueError) as error:
        raise RecordError(f"a sidecar's packed array: damaged ({error}). Build the folder again.") from error
    if len(raw) != expected or not unpacker.eof:
        raise RecordError(
            f"a sidecar's packed array: expected {expected} bytes for {tuple(shape)}, found {len(raw)} or more. Build "
            "the folder again."
        )
    return np.frombuffer(raw, little).reshape(shape).astype(dtype)


def write_sidecar(folder: str, sidecar: Sidecar, files: FileStore) -> FileDigest:
    """Write a shard's sidecar beside it and return its digest; the last step of a build syncs it."""
    data = seal(sidecar)
    with files.create(files.join(folder, sidecar.shard + SIDECAR_SUFFIX), sync=False) as stream:
        stream.write(data)
    return digest_bytes(data)


def read_sidecar(folder: str, name: str, files: FileStore) -> Sidecar | None:
    """Read a shard's sidecar; None where there is none.

    Raises:
        RecordError: it is damaged.
    """
    found = read_sidecar_and_digest(folder, name, files)
    return None if found is None else found[0]


def read_sidecar_and_digest(folder: str, name: str, files: FileStore) -> tuple[Sidecar, FileDigest] | None:
    """Read a shard's sidecar, and return with it the digest of what was read.

    Raises:
        RecordError: it is damaged.
    """
    path = files.join(folder, name + SIDECAR_SUFFIX)
    if not files.exists(path):
        return None
    data = files.read_bytes(path)
    try:
        sidecar = msgspec.convert(unseal(data, path), Sidecar, strict=False)
    except msgspec.ValidationError as error:
        raise RecordError(f"{path}: not a sidecar ({error}).") from error
    fault = "of another shard" if sidecar.shard != name else places_fault(sidecar, sidecar.examples, sidecar.bytes)
    if fault:
        raise RecordError(f"{path}: not its shard's sidecar ({fault}). Build the folder again.")
    return sidecar, digest_bytes(data)


def places_fault(places: ShardPlaces | Sidecar, examples: int, size: int) -> str | None:
    """Say why ids and offsets cannot be those of a shard of so many records and bytes, or None."""
    ids, offsets = places.annotation_ids, places.offsets
    if not len(ids) == len(offsets) == examples:
        return f"expected {examples} annotations and offsets, found {len(ids)} and {len(offsets)}"
    if places.origins is not None and len(places.origins) != examples:
        return f"expected the sources of {examples} records, found those of {len(places.origins)}"
    if any(start >= end for start, end in pairwise([-1, *offsets, size])):
        return f"expected offsets from 0 to {size}, each larger than the one before it"
    return None
