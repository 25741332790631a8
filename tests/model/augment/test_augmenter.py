"""Augmentation: pixels and labels move together, exactly, and every time alike."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cocoprep
from cocoprep.errors import RecordError
from cocoprep.model.augment.augmenter import Augmenter, canonical_maps, draw_changes, filled_share, move_joints
from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.augment.pixels import NoiseTiles, colour_matrices, decode_crop, recolour, warp_picture
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.records import RecordSource
from cocoprep.pose import affine
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import encode_heatmaps, quantise_heatmaps
from cocoprep.pose.tables import named_table
from tests.support.any_joints import write
from tests.support.building import build_folder

GEOMETRY = AugmentConfig(window_min=1.0, window_max=1.6, shift=0.1, rotation_degrees=180, flip_probability=0.5)


class Folder:
    """The people of a small folder as `Augmenter` takes them."""

    def __init__(self, folder):
        dataset = cocoprep.open_dataset(folder)
        people = list(dataset)
        self.manifest, self.crop = dataset.manifest, dataset.manifest.crop
        self.images = np.stack([person["image"] for person in people])
        self.keypoints = np.stack([person["keypoints"] for person in people])
        self.visibility = np.stack([person["visibility"] for person in people])
        self.heatmaps = np.stack([person["heatmaps"] for person in people])
        self.ids = np.array([person["annotation_id"] for person in people])
        self.canonical = np.stack([dataset.canonical(image) for image in self.images])
        source = RecordSource(str(folder), ReadConfig())
        self.people = source.read(np.arange(len(source)))
        self.swap = list(self.manifest.keypoints.flip_index)

    def vary(self, config, *, seed=0, epoch=0, which=slice(None), augmenter=None):
        augmenter = augmenter or Augmenter(self.manifest, config, seed)
        ids = self.ids[which]
        return augmenter(
            self.images[which], self.keypoints[which], self.visibility[which], ids, np.full(len(ids), epoch)
        )


@pytest.fixture(scope="module")
def folder(people_folder):
    return Folder(people_folder(images=12))


def changes_of(folder, config, *, seed=0, epoch=0):
    return Augmenter(folder.manifest, config, seed).draw(folder.ids, np.full(len(folder.ids), epoch))


def test_nothing_to_do_gives_what_is_stored(folder):
    varied = folder.vary(STRENGTHS["none"])
    np.testing.assert_array_equal(varied.image, folder.canonical)
    np.testing.assert_array_equal(varied.keypoints, folder.keypoints)
    np.testing.assert_array_equal(varied.visibility, folder.visibility)
    np.testing.assert_array_equal(varied.heatmaps, folder.heatmaps)
    np.testing.assert_array_equal(varied.zoom, 1)
    assert [array.dtype for array in varied] == [np.uint8, np.uint8, np.float32, np.int32, np.float32, np.bool_]


def test_a_flip_alone_is_a_mirror(folder):
    varied = folder.vary(AugmentConfig(flip_probability=1))
    width = folder.crop.input_size[1]
    seen = folder.visibility[:, folder.swap]
    np.testing.assert_array_equal(varied.image, folder.canonical[:, :, ::-1])
    np.testing.assert_array_equal(varied.visibility, seen)
    mirrored = affine.flip_points(folder.keypoints, width, folder.swap) * (seen > 0)[..., None]
    np.testing.assert_allclose(varied.keypoints, mirrored, atol=1e-5)
    np.testing.assert_array_equal(varied.heatmaps, folder.heatmaps[:, :, ::-1][..., folder.swap])


def test_without_pairs_nothing_is_mirrored_and_all_else_is_as_it_was(tmp_path):
    build_folder(
        tmp_path / "hands", **write(tmp_path / "coco", named_table("hand-21")), crop=CropConfig(input_size=(64, 64))
    )
    hands = Folder(tmp_path / "hands")
    found = changes_of(hands, GEOMETRY)
    drawn = draw_changes(GEOMETRY, hands.crop, seed=0, epochs=np.zeros(len(hands.ids), int), annotation_ids=hands.ids)
    assert drawn.flipped.any()
    assert not found.flipped.any()
    assert (found.zoom == drawn.zoom).all()
    kept = ~drawn.flipped
    assert (found.to_canonical[kept] == drawn.to_canonical[kept]).all()


def test_a_flip_keeps_every_labelled_joint(folder):
    # A peer kept the mask of before the flip: joints that only one side has labelled vanished.
    one_sided = (folder.visibility > 0) != (folder.visibility[:, folder.swap] > 0)
    assert one_sided.any()
    varied = folder.vary(AugmentConfig(flip_probability=1))
    labelled = varied.visibility > 0
    np.testing.assert_array_equal(labelled, (folder.visibility > 0)[:, folder.swap])
    assert (varied.keypoints[labelled] != 0).any(axis=-1).all()
    assert (varied.keypoints[~labelled] == 0).all()
    assert not varied.heatmaps.max(axis=(1, 2))[~labelled].any()
    inside = affine.inside(varied.keypoints, folder.crop.input_size)
    assert varied.heatmaps.max(axis=(1, 2))[labelled & inside].min() > 128


def test_two_flips_are_none(folder):
    flip = AugmentConfig(flip_probability=1)
    once = folder.vary(flip)
    margin = folder.crop.margin
    padded = np.pad(once.image, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    twice = Augmenter(folder.manifest, flip, 0)(
        padded, once.keypoints, once.visibility.astype(np.int64), folder.ids, np.zeros(len(folder.ids), int)
    )
    np.testing.assert_array_equal(twice.image, folder.canonical)
    np.testing.assert_array_equal(twice.visibility, folder.visibility)
    np.testing.assert_allclose(twice.keypoints, folder.keypoints, atol=1e-5)
    assert np.abs(twice.heatmaps.astype(int) - folder.heatmaps).max() <= 1


@given(
    seed=st.integers(0, 2**40),
    where=st.tuples(st.floats(0.25, 0.75), st.floats(0.25, 0.75)),
    config=st.sampled_from([*STRENGTHS.values(), GEOMETRY]),
)
def test_a_dot_moves_as_its_joint_does(folder, seed, where, config):
    colourless = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "noise": 0.0}
    config = AugmentConfig(**{name: getattr(config, name) for name in config.__slots__} | colourless)
    height, width = folder.crop.input_size
    point = np.array([where[0] * width, where[1] * height], np.float32)
    stored = draw_dot(affine.crop_to_stored(point, folder.crop.margin), folder.crop.stored_size)
    keypoints, visibility = np.zeros((1, 17, 2), np.float32), np.zeros((1, 17), np.int64)
    keypoints[0, 5], visibility[0, 5] = point, 2  # the left shoulder
    varied = Augmenter(folder.manifest, config, seed)(stored[None], keypoints, visibility, np.array([7]), np.array([3]))
    changes = Augmenter(folder.manifest, config, seed).draw(np.array([7]), np.array([3]))
    joint = 6 if changes.flipped[0] else 5
    assert np.flatnonzero(varied.visibility[0]).tolist() == [joint]
    found = varied.keypoints[0, joint]
    if (found > 6).all() and (found < np.array([width, height]) - 6).all():
        assert np.linalg.norm(centre_of_mass(varied.image[0, ..., 0], near=found) - found) < 0.1


def draw_dot(point, size):
    maps = encode_heatmaps(point[None], [True], size=size, sigma_px=1.5)
    return np.repeat(quantise_heatmaps(maps), 3, axis=-1)


def centre_of_mass(picture, *, near):
    # Only near the joint: elsewhere there may be filled pixels.
    rows, columns = np.indices(picture.shape) + 0.5
    weights = np.where((np.hypot(columns - near[0], rows - near[1]) < 7) & (picture > 2), picture, 0).astype(float)
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


@given(
    zoom=st.floats(0.5, 2), angle=st.floats(-math.pi, math.pi), shift=st.tuples(*[st.floats(-0.3, 0.3)] * 2),
    flipped=st.booleans(),
)  # fmt: skip
def test_the_window_is_where_it_is_said_to_be(zoom, angle, shift, flipped):
    size = (64, 48)
    maps = canonical_maps(
        size, zoom=np.array([zoom]), shift=np.array([shift]), angle=np.array([angle]), flipped=np.array([flipped])
    )
    middle, right = affine.apply_affine([[24, 32], [48, 32]], maps)[0]
    np.testing.assert_allclose(middle, [24 + shift[0] * zoom * 48, 32 + shift[1] * zoom * 64], atol=1e-9)
    direction = -1 if flipped else 1
    np.testing.assert_allclose(
        right - middle, direction * 24 * zoom * np.array([math.cos(angle), math.sin(angle)]), atol=1e-9
    )
    points = np.random.default_rng(0).uniform(-20, 80, (1, 9, 2))
    back = affine.apply_affine(affine.apply_affine(points, maps), affine.invert_affine(maps))
    np.testing.assert_allclose(back, points, atol=1e-9)


def test_draws_keep_to_their_ranges(folder):
    config, people = STRENGTHS["medium"], np.arange(4000)
    changes = draw_changes(config, folder.crop, seed=1, epochs=np.zeros_like(people), annotation_ids=people)
    window = changes.zoom * folder.crop.bbox_scale
    assert config.window_min <= window.min() < config.window_min + 0.01
    assert config.window_max - 0.01 < window.max() <= config.window_max
    angle = np.degrees(np.arctan2(-changes.to_canonical[:, 0, 1], changes.to_canonical[:, 1, 1]))
    assert config.rotation_degrees - 1 < np.abs(angle).max() <= config.rotation_degrees
    assert abs((angle != 0).mean() - config.rotation_probability) < 0.03
    assert abs(changes.flipped.mean() - config.flip_probability) < 0.03


def test_the_same_seed_epoch_and_id_give_the_same_bytes_in_any_company(folder):
    config = STRENGTHS["heavy"]
    together = folder.vary(config, seed=3, epoch=5)
    again = folder.vary(config, seed=3, epoch=5)
    backwards = folder.vary(config, seed=3, epoch=5, which=slice(None, None, -1))
    alone = [folder.vary(config, seed=3, epoch=5, which=slice(n, n + 1)) for n in range(len(folder.ids))]
    for name in together._fields:
        expected = getattr(together, name)
        np.testing.assert_array_equal(getattr(again, name), expected)
        np.testing.assert_array_equal(getattr(backwards, name)[::-1], expected)
        np.testing.assert_array_equal(np.concatenate([getattr(one, name) for one in alone]), expected)


@pytest.mark.parametrize("other", [{"seed": 4, "epoch": 5}, {"seed": 3, "epoch": 6}])
def test_another_seed_or_epoch_gives_other_bytes(folder, other):
    one, another = folder.vary(STRENGTHS["medium"], seed=3, epoch=5), folder.vary(STRENGTHS["medium"], **other)
    for n in range(len(folder.ids)):
        assert (one.image[n] != another.image[n]).any()
        assert (one.keypoints[n] != another.keypoints[n]).any()


def test_arguments_are_left_alone(folder):
    before = [array.copy() for array in (folder.images, folder.keypoints, folder.visibility)]
    folder.vary(STRENGTHS["heavy"])
    for array, copy in zip((folder.images, folder.keypoints, folder.visibility), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_what_lies_outside_the_stored_crop_is_filled(folder):
    # A window of 3 boxes: the stored crop covers the middle of the picture, and nothing else.
    config = AugmentConfig(window_min=3, window_max=3)
    varied, changes = folder.vary(config), changes_of(folder, config)
    share = filled_share(changes.to_canonical, folder.crop)
    is_fill = (varied.image == folder.crop.fill_rgb).all(axis=-1)
    assert is_fill[:, :4].all()
    assert is_fill[:, :, -4:].all()
    height, width = folder.crop.input_size
    stored = folder.crop.stored_size[0] * folder.crop.stored_size[1]
    np.testing.assert_allclose(share, 1 - stored / (height * width * (3 / folder.crop.bbox_scale) ** 2), atol=0.03)
    assert filled_share(changes_of(folder, STRENGTHS["none"]).to_canonical, folder.crop).max() == 0


def test_windows_of_one_and_a_half_boxes_lie_on_stored_pixels(folder):
    config = AugmentConfig(window_min=1.1, window_max=1.5)
    assert filled_share(changes_of(folder, config).to_canonical, folder.crop).max() == 0


def test_a_joint_that_leaves_the_picture_keeps_its_point_and_its_map(folder):
    config = AugmentConfig(shift=0.6)
    varied, changes = folder.vary(config), changes_of(folder, config)
    expected, _ = move_joints(folder.keypoints, folder.visibility.astype(np.int32), changes, folder.swap)
    out = (varied.visibility > 0) & ~affine.inside(varied.keypoints, folder.crop.input_size)
    assert out.any()
    np.testing.assert_array_equal(varied.keypoints[out], expected.astype(np.float32)[out])
    near = out & (np.abs(varied.keypoints - np.clip(varied.keypoints, 0, 48)).max(axis=-1) < 4)
    assert varied.heatmaps.max(axis=(1, 2))[near].any()  # the flank of a hill whose top lies outside


@pytest.mark.parametrize("offset", [(0, 0), (3, 0), (0, -5), (-2, 7)])
def test_a_whole_shift_resamples_nothing(folder, offset):
    picture, (dx, dy) = folder.images[0], offset
    margin, (height, width) = folder.crop.margin, folder.crop.input_size
    warped = np.empty((height, width, 3), np.uint8)
    warp_picture(picture, [[1, 0, margin + dx], [0, 1, margin + dy]], (0, 0, 0), out=warped)
    np.testing.assert_array_equal(
        warped, picture[margin + dy : margin + dy + height, margin + dx : margin + dx + width]
    )


@given(
    brightness=st.floats(-0.3, 0.3), contrast=st.floats(0.5, 1.5), saturation=st.floats(0, 2), seed=st.integers(0, 99)
)
def test_colours(brightness, contrast, saturation, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    matrix = colour_matrices([brightness], [contrast], [saturation])[0]
    grey = (picture @ [0.299, 0.587, 0.114])[..., None]
    expected = ((grey + (picture - grey) * saturation) - 127.5) * contrast + 127.5 + 255 * brightness
    found = np.empty_like(picture)
    recolour(picture, matrix, out=found)
    assert np.abs(found - expected.clip(0, 255)).max() <= 1
    recolour(picture, matrix, out=picture)
    np.testing.assert_array_equal(picture, found)


def test_noise_has_the_strength_asked_for():
    tiles, grey = NoiseTiles(12, (96, 80)), np.full((96, 80, 3), 128, np.uint8)

    def add(picture, *choice):
        out = np.empty_like(picture)
        tiles.add(picture, np.array(choice), out=out)
        return out.astype(float)

    np.testing.assert_array_equal(add(grey, 0.1, 0.5, 0.5, 0.9), grey)
    found, mirrored = add(grey, 0.99, 0.2, 0.4, 0.9) - 128, add(grey, 0.99, 0.2, 0.4, 0.1) - 128
    assert abs(found.std() - 12) < 0.4
    assert abs(found.mean()) < 0.5
    np.testing.assert_array_equal(found, -mirrored)
    last = add(grey, *[1 - 1e-12] * 4)  # the tile's far corner
    assert abs(last.std() - 12) < 0.4
    white = add(np.full_like(grey, 255), 0.99, 0, 0, 0)
    assert white.min() > 180  # clipped, not wrapped around


def test_decoding_gives_tensorflows_pixels(folder, coco_mini):
    import tensorflow as tf

    photographs = [path.read_bytes() for path in sorted((coco_mini / "train2017").glob("*.jpg"))[:20]]
    for jpeg in [person.jpeg for person in folder.people] + photographs:
        expected = tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE").numpy()
        np.testing.assert_array_equal(decode_crop(jpeg, expected.shape[:2]), expected)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0"])
def test_what_is_no_jpeg_is_refused(data):
    with pytest.raises(RecordError, match=r"expected a JPEG of \(8, 8\), found something else"):
        decode_crop(data, (8, 8))


def test_a_crop_of_another_size_is_refused(folder):
    with pytest.raises(RecordError, match=r"expected a JPEG of \(8, 8\), found one of \(78, 62\)"):
        decode_crop(folder.people[0].jpeg, (8, 8))
