"""Read a built folder without TensorFlow: people as NumPy arrays, in stored order or by annotation id.

A `ShardDataset` is a map-style data set as PyTorch's `DataLoader` takes it, and an iterable for everything else.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, SupportsIndex

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.crops.jpeg import decode_crop
from cocoprep.errors import RecordError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.manifest import Manifest, read_manifest
from cocoprep.shards.names import SIDECAR_SUFFIX
from cocoprep.shards.record import decode_example, jpeg_size
from cocoprep.shards.sidecar import ShardPlaces, places_fault
from cocoprep.shards.tfrecord import read_record
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore


class ShardDataset:
    """The people of a built folder.

    Each person is a dict by feature name (`docs/record.md` lists them): `image` (H, W, 3) uint8 RGB, the stored crop;
    `heatmaps` (h, w, K) uint8, value * 255; `keypoints` (K, 2) float32; `visibility` (K,) int64; `crop_window` and
    `bbox` (4,) float32; ids, sizes and `area` as Python numbers; `file_name` as str. Every array is the caller's own.
    """

    def __init__(self, folder: str | os.PathLike[str], files: FileStore = AnyFiles()) -> None:
        """Open a folder; `files` is where it lies, by default, on this machine or in a bucket, as its path says.

        Raises:
            RecordError: the folder is not complete, its manifest is damaged, or its schema is another version's.
        """
        self.folder = os.fspath(folder)
        self._files = files
        self.manifest: Manifest = read_manifest(self.folder, self._files)
        self.crop: CropConfig = self.manifest.crop.config()
        self._joints = len(self.manifest.keypoints.names)

    @cached_property
    def places(self) -> list[tuple[int, str, int]]:
        """Return (annotation id, shard name, offset) of every record in stored order."""
        return [
            (n, shard.name, at)
            for shard, index in zip(self.manifest.shards, self._indices, strict=True)
            for n, at in zip(index.annotation_ids, index.offsets, strict=True)
        ]

    @cached_property
    def sources(self) -> list[int]:
        """Return the place of every record's source among the manifest's, in stored order; 0 where it has one or none.

        Raises:
            RecordError: the sidecars do not say it, or name a source that there is not.
        """
        count = len(self.manifest.sources)
        if count < 2:
            return [0] * len(self.places)
        found: list[int] = []
        for shard, index in zip(self.manifest.shards, self._indices, strict=True):
            origins = index.origins or []
            if len(origins) != len(index.annotation_ids) or not all(0 <= source < count for source in origins):
                path = self._files.join(self.folder, shard.name + SIDECAR_SUFFIX)
                raise RecordError(
                    f"{path}: expected which of {count} sources each record is of. Build the folder again."
                )
            found += origins
        return found

    @cached_property
    def _indices(self) -> list[ShardPlaces]:
        """Return what the sidecar of every shard says of its records."""
        found = []
        for shard in self.manifest.shards:
            path = self._files.join(self.folder, shard.name + SIDECAR_SUFFIX)
            try:
                index = msgspec.json.decode(self._files.read_bytes(path), type=ShardPlaces)
            except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise RecordError(f"{path}: cannot be read ({error}); run `cocoprep verify {self.folder}`.") from error
            fault = places_fault(index, shard.examples, shard.bytes)
            if fault:
                raise RecordError(f"{path}: not its shard's sidecar ({fault}). Run `cocoprep verify {self.folder}`.")
            found.append(index)
        return found

    @cached_property
    def ends(self) -> list[int]:
        """Return the byte of its shard at which every record ends, in stored order."""
        sizes = {shard.name: shard.bytes for shard in self.manifest.shards}
        following = [*self.places[1:], (0, "", 0)]
        return [
            start if shard == same else sizes[shard]
            for (_, shard, _), (_, same, start) in zip(self.places, following, strict=True)
        ]

    @cached_property
    def _index_of(self) -> dict[int, int]:
        return {annotation_id: index for index, (annotation_id, _, _) in enumerate(self.places)}

    @property
    def annotation_ids(self) -> list[int]:
        """Return the annotation id of every person in stored order."""
        return [annotation_id for annotation_id, _, _ in self.places]

    def own_names(self, annotation_ids: Sequence[int]) -> list[str]:
        """Return what annotations are called: of several sources by source and own id, such as lsp/66; else the number.

        Raises:
            RecordError: of several sources, the ledger is missing or damaged.
        """
        if len(self.manifest.sources) < 2:
            return [str(number) for number in annotation_ids]
        from cocoprep.shards.ledger import read_ledger  # takes long to load
        from cocoprep.shards.own_names import own_names

        return own_names(read_ledger(self.folder, self._files), annotation_ids)

    def __len__(self) -> int:
        """Return how many people there are."""
        return self.manifest.counts.people

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return one person by place in stored order, an int."""
        if not isinstance(index, SupportsIndex):
            raise TypeError(f"expected an int, found {index!r}; ids go to `person`")
        annotation_id, shard, start = self.places[index]
        with self._readable(shard) as path:
            record = self._files.read_range(path, start, self.ends[index])
        person = self._decode(io.BytesIO(record), shard, start)
        if person["annotation_id"] != annotation_id:
            raise RecordError(
                f"{self._files.join(self.folder, shard)}: expected annotation {annotation_id} at byte {start}, found "
                f"{person['annotation_id']}. Was the folder built again meanwhile? Open it anew."
            )
        return person

    def person(self, annotation_id: int) -> dict[str, Any]:
        """Return one person by annotation id. Raises KeyError where no record has it."""
        return self[self._index_of[annotation_id]]

    def __contains__(self, annotation_id: object) -> bool:
        """Tell whether an annotation id has a record."""
        return annotation_id in self._index_of

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield every person in stored order, reading each shard once from front to back."""
        for shard in self.manifest.shards:
            with self._readable(shard.name) as path:
                stream = self._files.open_read(path)
            with stream:
                for _ in range(shard.examples):
                    yield self._decode(stream, shard.name, stream.tell())

    @contextmanager
    def _readable(self, shard: str) -> Iterator[str]:
        path = self._files.join(self.folder, shard)
        try:
            yield path
        except OSError as error:
            raise RecordError(
                f"{path}: cannot be read ({error.strerror or error}). Run `cocoprep verify {self.folder}`."
            ) from error

    def canonical(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the canonical crop, a view: the centre of a stored crop (H, W, 3), which heatmaps and joints fit."""
        margin, (height, width) = self.crop.margin_px, self.crop.input_size
        return stored[margin : margin + height, margin : margin + width]

    def _decode(self, stream: Any, shard: str, offset: int) -> dict[str, Any]:
        try:
            record = read_record(stream)
            if record is None:
                raise RecordError("the file ends before the record")
            person = decode_example(record, self.crop, self._joints)
            person["image"] = self._decode_image(person["image"])
        except RecordError as error:
            raise RecordError(
                f"{shard}, offset {offset}: {error}. Run `cocoprep verify {self.folder}` to find all damage, and "
                "build the folder again to mend it."
            ) from error
        person["heatmaps"] = person["heatmaps"].copy()
        return person

    def _decode_image(self, jpeg: bytes) -> NDArray[np.uint8]:
        """Decode a stored crop. Raises RecordError where it is none, or of another size: before memory is taken."""
        if jpeg_size(jpeg) != self.crop.stored_size:
            raise RecordError(f"expected a crop of {self.crop.stored_size}, found {jpeg_size(jpeg)}")
        try:
            return decode_crop(jpeg, self.crop.stored_size)
        except MemoryError:  # no fault of the record
            raise
        except Exception as error:  # decoders raise whatever a hostile file provokes
            raise RecordError(f"feature 'image': cannot be decoded ({type(error).__name__}: {error})") from error


def open_dataset(folder: str | os.PathLike[str], files: FileStore = AnyFiles()) -> ShardDataset:
    """Open a folder that `cocoprep build` has made, on this machine or in a bucket (`gs://bucket/folder`).

    Raises:
        RecordError: it is not complete, or damaged.
        StoreError: the bucket does not do what it should.
    """
    return ShardDataset(folder, files)
