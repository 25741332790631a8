from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.draw import (
    Tile,
    contact_sheet,
    draw_skeleton,
    draw_steps,
    find_subject,
    heatmaps_overlay,
    ink,
    joint_heatmap,
    picture_format,
    save_picture,
    sheet_of,
)
from cocoprep.draw.palette import (
    BOX,
    CANONICAL,
    DROPPED,
    SIDE_COLOURS,
    STORED,
    distinct_colours,
    heat_colours,
    limb_colours,
)
from cocoprep.draw.photograph import Marks, draw_photograph, view_of
from cocoprep.draw.sheet import _caption, person_tiles, spread_evenly
from cocoprep.draw.steps import choose_joint, draw_stored, panel_size
from cocoprep.draw.text import drawable, shorten, text_width, wrap
from cocoprep.errors import CocoprepError, ConfigError, OutputError, RecordError
from cocoprep.pose import affine
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.heatmaps import encode_heatmaps, quantise_heatmaps
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.dataset import ShardDataset, open_dataset
from cocoprep.shards.names import GROUND_TRUTH, LEDGER
from cocoprep.shards.settings import keypoint_record, table_of
from tests.support.building import build_folder, keypoints, write_coco

GREY = (90, 90, 90)
NOSE, LEFT_WRIST, RIGHT_WRIST = (COCO_17.names.index(name) for name in ("nose", "left_wrist", "right_wrist"))


def grey(height: int = 200, width: int = 160) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def joints(**named: tuple[float, float, int]) -> tuple[np.ndarray, np.ndarray]:
    flat = np.array(keypoints(**named)).reshape(-1, 3)
    return flat[:, :2], flat[:, 2].astype(np.int64)


def near(picture: Image.Image, colour: tuple[int, int, int], tolerance: int = 12) -> np.ndarray:
    """Return where a picture has about this colour, (H, W) bool."""
    return (np.abs(np.asarray(picture, int) - colour) <= tolerance).all(axis=-1)


def centre_of(mask: np.ndarray) -> np.ndarray:
    """Return (x, y), the centre of the pixels of a mask."""
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


# Skeletons


@pytest.mark.parametrize(
    ("joint", "side"), [("nose", "centre"), ("left_wrist", "left"), ("right_wrist", "right"), ("left_ankle", "left")]
)
@pytest.mark.parametrize("at", [(60.0, 70.0), (60.37, 70.81), (100.5, 20.25)])
def test_a_visible_joint_is_a_disc_of_its_sides_colour_around_its_point(joint, side, at):
    picture = draw_skeleton(grey(), *joints(**{joint: (*at, 2)}), unit_px=4)
    disc = near(picture, SIDE_COLOURS[side])
    assert disc.sum() == pytest.approx(np.pi * 5**2, rel=0.3)
    np.testing.assert_allclose(centre_of(disc), at, atol=0.25)


def test_a_hidden_joint_is_hollow_and_a_visible_one_is_not():
    at = (80.5, 100.5)
    seen = near(draw_skeleton(grey(), *joints(left_wrist=(*at, 2)), unit_px=6), SIDE_COLOURS["left"])
    hidden = near(draw_skeleton(grey(), *joints(left_wrist=(*at, 1)), unit_px=6), SIDE_COLOURS["left"])
    assert seen[100, 80]
    assert not hidden[100, 80]
    assert 0 < hidden.sum() < seen.sum()
    np.testing.assert_allclose(centre_of(hidden), at, atol=0.25)


def test_a_limb_runs_between_its_joints_in_its_sides_colour():
    points, visibility = joints(left_elbow=(40, 40, 2), left_wrist=(40, 160, 2), right_hip=(120, 150, 2))
    picture = draw_skeleton(grey(), points, visibility, unit_px=3)
    assert near(picture, SIDE_COLOURS["left"])[60:140, 39:41].all()
    assert not near(picture, SIDE_COLOURS["centre"]).any()
    assert near(picture, SIDE_COLOURS["right"]).any()


def test_a_limb_that_joins_both_sides_is_central_and_one_to_the_nose_is_not():
    colours = dict(zip(COCO_17.limbs, map(tuple, limb_colours(COCO_17).tolist()), strict=True))
    assert colours["left_hip", "right_hip"] == SIDE_COLOURS["centre"]
    assert colours["nose", "left_eye"] == SIDE_COLOURS["left"]
    assert colours["right_elbow", "right_wrist"] == SIDE_COLOURS["right"]


