"""Write one shard: its records in order, its sidecar; or keep it where all that made it still holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import BinaryIO

import msgspec

from cocoprep.builder.packing import annotations_digest
from cocoprep.builder.places import annotation_hash
from cocoprep.builder.selection import ImagePeople
from cocoprep.builder.tally import Tally
from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.image_source import DigestedImages, photograph_digest
from cocoprep.crops.orientation import ExifTally
from cocoprep.crops.person import crop_person
from cocoprep.crops.pixels import decode_image
from cocoprep.errors import ImageError, RecordError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.record import encode_example
from cocoprep.shards.sidecar import ImageFault, Sidecar, read_sidecar_and_digest, write_sidecar
from cocoprep.shards.tfrecord import write_records
from cocoprep.storage.digests import digest_file
from cocoprep.storage.spool import Spool
from cocoprep.storage.store import FileDigest, FileStore


class WrittenShard(msgspec.Struct, frozen=True):
    """What the last step has to know of a finished shard, to tell it from one of another build.

    Attributes:
        plan: digest of the plan of the build that wrote or kept it.
        name: the shard's file name.
        sidecar: of the sidecar's file, which holds the shard's own digest and that of its annotations.
    """

    plan: str
    name: str
    sidecar: FileDigest


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """What `ShardWriter.write` did: `kept` says that the shard was there and stayed as it was."""

    written: WrittenShard
    sidecar: Sidecar
    kept: bool


@dataclass(frozen=True, slots=True)
class ShardWriter:
    """Writes shards of one build into its folder.

    Attributes:
        folder: the build's.
        plan: digest of the build's plan.
        fingerprint: of all that decides a shard's bytes besides annotations and photographs.
        crop: geometry and encoding of the crops.
        seed: of the order of the records.
        joints: how many the keypoint table has.
        exif: whether photographs are taken as stored or upright.
        images: the photographs.
        files: where the folder lies.
        on_progress: told of (images, crops) as they are done.
    """

    folder: str
    plan: str
    fingerprint: str
    crop: CropConfig
    seed: int
    joints: int
    exif: Exif
    images: DigestedImages
    files: FileStore
    on_progress: Callable[[int, int], None]

    def write(self, name: str, groups: Sequence[ImagePeople]) -> ShardOutcome:
        """Write one shard, or keep it where it is there and all its sidecar pins still holds.

        Args:
            name: the shard's file name.
            groups: the photographs of the shard and their people, in any order.
        """
        groups = sorted(groups, key=lambda group: group.image.image_id)
        annotations = annotations_digest(groups)
        found = self._reusable(name, annotations, groups)
        if found is not None:
            sidecar, digest = found
        else:
            with Spool() as records:
                sidecar = self._write(name, annotations, groups, records)
            digest = write_sidecar(self.folder, sidecar, self.files)
        return ShardOutcome(WrittenShard(self.plan, name, digest), sidecar, kept=found is not None)

    def _reusable(
        self, name: str, annotations: str, groups: Sequence[ImagePeople]
    ) -> tuple[Sidecar, FileDigest] | None:
        try:
            found = read_sidecar_and_digest(self.folder, name, self.files)
        except (RecordError, OSError):
            return None
        if found is None:
            return None
        sidecar, _ = found
        if sidecar.fingerprint != self.fingerprint or sidecar.annotations != annotations:
            return None
        if sidecar.faults or not self._intact(sidecar):
            return None
        same = all(
            self.images.digest(group.image.file_name) == sidecar.sources.get(group.image.image_id) for group in groups
        )
        return found if same else None

    def _intact(self, sidecar: Sidecar) -> bool:
        path = self.files.join(self.folder, sidecar.shard)
        try:
            return self.files.size(path) == sidecar.bytes and digest_file(path, self.files).sha256 == sidecar.sha256
        except OSError:
            return False

    def _write(self, name: str, annotations: str, groups: Sequence[ImagePeople], records: Spool) -> Sidecar:
        tally = Tally(self.crop, self.joints)
        sources: dict[int, str | None] = {}
        origins: dict[int, int] = {}
        faults, lying = [], ExifTally()
        for group in groups:
            sources[group.image.image_id] = None
            crops = 0
            try:
                data = self.images.read(group.image.file_name)
                sources[group.image.image_id] = photograph_digest(data)
                photograph = decode_image(data, group.image, self.exif, out=lying)
                _check_size(group.image)
            except ImageError as error:
                faults.append(ImageFault(group.image.image_id, str(error)))
            else:
                for person, origin in zip(group.people, group.origins or repeat(None)):  # noqa: B905 - endless
                    crop = crop_person(photograph, group.image, person, self.crop, origin)
                    records.add(crop.annotation_id, encode_example(crop))
                    tally.add(crop)
                    if crop.origin is not None:
                        origins[crop.annotation_id] = crop.origin.source
                crops = len(group.people)
            self.on_progress(1, crops)
        order = sorted(records.keys(), key=lambda number: (annotation_hash(self.seed, number), number))
        offsets, size, sha256 = self._write_records(name, map(records.get, order))
        return Sidecar(
            shard=name,
            fingerprint=self.fingerprint,
            annotations=annotations,
            sources=sources,
            examples=len(order),
            bytes=size,
            sha256=sha256,
            annotation_ids=order,
            offsets=offsets,
            faults=faults,
            exif=lying if lying != ExifTally() else None,
            origins=[origins[number] for number in order] if origins else None,
            **tally.summary(order),
        )

    def _write_records(self, name: str, records: Iterable[bytes]) -> tuple[list[int], int, str]:
        with self.files.create(self.files.join(self.folder, name), sync=False) as stream:
            hashing = _HashingStream(stream)
            offsets = write_records(hashing, records)  # type: ignore[arg-type]
        return offsets, hashing.size, hashing.sha.hexdigest()


def _check_size(image: ImageInfo) -> None:
    """Raise ImageError where a photograph can be read that could not be when sizes were found out."""
    if not image.has_size:
        raise ImageError(
            f"{image.file_name!r}: could not be read when the build began, and no size is stated. It can be read now: "
            "run the same command again"
        )


class _HashingStream:
    """Counts and hashes what is written, so that the shard is not read back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.sha, self.size = stream, hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self.sha.update(data)
        self.size += len(data)
