"""The people of a built folder as one small file, or in memory: their stored crops, their joints, and their boxes.

Loads neither PyTorch nor TensorFlow. N people, K joints.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from cocoprep.checks import require
from cocoprep.errors import ConfigError
from cocoprep.model.augment.pixels import decode_crop
from cocoprep.pose.boxes import longer_side
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.settings import CropRecord, KeypointRecord, table_of

PARTS = ("train", "score")


@dataclass(frozen=True)
class People:
    """N people of a folder of square crops.

    Attributes:
        crop: the geometry of the crops.
        joints: the K joints.
        jpegs: (bytes,) uint8, the stored crops end to end.
        ends: (N,) where each ends.
        names: (N,) what a list of annotations calls them.
        annotation_ids: (N,).
        keypoints: (N, K, 2) float32 in pixels of the canonical crop.
        visibility: (N, K) 0 where not labelled.
        box_side: (N,) the longer side of the box, in pixels of the canonical crop.
    """

    crop: CropRecord
    joints: KeypointRecord
    jpegs: NDArray[np.uint8]
    ends: NDArray[np.int64]
    names: NDArray[np.str_]
    annotation_ids: NDArray[np.int64]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.int64]
    box_side: NDArray[np.float64]

    def __len__(self) -> int:
        """Return N."""
        return len(self.ends)

    @property
    def size(self) -> int:
        """Return the side of the canonical crop in pixels."""
        return self.crop.input_size[0]

    @property
    def table(self) -> KeypointTable:
        """Return the table of the joints."""
        return table_of(self.joints)

    def pictures(self) -> NDArray[np.uint8]:
        """Return (N, S, S, 3) the stored crops, decoded by all cores."""
        starts = [0, *self.ends[:-1].tolist()]
        jpegs = [self.jpegs[start:end].tobytes() for start, end in zip(starts, self.ends.tolist(), strict=True)]
        with ThreadPoolExecutor() as pool:
            return np.stack(list(pool.map(lambda jpeg: decode_crop(jpeg, self.crop.stored_size), jpegs)))

    def places_without(self, names: Collection[str]) -> NDArray[np.int64]:
        """Return the places of those who are not named."""
        return np.flatnonzero(~np.isin(self.names, list(names)))


def read_people(paths: list[str]) -> dict[str, People]:
    """Read those to train on and those to score, from two built folders or from one packed file.

    Raises:
        CocoprepError: a path cannot be read, crops are not square, or the two have other joints.
    """
    if len(paths) > len(PARTS):
        raise ConfigError(f"people: expected two built folders or one packed file, found {len(paths)} paths.")
    people = _unpack(paths[0]) if len(paths) == 1 else dict(zip(PARTS, map(read_folder, paths), strict=True))
    train, score = (people[part] for part in PARTS)
    require(train.joints == score.joints, "people", f"the joints {train.joints.names} in both", score.joints.names)
    return people


def read_folder(folder: str) -> People:
    """Read the people of a built folder."""
    from cocoprep.model.input.config import ReadConfig
    from cocoprep.model.input.records import RecordSource
    from cocoprep.shards.dataset import open_dataset

    source = RecordSource(folder, ReadConfig(cache=False))
    crop = source.manifest.crop
    require(crop.input_size[0] == crop.input_size[1], folder, "square crops", crop.input_size)
    records = source.read(np.arange(len(source)))
    windows = np.stack([record.crop_window for record in records])
    boxes = np.stack([record.bbox for record in records])
    return People(
        crop=crop,
        joints=source.manifest.keypoints,
        jpegs=np.frombuffer(b"".join(record.jpeg for record in records), np.uint8),
        ends=np.cumsum([len(record.jpeg) for record in records]),
        names=np.array(open_dataset(folder).own_names(source.annotation_ids.tolist())),
        annotation_ids=source.annotation_ids,
        keypoints=np.stack([record.keypoints for record in records]),
        visibility=np.stack([record.visibility for record in records]),
        box_side=longer_side(boxes) * (crop.input_size[1] / windows[:, 2]),
    )


def pack(people: dict[str, People], path: Path) -> None:
    """Write those to train on and those to score into one file, without their heatmaps."""
    arrays: dict[str, Any] = {}
    for part, some in people.items():
        for name, value in vars(some).items():
            is_record = isinstance(value, msgspec.Struct)
            arrays[f"{part}_{name}"] = msgspec.json.encode(value).decode() if is_record else value
    with path.open("wb") as file:
        np.savez(file, **arrays)


def _unpack(path: str) -> dict[str, People]:
    try:
        with Path(path).open("rb") as file, np.load(file) as arrays:
            return {part: _unpack_part(dict(arrays), f"{part}_") for part in PARTS}
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, msgspec.MsgspecError) as error:
        raise ConfigError(
            f"{path}: expected two built folders, or one file that --pack has written, found something else ({error})."
        ) from error


def _unpack_part(arrays: dict[str, Any], prefix: str) -> People:
    own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    own["crop"] = msgspec.json.decode(str(own["crop"]), type=CropRecord)
    own["joints"] = msgspec.json.decode(str(own["joints"]), type=KeypointRecord)
    return People(**own)