def test_joints_not_labelled_outside_or_not_finite_leave_the_picture_as_it_is():
    points, visibility = joints(nose=(-500, 3000, 2), left_eye=(np.nan, 5, 2), left_wrist=(50, 50, 0))
    np.testing.assert_array_equal(np.asarray(draw_skeleton(grey(), points, visibility)), grey())


@pytest.mark.parametrize("size", [(16, 16), (40, 30), (400, 300), (200, 640)])
def test_the_skeleton_follows_the_size_asked_for(size):
    picture = draw_skeleton(grey(100, 100), *joints(left_wrist=(25.0, 75.0, 2)), size=size)
    assert picture.size == size[::-1]
    expected = affine.image_to_crop((25.0, 75.0), CropWindow(0, 0, 100, 100), size)
    np.testing.assert_allclose(centre_of(near(picture, SIDE_COLOURS["left"], 40)), expected, atol=0.5)


def test_joints_read_on_any_background():
    for level in (0, 128, 255):
        picture = draw_skeleton(np.full((100, 100, 3), level, np.uint8), *joints(nose=(50, 50, 2)), unit_px=5)
        patch = np.asarray(picture, int)[40:60, 40:60].sum(axis=-1)
        assert patch.max() - patch.min() > 300


def test_drawing_changes_no_argument():
    picture, (points, visibility) = grey(), joints(nose=(50, 50, 2), left_eye=(55, 45, 1))
    heatmaps = np.random.default_rng(0).integers(0, 255, (50, 40, 17), np.uint8)
    arguments = (picture, points, visibility, heatmaps)
    before = [argument.copy() for argument in arguments]
    image = Image.fromarray(picture)
    draw_skeleton(picture, points, visibility)
    draw_skeleton(image, points, visibility, size=(50, 50))
    heatmaps_overlay(picture, heatmaps)
    heatmaps_overlay(image, heatmaps, colours="joint")
    joint_heatmap(heatmaps[..., 0], (100, 80), under=image, mark=(3, 3))
    draw_stored(picture, 20, (100, 80))
    draw_photograph(image, Marks(box=(5, 5, 50, 60)), (300, 300))
    for argument, copy in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(argument, copy)
    np.testing.assert_array_equal(np.asarray(image), before[0])


# Heatmaps


def gaussians(**named: tuple[float, float, int]) -> np.ndarray:
    points, visibility = joints(**named)
    return quantise_heatmaps(encode_heatmaps(points, visibility > 0, size=(64, 48), sigma_px=2.0))


def test_the_overlay_has_each_joints_colour_where_the_joint_is():
    maps = gaussians(nose=(24, 10, 2), left_wrist=(10, 40, 2), right_wrist=(38, 40, 2))
    overlay = np.asarray(heatmaps_overlay(grey(256, 192), maps), int)
    for (x, y), side in (((24, 10), "centre"), ((10, 40), "left"), ((38, 40), "right")):
        assert np.abs(overlay[4 * y, 4 * x] - SIDE_COLOURS[side]).max() < 40
    assert overlay[-1, 0].max() < 90, "where all maps are near zero the crop is only dimmed"


def test_the_overlay_takes_floats_as_it_takes_bytes():
    maps = gaussians(nose=(24, 10, 2), left_wrist=(10, 40, 2))
    floats = heatmaps_overlay(grey(256, 192), maps.astype(np.float32) / 255)
    np.testing.assert_array_equal(np.asarray(floats), np.asarray(heatmaps_overlay(grey(256, 192), maps)))


def test_one_heatmap_is_enlarged_on_its_exact_grid():
    one = gaussians(nose=(20.3, 30.7, 2))[..., NOSE]
    enlarged = np.asarray(joint_heatmap(one, (64 * 3, 48 * 3)))
    assert enlarged.shape == (192, 144, 3)
    tiles = enlarged.reshape(64, 3, 48, 3, 3)
    np.testing.assert_array_equal(tiles, np.broadcast_to(tiles[:, :1, :, :1], tiles.shape))
    np.testing.assert_array_equal(tiles[:, 0, :, 0], np.rint(heat_colours(one / np.float32(255))).astype(np.uint8))


