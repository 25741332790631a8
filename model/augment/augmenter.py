"""Vary people for training: one affine each, pixels and joints by the same, heatmaps drawn again from the joints.

What happens to a person is a function of seed, epoch and annotation id alone. N people, K joints, pictures of (H, W).
Frames: the picture that training gets; the canonical crop; the stored crop, which is the canonical one plus a margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cocoprep.model.augment.buffers import empty_pixels
from cocoprep.model.augment.config import AugmentConfig
from cocoprep.model.augment.pixels import NoiseTiles, colour_matrices, recolour, warp_picture
from cocoprep.model.augment.render import render_heatmaps
from cocoprep.model.draws import Purpose, draw_uniform
from cocoprep.pose import affine
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.settings import CropRecord


class Changes(NamedTuple):
    """What happens to N people.

    Attributes:
        to_canonical: (N, 2, 3) float64 maps from points of the picture to points of the canonical crop.
        zoom: (N,) size of the window as a multiple of the canonical one.
        flipped: (N,) whether left and right are swapped.
        colours: (N, 3, 4) colour matrices.
        noise: (N, 4) numbers that choose the noise.
    """

    to_canonical: NDArray[np.float64]
    zoom: NDArray[np.float64]
    flipped: NDArray[np.bool_]
    colours: NDArray[np.float64]
    noise: NDArray[np.float64]


class Varied(NamedTuple):
    """N people as training gets them: see `cocoprep.model.input.batch`; `zoom` and `flipped` are those of `Changes`."""

    image: NDArray[np.uint8]
    heatmaps: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.int32]
    zoom: NDArray[np.float32]
    flipped: NDArray[np.bool_]


def draw_changes(
    config: AugmentConfig,
    crop: CropRecord,
    *,
    seed: int,
    epochs: NDArray[np.int64],
    annotation_ids: NDArray[np.int64],
) -> Changes:
    """Draw what happens to N people, from the seed, their epochs (N,) and their annotation ids (N,)."""
    drawn = draw_uniform(Purpose.AUGMENT, seed, epochs[:, None], annotation_ids[:, None], np.arange(13))
    window, shift_x, shift_y, turned, angle, flip, brightness, contrast, saturation = drawn.T[:9]
    zoom = np.ones(len(drawn))
    if config.window_min is not None and config.window_max is not None:
        zoom = (config.window_min + window * (config.window_max - config.window_min)) / crop.bbox_scale
    degrees = np.where(turned < config.rotation_probability, config.rotation_degrees, 0) * _to_either_side(angle)
    flipped = flip < config.flip_probability
    shift = config.shift * np.stack([_to_either_side(shift_x), _to_either_side(shift_y)], axis=-1)
    return Changes(
        to_canonical=canonical_maps(
            crop.input_size, zoom=zoom, shift=shift, angle=np.radians(degrees), flipped=flipped
        ),
        zoom=zoom,
        flipped=flipped,
        colours=colour_matrices(
            config.brightness * _to_either_side(brightness),
            1 + config.contrast * _to_either_side(contrast),
            1 + config.saturation * _to_either_side(saturation),
        ),
        noise=drawn[:, 9:],
    )  # fmt: skip


def _to_either_side(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread numbers from [0, 1) over [-1, 1)."""
    return 2 * drawn - 1


