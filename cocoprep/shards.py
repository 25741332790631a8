"""Build one shard: its name, its records in order, its sidecar; or keep it where all that made it still holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep import affine
from cocoprep.config import CropConfig
from cocoprep.crops import PersonCrop, crop_person
from cocoprep.errors import ImageError, RecordError
from cocoprep.example import encode_example
from cocoprep.files import FileStore
from cocoprep.heatmaps import decode_heatmaps
from cocoprep.images import ImageSource, content_digest, decode_image
from cocoprep.manifest import digest_file
from cocoprep.selection import ImagePeople, annotation_hash
from cocoprep.sidecars import DECODED_STEP_PX, ImageFault, Sidecar, pack_array, read_sidecar, write_sidecar
from cocoprep.tfrecord import write_records

TALLY_BATCH = 64


def shard_name(split: str, index: int, count: int) -> str:
    """Return a shard's file name, as TensorFlow Datasets names them."""
    return f"cocoprep-{split}.tfrecord-{index:05d}-of-{count:05d}"


class _Score(NamedTuple):
    """What scoring needs of one person: see `Sidecar`."""

    decoded: NDArray[np.int32]
    keypoints: NDArray[np.float32]
    labelled: NDArray[np.bool_]
    box_side: float


class _Tally:
    """What a shard's people add up to, and what their stored heatmaps decode to.

    People are taken in batches: NumPy's cost a call would otherwise be a twentieth of a build.
    """

    def __init__(self, crop: CropConfig, joints: int) -> None:
        self._crop, self._waiting = crop, list[PersonCrop]()
        self.heatmap_sums = np.zeros((*crop.heatmap_size, joints), np.uint32)
        self.joints_outside_crop = 0
        self._scores: dict[int, _Score] = {}

    def add(self, person: PersonCrop) -> None:
        self._waiting.append(person)
        if len(self._waiting) == TALLY_BATCH:
            self.flush()

    def flush(self) -> None:
        """Take in the people still waiting."""
        if not self._waiting:
            return
        people, self._waiting = self._waiting, []
        heatmaps = np.stack([person.heatmaps for person in people])
        self.heatmap_sums += heatmaps.sum(axis=0, dtype=np.uint32)
        labelled = np.stack([person.visibility for person in people]) > 0
        keypoints = np.stack([person.keypoints for person in people])
        self.joints_outside_crop += int((labelled & ~affine.inside(keypoints, self._crop.input_size)).sum())
        points = affine.heatmap_to_crop(decode_heatmaps(heatmaps)[0], self._crop.heatmap_stride)
        for person, in_crop in zip(people, points, strict=True):
            in_image = affine.point_to_index(affine.crop_to_image(in_crop, person.window, self._crop.input_size))
            self._scores[person.annotation_id] = _Score(
                decoded=np.rint(in_image / DECODED_STEP_PX).astype(np.int32),
                keypoints=person.keypoints,
                labelled=person.visibility > 0,
                box_side=max(person.bbox[2:]) * self._crop.input_size[1] / person.window.width,
            )

    def packed(self, order: Sequence[int]) -> dict[str, str]:
        """Return the sidecar's arrays, people in `order` of annotation ids."""
        scores = [self._scores[annotation_id] for annotation_id in order]
        return {
            "decoded": pack_array(np.array([score.decoded for score in scores], np.int32)),
            "keypoints": pack_array(np.array([score.keypoints for score in scores], np.float32)),
            "labelled_joints": pack_array(np.array([score.labelled for score in scores], bool)),
            "box_sides": pack_array(np.array([score.box_side for score in scores], np.float32)),
            "heatmap_sums": pack_array(self.heatmap_sums),
        }


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
        return self._build(name, digest, groups), False

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

    def _build(self, name: str, digest: str, groups: Sequence[ImagePeople]) -> Sidecar:
        tally = _Tally(self.crop, self.joints)
        records: dict[int, bytes] = {}
        sources: dict[int, str | None] = {}
        faults = []
        for group in groups:
            image_id = group.image.image_id
            sources[image_id] = None
            try:
                data = self.images.read(group.image.file_name)
                sources[image_id] = content_digest(data)
                photograph = decode_image(data, group.image)
            except ImageError as error:
                faults.append(ImageFault(image_id, str(error)))
                self.on_progress(1, 0)
                continue
            for person in group.people:
                crop = crop_person(photograph, group.image, person, self.crop)
                records[crop.annotation_id] = encode_example(crop)
                tally.add(crop)
            self.on_progress(1, len(group.people))
        tally.flush()
        order = sorted(records, key=lambda number: (annotation_hash(self.seed, number), number))
        offsets, size, sha256 = self._write_records(name, [records[number] for number in order])
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
            joints_outside_crop=tally.joints_outside_crop,
            **tally.packed(order),
        )
        write_sidecar(self.folder, sidecar, self.files)
        return sidecar

    def _write_records(self, name: str, records: list[bytes]) -> tuple[list[int], int, str]:
        with self.files.create(self.files.join(self.folder, name)) as stream:
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
