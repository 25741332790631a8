"""Augmentation to look at: people as they were stored, and what training makes of them, on one sheet."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.checks import require_number
from cocoprep.draw.sheet import Tile, contact_sheet, person_tiles, spread_evenly
from cocoprep.model.augment.augmenter import Augmenter, Changes, filled_share
from cocoprep.model.augment.config import AugmentConfig
from cocoprep.shards.dataset import ShardDataset
from cocoprep.shards.settings import table_of

MEASURED_PEOPLE = 256


class AugmentFigures(NamedTuple):
    """What augmentation does to a folder.

    Attributes:
        filled: mean share of a picture's pixels that lie outside the stored crop.
        most_filled: the largest share.
        joints_lost: share of the labelled joints that leave the picture.
        people_per_second: varied on one core, decoding not counted.
    """

    filled: float
    most_filled: float
    joints_lost: float
    people_per_second: float


class _Stored(NamedTuple):
    """Some people as `Augmenter` takes them."""

    stored: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.int64]
    annotation_ids: NDArray[np.int64]


def augment_sheet(
    dataset: ShardDataset,
    config: AugmentConfig,
    *,
    title: str,
    people: int = 6,
    epochs: int = 7,
    first_epoch: int = 0,
    seed: int = 0,
    tile_px: int = 160,
) -> Image.Image:
    """Return a sheet with a row a person: the canonical crop, then what `epochs` epochs of training get.

    Args:
        dataset: the folder.
        config: how people are varied.
        title: the line above.
        people: how many at most, spread evenly over stored order.
        epochs: how many, from `first_epoch`.
        first_epoch: from 0.
        seed: of the training run.
        tile_px: the longer side of a picture.

    Raises:
        ConfigError: a number that makes no picture.
        RecordError: the folder is damaged.
    """
    for option, value, lowest in (("--people", people, 1), ("--epochs", epochs, 1), ("--tile", tile_px, 32)):
        require_number(option, value, lowest, 1024, whole=True)
    augmenter = Augmenter(dataset.manifest, config, seed)
    tiles = []
    places = spread_evenly(len(dataset), people)
    for place, stored in zip(places, person_tiles(dataset, places), strict=True):
        tiles.append(stored)
        tiles += _varied_tiles(augmenter, _gather(dataset, [place] * epochs), np.arange(epochs) + first_epoch)
    table = table_of(dataset.manifest.keypoints)
    return contact_sheet(tiles, title=title, tile_px=tile_px, columns=1 + epochs, table=table)


def measure_augmentation(dataset: ShardDataset, config: AugmentConfig, *, seed: int, epoch: int) -> AugmentFigures:
    """Vary some people, spread evenly over a folder, and measure what became of them."""
    people = _gather(dataset, spread_evenly(len(dataset), MEASURED_PEOPLE))
    augmenter = Augmenter(dataset.manifest, config, seed)
    epochs = np.full(len(people.annotation_ids), epoch)
    started = time.perf_counter()
    varied = augmenter(*people, epochs)
    seconds = time.perf_counter() - started
    filled = filled_share(augmenter.draw(people.annotation_ids, epochs).to_canonical, augmenter.crop)
    height, width = augmenter.crop.input_size
    x, y = varied.keypoints[..., 0], varied.keypoints[..., 1]
    lost = ~((x >= 0) & (x < width) & (y >= 0) & (y < height))[varied.visibility > 0]
    return AugmentFigures(float(filled.mean()), float(filled.max()), float(lost.mean()), len(epochs) / seconds)


def _gather(dataset: ShardDataset, places: list[int]) -> _Stored:
    people = [dataset[place] for place in places]
    images, keypoints, visibility, ids = (
        np.stack([person[name] for person in people]) for name in ("image", "keypoints", "visibility", "annotation_id")
    )
    return _Stored(images, keypoints, visibility, ids)


def _varied_tiles(augmenter: Augmenter, people: _Stored, epochs: NDArray[np.int64]) -> list[Tile]:
    varied = augmenter(*people, epochs)
    changes = augmenter.draw(people.annotation_ids, epochs)
    filled = filled_share(changes.to_canonical, augmenter.crop)
    return [
        Tile(
            picture=varied.image[n],
            points=varied.keypoints[n],
            visibility=varied.visibility[n],
            name=_describe(changes, n),
            note=f"{filled[n]:.0%} filled" if filled[n] >= 0.005 else "",
        )
        for n in range(len(epochs))
    ]


def _describe(changes: Changes, n: int) -> str:
    across, down = changes.to_canonical[n, :, 1]
    degrees = np.degrees(np.arctan2(-across, down))
    turned = f"{degrees:+.0f} deg" if abs(degrees) >= 0.5 else ""
    parts = (f"x{changes.zoom[n]:.2f}", turned, "flip" if changes.flipped[n] else "")
    return " ".join(part for part in parts if part)
