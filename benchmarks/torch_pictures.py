"""Pictures and heatmaps of people on the device that trains: cocoprep.model.augment in PyTorch, for maps drawn ahead.

N people, B of them at once, K joints, pictures of (H, W) pixels, here square. Pictures are float32 levels 0 to 255.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from benchmarks.ablation_people import People
from cocoprep.model.augment.pixels import NoiseTiles
from cocoprep.model.draws import Purpose, draw_normal

# As in cocoprep.model.network.preprocess, which loads Keras.
MEAN_RGB, STDDEV_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SHRUNK_AT_ONCE = 256


class Crops:
    """The stored crops of people on a device, and smaller ones for smaller inputs."""

    def __init__(self, people: People, device: torch.device) -> None:
        self.device, self.size = device, people.size
        self.margin = people.crop.margin / people.size  # in sides of the canonical crop
        self.fill = torch.tensor(people.crop.fill_rgb, dtype=torch.float32, device=device).view(1, 3, 1, 1)
        mean, stddev = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (MEAN_RGB, STDDEV_RGB))
        self._mean, self._stddev = 255 * mean, 255 * stddev
        self._full = torch.from_numpy(people.pictures()).to(device).permute(0, 3, 1, 2)
        self._shrunk: dict[int, Tensor] = {}

    def at(self, size: int) -> Tensor:
        """Return (N, 3, s, s) uint8 stored crops, shrunk so that a canonical crop has about `size` pixels a side."""
        stored = self._full.shape[-1]
        side = round(stored * size / self.size)
        if side >= stored:
            return self._full
        if side not in self._shrunk:
            parts = [_shrink(some, side) for some in self._full.split(SHRUNK_AT_ONCE)]
            self._shrunk[side] = torch.cat(parts)
        return self._shrunk[side]

    def warp(self, stored: Tensor, to_canonical: Tensor, size: int) -> Tensor:
        """Return (B, 3, H, W) pictures of `size`, resampled bilinearly.

        Args:
            stored: (B, 3, s, s) uint8, of those of `at`.
            to_canonical: (B, 2, 3) maps from points of the picture to points of the canonical crop, of the same size.
            size: side of the picture.
        """
        centres = torch.arange(size, device=self.device, dtype=torch.float32) + 0.5
        x, y = centres.view(1, 1, -1), centres.view(1, -1, 1)
        maps = to_canonical[..., None, None]
        points = torch.stack([row[:, 0] * x + row[:, 1] * y + row[:, 2] for row in maps.unbind(dim=1)], dim=-1)
        # From pixels of the canonical crop to the stored one from -1 to 1, whatever its pixels.
        grid = (points / size + self.margin) / (1 + 2 * self.margin) * 2 - 1
        # What lies outside is filled with zeros: as if the fill were zero.
        return grid_sample(stored.float() - self.fill, grid, padding_mode="zeros", align_corners=False) + self.fill

    def normalise(self, pictures: Tensor) -> Tensor:
        """Take levels (B, 3, H, W), clipped, to what a network sees, in the layout that convolutions like."""
        normal = (pictures.clamp(0, 255) - self._mean) / self._stddev
        return normal.contiguous(memory_format=torch.channels_last)


def _shrink(pictures: Tensor, side: int) -> Tensor:
    small = interpolate(pictures.float(), (side, side), mode="bilinear", antialias=True, align_corners=False)
    return small.round().clamp(0, 255).byte()


def recolour(pictures: Tensor, matrices: Tensor) -> Tensor:
    """Map every pixel of (B, 3, H, W) by colour matrices (B, 3, 4); not clipped."""
    levels = matrices[..., None, None]  # written out: a matrix product would be rounded to TF32
    linear = [levels[:, :, channel] * pictures[:, channel, None] for channel in range(3)]
    return linear[0] + linear[1] + linear[2] + levels[:, :, 3]


class Noise:
    """The noise of `NoiseTiles` on a device."""

    def __init__(self, largest_sigma: float, size: int, device: torch.device) -> None:
        side, steps = size + NoiseTiles.SPARE_PX, NoiseTiles.STEPS
        unit = draw_normal(Purpose.NOISE, 0, side * side * 3).reshape(side, side, 3)
        levels = [np.rint(unit * (largest_sigma * step / steps)) for step in range(steps + 1)]
        self._tiles = torch.from_numpy(np.stack(levels).astype(np.float32)).to(device)
        self._counts = torch.tensor([steps + 1, *[NoiseTiles.SPARE_PX + 1] * 2], device=device)
        self._pixels = torch.arange(size, device=device)

    def add(self, pictures: Tensor, choice: Tensor) -> Tensor:
        """Add noise to (B, 3, H, W); four numbers (B, 4) from [0, 1) choose strength, row, column and sign."""
        step, row, column = (choice[:, :3] * self._counts).long()[..., None, None].unbind(dim=1)
        cut = self._tiles[step, row + self._pixels[:, None], column + self._pixels]  # (B, H, W, 3)
        sign = torch.where(choice[:, 3] < 0.5, -1.0, 1.0).view(-1, 1, 1, 1)
        return pictures + sign * cut.permute(0, 3, 1, 2)


def draw_heatmaps(points: Tensor, labelled: Tensor, size: int, sigma: float) -> Tensor:
    """Return (B, K, h, w) Gaussians of peak 1 at points (B, K, 2) in heatmap pixels, zero where not labelled (B, K)."""
    centres = torch.arange(size, device=points.device) + 0.5
    across, down = torch.exp(-(centres - points[..., None]).square() / (2 * sigma**2)).unbind(dim=2)
    return down[..., :, None] * across[..., None, :] * labelled[..., None, None]
