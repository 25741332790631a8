"""The decoder of exported networks is that of `cocoprep.pose.heatmaps`."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from cocoprep.model.export.decode import decode_taylor
from cocoprep.pose.heatmaps import decode_heatmaps, encode_heatmaps

SIZE = (24, 16)


def gaussians(count: int = 40, joints: int = 5, sigma_px: float = 2.0) -> np.ndarray:
    """Return (N, h, w, K) maps of joints anywhere, some of them outside."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-3, [SIZE[1] + 3, SIZE[0] + 3], size=(count, joints, 2))
    return np.stack([encode_heatmaps(at, [True] * joints, size=SIZE, sigma_px=sigma_px) for at in points])


def noise(scale: float) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(20, *SIZE, 5)) * scale


@pytest.mark.parametrize(
    "maps",
    [
        gaussians(),
        gaussians(sigma_px=9.0),
        gaussians() + 0.02 * np.random.default_rng(2).normal(size=(40, *SIZE, 5)),
        noise(1.0),
        noise(1e-6),
        -np.abs(noise(1.0)),
        np.zeros((2, *SIZE, 5)),
        np.ones((2, *SIZE, 5)),
        np.rint(255 * gaussians()),
    ],
    ids=["peaks", "broad", "noisy", "noise", "faint", "negative", "zero", "flat", "quantised"],
)
def test_it_decodes_as_numpy_does(maps):
    maps = maps.astype(np.float32)
    points, peaks = tf.function(decode_taylor)(tf.constant(maps))
    expected, expected_peaks = decode_heatmaps(maps)
    np.testing.assert_allclose(points, expected, atol=1e-6)
    np.testing.assert_array_equal(peaks, expected_peaks)


def test_any_number_of_people():
    decode = tf.function(decode_taylor, input_signature=[tf.TensorSpec((None, *SIZE, 5), tf.float32)])
    maps = gaussians(3).astype(np.float32)
    for count in (0, 1, 3):
        points, _ = decode(tf.constant(maps[:count]))
        np.testing.assert_allclose(points, decode_heatmaps(maps)[0][:count], atol=1e-6)
