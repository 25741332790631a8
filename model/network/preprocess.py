"""What happens to pixels before the network sees them."""

from __future__ import annotations

from typing import Any

from keras import ops

# Mean and standard deviation of ImageNet's photographs over 255, by channel: the field's usual choice.
# Source: He et al. 2016, as published with their networks.
MEAN_RGB = (0.485, 0.456, 0.406)
STDDEV_RGB = (0.229, 0.224, 0.225)


def normalise_images(images: Any) -> Any:
    """Take (..., H, W, 3) uint8 RGB to float32 of about zero mean and unit variance."""
    scale = ops.convert_to_tensor([1 / (255 * stddev) for stddev in STDDEV_RGB], "float32")
    shift = ops.convert_to_tensor([-m / s for m, s in zip(MEAN_RGB, STDDEV_RGB, strict=True)], "float32")
    return ops.cast(images, "float32") * scale + shift


def unit_heatmaps(heatmaps: Any) -> Any:
    """Take stored heatmaps (..., h, w, K) uint8, value * 255, to float32 of peak 1."""
    return ops.cast(heatmaps, "float32") * (1 / 255)