def canonical_maps(
    size: tuple[int, int],
    *,
    zoom: NDArray[np.float64],
    shift: NDArray[np.float64],
    angle: NDArray[np.float64],
    flipped: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return (N, 2, 3) maps from points of a picture of `size` (H, W) to points of the canonical crop.

    A window `zoom` times the canonical one, its centre moved by `shift` (N, 2), x and y as fractions of the window,
    turned by `angle` (N,) radians about its centre; what it shows is mirrored where `flipped`.
    """
    centre = np.array([size[1], size[0]], np.float64) / 2
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    mirror = np.where(flipped, -1.0, 1.0)
    turn = np.stack([mirror * cosine, -sine, mirror * sine, cosine], axis=-1).reshape(-1, 2, 2)
    offset = centre + zoom[:, None] * shift * (2 * centre) - (turn * centre).sum(axis=-1)
    return np.concatenate([turn, offset[..., None]], axis=-1)


def move_joints(
    keypoints: NDArray[np.float32], visibility: NDArray[np.int32], changes: Changes, flip_index: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Take joints (N, K, 2) of the canonical crop into the picture, and swap left and right of the mirrored.

    Returns:
        Points (N, K, 2) float64, not clipped, (0, 0) where not labelled, and visibility (N, K) int32.
    """
    points = affine.apply_affine(keypoints, affine.invert_affine(changes.to_canonical))
    points[visibility == 0] = 0
    swap, mirrored = np.asarray(flip_index), changes.flipped
    points = np.where(mirrored[:, None, None], points[:, swap], points)
    return points, np.where(mirrored[:, None], visibility[:, swap], visibility).astype(np.int32)


def filled_share(to_canonical: NDArray[np.float64], crop: CropRecord) -> NDArray[np.float64]:
    """Return (N,) shares of a picture's pixels whose centres lie outside the stored crop: filled, not real."""
    height, width = crop.input_size
    columns, rows = np.meshgrid(affine.pixel_centres(width), affine.pixel_centres(height))
    centres = np.stack([columns.ravel(), rows.ravel()], axis=-1)
    stored = affine.crop_to_stored(affine.apply_affine(centres, to_canonical), crop.margin)
    real: NDArray[np.float64] = affine.inside(stored, crop.stored_size).mean(axis=-1)
    return 1 - real


def canonical_part(stored: NDArray[np.uint8], crop: CropRecord) -> NDArray[np.uint8]:
    """Return the canonical crop, a view: the centre of a stored crop (S, S', 3)."""
    margin, (height, width) = crop.margin, crop.input_size
    return stored[margin : margin + height, margin : margin + width]


class Augmenter:
    """Varies the people of one folder by one config and seed."""

    def __init__(self, manifest: Manifest, config: AugmentConfig, seed: int) -> None:
        self.crop, self._seed = manifest.crop, seed
        self._flip_index = manifest.keypoints.flip_index
        # Where no joints are each other's in a mirror, nobody knows what a mirrored picture shows.
        has_pairs = self._flip_index != tuple(range(len(self._flip_index)))
        self._config = config if has_pairs else replace(config, flip_probability=0.0)
        self._noise = NoiseTiles(config.noise, manifest.crop.input_size) if config.noise else None

    def __call__(
        self,
        stored: Iterable[NDArray[np.uint8]],
        keypoints: NDArray[np.float32],
        visibility: NDArray[np.int64],
        annotation_ids: NDArray[np.int64],
        epochs: NDArray[np.int64],
    ) -> Varied:
        """Vary people.

        Args:
            stored: N stored crops (S, S', 3) uint8, each looked at once.
            keypoints: (N, K, 2) in pixels of the canonical crop.
            visibility: (N, K).
            annotation_ids: (N,), or what people are told apart by.
            epochs: (N,).
        """
        changes = self.draw(annotation_ids, epochs)
        points, seen = move_joints(keypoints, visibility.astype(np.int32), changes, self._flip_index)
        heatmaps = render_heatmaps(
            affine.crop_to_heatmap(points, self.crop.heatmap_stride),
            seen > 0,
            size=self.crop.heatmap_size,
            sigma_px=self.crop.sigma_px,
        )
        pictures = self._pictures(stored, changes)
        zoom = changes.zoom.astype(np.float32)
        return Varied(pictures, heatmaps, points.astype(np.float32), seen, zoom, changes.flipped)

    def mirrored(self, by_joint: NDArray[np.bool_], flipped: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return what is said of joints (N, K), of left and right for each other where people are `flipped` (N,)."""
        return np.where(flipped[:, None], by_joint[:, list(self._flip_index)], by_joint)

    def draw(self, annotation_ids: NDArray[np.int64], epochs: NDArray[np.int64]) -> Changes:
        """Return what happens to people (N,) in epochs (N,)."""
        return draw_changes(self._config, self.crop, seed=self._seed, epochs=epochs, annotation_ids=annotation_ids)

    def _pictures(self, stored: Iterable[NDArray[np.uint8]], changes: Changes) -> NDArray[np.uint8]:
        to_stored = changes.to_canonical.copy()
        to_stored[..., 2] = affine.crop_to_stored(to_stored[..., 2], self.crop.margin)
        pictures = empty_pixels(len(to_stored), *self.crop.input_size, 3)
        for n, picture in enumerate(stored):
            self._vary(picture, to_stored[n], changes.colours[n], changes.noise[n], out=pictures[n])
        return pictures

    def _vary(
        self,
        stored: NDArray[np.uint8],
        to_stored: NDArray[np.float64],
        colours: NDArray[np.float64],
        noise: NDArray[np.float64],
        *,
        out: NDArray[np.uint8],
    ) -> None:
        """Write into `out` (H, W, 3) what becomes of one person's stored crop."""
        if not self._config.changes:
            out[:] = canonical_part(stored, self.crop)
            return
        warp_picture(stored, to_stored, self.crop.fill_rgb, out=out)
        if self._config.recolours:
            recolour(out, colours, out=out)
        if self._noise:
            self._noise.add(out, noise, out=out)
