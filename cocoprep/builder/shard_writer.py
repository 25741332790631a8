"""Build one shard: its name, its records in order, its sidecar; or keep it where all that made it still holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from cocoprep.builder.selection import ImagePeople, annotation_hash
from cocoprep.builder.tally import Tally
from cocoprep.crops.person import crop_person
from cocoprep.crops.photographs import ImageSource, photograph_digest
from cocoprep.crops.pixels import decode_image
from cocoprep.errors import ImageError, RecordError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.record import encode_example
from cocoprep.shards.sidecar import ImageFault, Sidecar, read_sidecar, write_sidecar
from cocoprep.shards.tfrecord import write_records
from cocoprep.storage.digests import digest_file
from cocoprep.storage.spool import Spool
from cocoprep.storage.store import FileStore


@dataclass(frozen=True, slots=True)
class ShardWriter:
    """Builds shards of one split into a folder. `on_progress` is told of (images, crops) as they are done."""

    folder: str
    fingerprint: str
    crop: CropConfig
    seed: int
    joints: int
    images: ImageSource
    files: FileStore
    on_progress: Callable[[int, int], None]

    def write(self, name: str, groups: Sequence[ImagePeople]) -> tuple[Sidecar, bool]:
        """Build one shard, or keep it where it is there and all its sidecar pins still holds.

        Args:
            name: the shard's file name.
            groups: the photographs of the shard and their people, in any order.

        Returns:
            The sidecar, and whether the shard was kept as it was.
        """
        groups = sorted(groups, key=lambda group: group.image.image_id)
        digest = annotations_digest(groups)
        kept = self._reusable(name, digest, groups)
        if kept is not None:
            return kept, True
        with Spool() as records:
            return self._build(name, digest, groups, records), False

    def _reusable(self, name: str, digest: str, groups: Sequence[ImagePeople]) -> Sidecar | None:
        try:
            sidecar = read_sidecar(self.folder, name, self.files)
        except RecordError:
            return None
        if sidecar is None or sidecar.fingerprint != self.fingerprint or sidecar.annotations != digest:
            return None
        if sidecar.faults or not self._intact(sidecar):
            return None
        same = all(
            self.images.digest(group.image.file_name) == sidecar.sources.get(group.image.image_id) for group in groups
        )
        return sidecar if same else None

    def _intact(self, sidecar: Sidecar) -> bool:
        path = self.files.join(self.folder, sidecar.shard)
        if not self.files.exists(path) or self.files.size(path) != sidecar.bytes:
            return False
        return digest_file(path, self.files).sha256 == sidecar.sha256

    def _build(self, name: str, digest: str, groups: Sequence[ImagePeople], records: Spool) -> Sidecar:
        tally = Tally(self.crop, self.joints)
        sources: dict[int, str | None] = {}
        faults = []
        for group in groups:
            sources[group.image.image_id] = None
            crops = 0
            try:
                data = self.images.read(group.image.file_name)
                sources[group.image.image_id] = photograph_digest(data)
                photograph = decode_image(data, group.image)
            except ImageError as error:
                faults.append(ImageFault(group.image.image_id, str(error)))
            else:
                for person in group.people:
                    crop = crop_person(photograph, group.image, person, self.crop)
                    records.add(crop.annotation_id, encode_example(crop))
                    tally.add(crop)
                crops = len(group.people)
            self.on_progress(1, crops)
        order = sorted(records.keys(), key=lambda number: (annotation_hash(self.seed, number), number))
        offsets, size, sha256 = self._write_records(name, map(records.get, order))
        sidecar = Sidecar(
            shard=name,
            fingerprint=self.fingerprint,
            annotations=digest,
            sources=sources,
            examples=len(order),
            bytes=size,
            sha256=sha256,
            annotation_ids=order,
            offsets=offsets,
            faults=faults,
            **tally.summary(order),
        )
        write_sidecar(self.folder, sidecar, self.files)
        return sidecar

    def _write_records(self, name: str, records: Iterable[bytes]) -> tuple[list[int], int, str]:
        with self.files.create(self.files.join(self.folder, name), sync=False) as stream:
            hashing = _HashingStream(stream)
            offsets = write_records(hashing, records)  # type: ignore[arg-type]
        return offsets, hashing.size, hashing.sha.hexdigest()


class _HashingStream:
    """Counts and hashes what is written, so that the shard is not read back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.sha, self.size = stream, hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self.sha.update(data)
        self.size += len(data)


def annotations_digest(groups: Sequence[ImagePeople]) -> str:
    """Return a digest of photographs' entries and people, sorted by image id."""
    digest = hashlib.blake2b(digest_size=16)
    for group in groups:
        digest.update(msgspec.msgpack.encode(group))
    return digest.hexdigest()
