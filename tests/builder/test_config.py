from __future__ import annotations

import pytest

from cocoprep.builder.config import BuildConfig, SelectConfig, default_shards
from cocoprep.coco.sources import Source
from cocoprep.errors import ConfigError
from cocoprep.pose.crop_config import CropConfig, default_margin

SOURCE = Source(name="a", annotations="a", images="i")


@pytest.mark.parametrize(
    ("size", "bbox_scale", "margin"),
    [((256, 256), 1.25, 26), ((256, 192), 1.25, 26), ((384, 288), 1.25, 39), ((256, 256), 1.5, 0), ((256, 256), 2, 0)],
)
def test_default_margin(size, bbox_scale, margin):
    assert default_margin(size, bbox_scale) == margin
    assert CropConfig(input_size=size, bbox_scale=bbox_scale).margin_px == margin


def test_sizes():
    crop = CropConfig(input_size=(256, 192))
    assert crop.stored_size == (308, 244)
    assert crop.heatmap_size == (64, 48)
    assert CropConfig(margin=0).stored_size == (256, 256)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"input_size": (256, 250)}, "--input-size"),
        ({"input_size": (8, 8)}, "--input-size"),
        ({"input_size": (256, 1_000_000)}, "--input-size"),
        ({"heatmap_stride": 0}, "--heatmap-stride"),
        ({"heatmap_stride": 128}, "--heatmap-stride"),
        ({"sigma_px": 0}, "--sigma"),
        ({"sigma_px": float("nan")}, "--sigma"),
        ({"bbox_scale": -1}, "--bbox-scale"),
        ({"margin": -1}, "--margin"),
        ({"jpeg_quality": 101}, "--jpeg-quality"),
        ({"jpeg_quality": True}, "--jpeg-quality"),
    ],
)
def test_a_crop_that_cannot_work_is_refused_by_the_options_name(values, names):
    with pytest.raises(ConfigError, match=rf"{names}: expected .* found"):
        CropConfig(**values)


@pytest.mark.parametrize(
    "values", [{"min_keypoints": 0}, {"shards": 0}, {"shards": 100_000}, {"limit": 0}, {"max_bad_fraction": 2}]
)
def test_a_selection_that_cannot_work_is_refused(values):
    with pytest.raises(ConfigError, match=r"expected .* found"):
        SelectConfig(**values)


@pytest.mark.parametrize("split", ["", "a/b", "..", "tr ain", "é"])
def test_a_split_names_files(split):
    with pytest.raises(ConfigError, match="--split"):
        BuildConfig(split=split, annotations="a", images="i", out="o")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "None"),
        ({"annotations": "a"}, "'annotations'"),
        ({"images": "i"}, "'images'"),
        ({"annotations": "a", "images": "i", "sources": (SOURCE,)}, "'annotations and images and sources'"),
    ],
)
def test_a_build_of_nothing_or_of_two_things_is_refused(given, found):
    with pytest.raises(ConfigError, match=f"expected `annotations` and `images`, or `sources` alone, found {found}"):
        BuildConfig(split="a", out="o", **given)


def test_the_number_of_shards_follows_from_the_people_alone():
    crop = CropConfig()
    assert default_shards(1, crop) == 16
    assert default_shards(86, crop) == 16
    assert 35 <= default_shards(149_813, crop) <= 50  # of COCO 2017, at about 100 MB each