def test_heat_colours_rise_in_lightness():
    light = heat_colours(np.linspace(0, 1, 50)).sum(axis=-1)
    assert (np.diff(light) > 0).all()
    assert len(np.unique(distinct_colours(17), axis=0)) == 17


@pytest.mark.parametrize(
    ("visibility", "points", "chosen"),
    [
        ((0, 1, 2), ((0, 0), (5, 5), (5, 5)), 2),  # a visible one before a hidden one
        ((2, 1, 0), ((50, 5), (5, 5), (0, 0)), 1),  # one within before one outside
        ((2, 2, 2), ((-1, 5), (5, 50), (99, 99)), 0),  # all outside: still a labelled one
        ((0, 0, 1), ((0, 0), (0, 0), (99, 99)), 2),
    ],
)
def test_the_joint_shown_is_a_labelled_one_within_the_crop_if_any_is(visibility, points, chosen):
    assert choose_joint(np.array(points, np.float32), np.array(visibility), (32, 32)) == chosen


@pytest.mark.parametrize(
    ("heatmap_size", "expected"),
    [((64, 64), (384, 384)), ((64, 48), (384, 288)), ((24, 32), (288, 384)), ((1024, 512), (384, 192))],
)
def test_a_panel_gives_every_heatmap_pixel_whole_pixels_where_that_fits(heatmap_size, expected):
    assert panel_size(heatmap_size) == expected


# Boxes on photographs


def test_boxes_and_windows_lie_where_they_are():
    photograph = Image.fromarray(grey(100, 200))
    marks = Marks(
        box=(80, 30, 40, 40), canonical=CropWindow(70, 20, 60, 60), stored=CropWindow(60, 10, 80, 80), others=()
    )
    picture = draw_photograph(photograph, marks, (400, 800))
    assert picture.size == (800, 400)
    for colour, (x0, y0, x1, y1) in (
        (BOX, (320, 120, 480, 280)),
        (CANONICAL, (280, 80, 520, 320)),
        (STORED, (240, 40, 560, 360)),
    ):
        line = near(picture, colour, 4)
        middle = line[y0 + 60 : y1 - 20, :]  # below the tags
        columns = np.flatnonzero(middle.mean(axis=0) > 0.4)
        assert {round(c / 4) for c in columns} == {x0 // 4, x1 // 4}
        rows = np.flatnonzero(line[:, x0 + 150 : x1 - 4].mean(axis=1) > 0.4) if x1 - x0 > 200 else [y0, y1]
        assert min(rows) == pytest.approx(y0, abs=3)
        assert max(rows) == pytest.approx(y1, abs=3)


def test_the_view_takes_in_a_window_beyond_the_photograph_but_not_without_bounds():
    photograph = Image.fromarray(grey(100, 100))
    beyond = view_of(photograph, Marks(box=None, stored=CropWindow(-20, 10, 80, 80)))
    assert beyond.x0 == pytest.approx(-20, abs=1)
    assert (beyond.y0, beyond.y0 + beyond.height) == (0, 100)
    vast = view_of(photograph, Marks(box=None, stored=CropWindow(-1e6, -1e6, 2e6, 2e6)))
    assert max(vast.width, vast.height) < 300


def test_dashes_reach_along_an_edge_that_starts_far_outside():
    canvas = ink.canvas_of(grey(60, 60))
    ink.box(canvas, (-1e6, 30, 1e6, 1e6), (255, 0, 0), width_px=2, dash_px=4)
    red = near(ink.picture_of(canvas), (255, 0, 0))
    assert 20 <= red[30].sum() <= 40


# Text


@pytest.mark.parametrize("width", [20, 60, 200, 1000])
def test_shortened_text_fits_and_keeps_its_ends(width):
    name = "folder/" + "x" * 300 + "-000000001234.jpg"
    short = shorten(name, 15, width)
    assert text_width(short, 15) <= width
    if width >= 60:
        assert short.startswith("f")
        assert short.endswith("g")


def test_wrapped_lines_fit_and_lose_no_letter():
    text = "a short start, then " + "y" * 200 + " and an end"
    lines = wrap(text, 15, 180)
    assert max(text_width(line, 15) for line in lines) <= 180
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_text_that_the_font_lacks_is_replaced():
    assert drawable("a\nb\x00é·") == "a?b??·"


# A built folder


JOINTS = keypoints(
    nose=(60, 30, 2),
    left_shoulder=(75, 50, 2),
    right_shoulder=(45, 50, 1),
    left_wrist=(85, 75, 2),
    right_ankle=(50, 110, 2),
)


def photograph() -> Image.Image:
    """Return a grey photograph with a white square of 5 x 5 pixels around each joint's pixel."""
    picture = grey(120, 160)
    for x, y, seen in np.array(JOINTS).reshape(-1, 3).astype(int):
        if seen:
            picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    return Image.fromarray(picture)


ANNOTATIONS = [
    {"id": 11, "image_id": 1, "bbox": [30, 20, 70, 95], "keypoints": JOINTS},
    {"id": 12, "image_id": 1, "bbox": [120, 20, 30, 60], "keypoints": keypoints(nose=(130, 30, 2), left_eye=(1, 1, 2))},
    {"id": 13, "image_id": 1, "bbox": [5, 5, 20, 30]},
    {"id": 14, "image_id": 1, "bbox": "none"},
    {"id": 15, "image_id": 1, "iscrowd": 1, "keypoints": JOINTS},
    {"id": 16, "image_id": 1, "bbox": [400, 20, 30, 60], "keypoints": JOINTS},
    {"id": 17, "image_id": 99, "keypoints": JOINTS},
    {"id": 31, "image_id": 3, "keypoints": JOINTS},
    {"id": 11, "image_id": 1, "bbox": [30, 20, 70, 95], "keypoints": JOINTS},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("draw")
    path, images = write_coco(root / "data", {1: photograph(), 3: (320, 240)}, ANNOTATIONS)
    build_folder(
        root / "shards",
        annotations=path,
        images=images,
        crop=CropConfig(input_size=(128, 96)),
        select=SelectConfig(shards=2, max_bad_fraction=1),
    )
    return root / "shards"


@pytest.fixture(scope="module")
def dataset(folder: Path) -> ShardDataset:
    return open_dataset(folder)


def test_the_drawn_joints_cover_the_marks_in_the_photograph(dataset):
    person = dataset.person(11)
    canonical, size = dataset.canonical(person["image"]), (512, 384)
    picture = np.asarray(draw_skeleton(canonical, person["keypoints"], person["visibility"], size=size), int)
    white = np.asarray(ink.enlarge(canonical, size), int).min(axis=-1) > 200
    for point, seen in zip(person["keypoints"], person["visibility"], strict=True):
        if seen:
            x, y = (4 * point).astype(int)
            window = slice(max(y - 16, 0), y + 16), slice(max(x - 16, 0), x + 16)
            found = centre_of(white[window]) + np.array([window[1].start, window[0].start])
            np.testing.assert_allclose(found, 4 * point, atol=2)
            assert picture[y, x].min() < 200, "the joint is drawn over its mark"


@pytest.mark.parametrize("size", [(256, 256), (96, 128), (64, 32)])
@pytest.mark.parametrize("margin", [None, 0])
def test_the_steps_of_a_kept_person_come_out_at_any_size(tmp_path, size, margin):
    path, images = write_coco(tmp_path / "data", {1: photograph()}, ANNOTATIONS[:2])
    crop = CropConfig(input_size=size, margin=margin)
    build_folder(tmp_path / "out", annotations=path, images=images, crop=crop, select=SelectConfig(shards=1))
    subject = find_subject(open_dataset(tmp_path / "out"), 11)
    picture = draw_steps(subject)
    for colour in (BOX, CANONICAL, *SIDE_COLOURS.values()):
        assert near(picture, colour, 4).any()
    assert near(picture, STORED, 4).any() == (margin is None)


def test_the_subject_of_a_kept_person(dataset):
    subject = find_subject(dataset, 11)
    assert (subject.reason, subject.image_id, subject.rivals, subject.fault) == (None, 1, 1, "")
    assert subject.photograph is not None
    assert {a.id: kept for a, kept in subject.others} == {12: True, 13: False, 15: False, 16: False}
    assert subject.table == table_of(keypoint_record(COCO_17))
    np.testing.assert_array_equal(subject.annotation.joints(), np.array(JOINTS).reshape(-1, 3))


@pytest.mark.parametrize(
    ("annotation_id", "reason", "detail", "listed", "readable"),
    [
        (13, "zero_keypoints", "", True, True),
        (14, "malformed", "bbox", False, True),
        (15, "crowd", "", True, True),
        (16, "box", "less than one pixel", True, True),
        (17, "malformed", "no such image", False, False),
        (31, "image", "no such file", True, False),
    ],
)
def test_the_subject_of_a_dropped_annotation(dataset, annotation_id, reason, detail, listed, readable):
    subject = find_subject(dataset, annotation_id)
    assert subject.reason == reason
    assert detail in subject.detail
    assert subject.person is None
    assert (subject.annotation is not None) == listed
    assert (subject.photograph is not None) == readable
    assert bool(subject.fault) == (not readable)
    picture = draw_steps(subject)
    assert near(picture, DROPPED, 4).any(), "the reason is written"


def test_a_dropped_annotations_picture_differs_by_its_reason(dataset):
    subject = find_subject(dataset, 13)
    pictures = [draw_steps(replace(subject, reason=reason)).tobytes() for reason in ("crowd", "box", "limit")]
    assert all(a != b for a, b in pairwise(pictures))


def test_an_annotation_beyond_the_limit_has_no_photograph_but_its_reason(tmp_path):
    people = [{**ANNOTATIONS[0], "id": n, "image_id": n} for n in (1, 2)]
    path, images = write_coco(tmp_path / "data", {1: photograph(), 2: photograph()}, people)
    build_folder(tmp_path / "out", annotations=path, images=images, select=SelectConfig(shards=1, limit=1))
    dataset = open_dataset(tmp_path / "out")
    (left_out,) = {1, 2} - set(dataset.annotation_ids)
    subject = find_subject(dataset, left_out)
    assert (subject.reason, subject.photograph) == ("limit", None)
    assert "not listed" in subject.fault
    assert near(draw_steps(subject), DROPPED, 4).any()


def test_without_the_photographs_a_kept_person_is_still_drawn(dataset, folder):
    images = folder.parent / "data" / "train2017"
    moved = images.rename(images.with_name("moved"))
    try:
        subject = find_subject(dataset, 11)
        assert subject.photograph is None
        assert str(images) in subject.fault
        assert "--images" in subject.fault
        assert near(draw_steps(subject), SIDE_COLOURS["left"], 4).any()
        assert find_subject(dataset, 11, images=str(moved)).photograph is not None
    finally:
        moved.rename(images)


def test_images_that_are_given_must_be_there(dataset, tmp_path):
    with pytest.raises(ConfigError, match=r"--images: .*found nothing"):
        find_subject(dataset, 11, images=str(tmp_path / "nowhere"))


def test_an_unknown_annotation_id_is_told_with_what_there_is(dataset):
    with pytest.raises(CocoprepError, match=r"annotation 999: expected .*among the 9 .*for example 1[12]"):
        find_subject(dataset, 999)
    with pytest.raises(CocoprepError, match=r"3 is an image id: .* 31"):
        find_subject(dataset, 3)


def test_an_unknown_joint_is_told_with_those_there_are(dataset):
    with pytest.raises(ConfigError, match=r"--joint: expected one of nose, .*found 'toe'"):
        draw_steps(find_subject(dataset, 11), joint="toe")


@pytest.mark.parametrize("joint", ["left_wrist", "right_shoulder", "left_knee"])
def test_the_joint_asked_for_is_shown_labelled_or_not(dataset, joint):
    subject = find_subject(dataset, 11)
    assert draw_steps(subject, joint=joint).tobytes() != draw_steps(subject, joint="nose").tobytes()


def test_a_joint_outside_the_crop_is_shown_as_such(dataset):
    draw_steps(find_subject(dataset, 12), joint="left_eye")


@pytest.mark.parametrize("name", [LEDGER, GROUND_TRUTH])
@pytest.mark.parametrize("content", [None, b"damaged"])
def test_damaged_summaries_are_told(tmp_path, name, content):
    path, images = write_coco(tmp_path / "data", {1: photograph()}, ANNOTATIONS[:1])
    build_folder(tmp_path / "out", annotations=path, images=images, select=SelectConfig(shards=1))
    file = tmp_path / "out" / name
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(RecordError, match=name):
        find_subject(open_dataset(tmp_path / "out"), 11)


def test_another_table_of_joints_is_drawn_too():
    pair = Joint("left_tip", "right_tip", 0.1), Joint("right_tip", "left_tip", 0.1)
    table = KeypointTable("three", (*pair, Joint("root", "root", 0.1)), (("left_tip", "root"), ("root", "right_tip")))
    picture = draw_skeleton(grey(), [(40, 40), (120, 40), (80, 120)], [2, 1, 2], table=table)
    for colour in SIDE_COLOURS.values():
        assert near(picture, colour).any()
    assert table_of(keypoint_record(table)) == table


# Contact sheets


@pytest.mark.parametrize(
    ("total", "wanted", "expected"), [(3, 48, [0, 1, 2]), (10, 4, [0, 2, 5, 7]), (5, 5, [*range(5)])]
)
def test_people_are_spread_evenly(total, wanted, expected):
    assert spread_evenly(total, wanted) == expected


def test_captions_are_whole_on_as_many_lines_as_they_need(dataset):
    (tile,) = person_tiles(dataset, [0])
    short, long, longest = (
        contact_sheet([replace(tile, name=name, note="14% filled")], title="one", tile_px=100)
        for name in ("7", "x1.19 -24 deg flip", "x1.19 -24 deg flip and many more words of this kind")
    )
    assert short.height < long.height < longest.height
    assert _caption(replace(tile, name="x1.19 -24 deg flip", note="14% filled"), (100, 100)) == [
        ("x1.19 -24 deg flip", ""), ("", "14% filled"),
    ]  # fmt: skip


def test_a_contact_sheet_has_every_person_and_grows_with_its_tiles(dataset):
    sheet = sheet_of(dataset, tile_px=160)
    assert sheet_of(dataset, tile_px=160).tobytes() == sheet.tobytes()
    assert sheet_of(dataset, tile_px=320, columns=1).height > 2 * sheet.height
    stored = sheet_of(dataset, tile_px=160, stored=True)
    assert near(stored, CANONICAL, 2).sum() > near(sheet, CANONICAL, 2).sum() + 400, "the canonical crop is framed"


def test_a_tile_shows_the_skeleton_at_its_place():
    points, visibility = joints(left_wrist=(20, 30, 2))
    tile = Tile(grey(100, 100), points, visibility, "7", "1/17")
    sheet = contact_sheet([tile] * 3, title="three", tile_px=100, columns=2)
    dots = near(sheet, SIDE_COLOURS["left"], 10)
    dots[:90] = False  # the key above the tiles
    rows, columns = np.nonzero(dots)
    assert np.ptp(rows) > 100
    assert np.ptp(columns) > 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"people": 0}, "--people"),
        ({"columns": 0}, "--columns"),
        ({"tile_px": 5}, "--tile"),
        ({"tile_px": 5000}, "--tile"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused(dataset, options, message):
    with pytest.raises(ConfigError, match=message):
        sheet_of(dataset, **options)


def test_an_empty_sheet_is_refused():
    with pytest.raises(ConfigError, match="at least one person"):
        contact_sheet([], title="none")


# Files


@pytest.mark.parametrize(
    ("name", "expected"), [("a.png", "PNG"), ("A.JPG", "JPEG"), ("a.b.jpeg", "JPEG"), ("x/y.webp", "WEBP")]
)
def test_the_ending_decides_the_format(name, expected):
    assert picture_format(name) == expected


@pytest.mark.parametrize("name", ["a.gif", "a", "png", "a.png.txt"])
def test_other_endings_are_refused(name):
    with pytest.raises(ConfigError, match="--out"):
        picture_format(name)


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    save_picture(Image.fromarray(grey()), str(tmp_path / "a.png"))
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), grey())
    with pytest.raises(OutputError, match="cannot write"):
        save_picture(Image.fromarray(grey()), str(tmp_path / "nowhere" / "a.png"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
