from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from jinja2 import UndefinedError
from PIL import Image

from cocoprep.coco.results import Predictions
from cocoprep.coco.truth import Truth
from cocoprep.draw.palette import SIDE_COLOURS
from cocoprep.evaluation.error_kinds import KINDS
from cocoprep.evaluation.evaluate import evaluate
from cocoprep.evaluation.oks import OKS_FIGURES
from cocoprep.evaluation.output import PAGE
from cocoprep.evaluation.stack_maps import StackMaps
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.nouns import noun_of
from cocoprep.pose.tables import COCO_17
from cocoprep.report import engine
from cocoprep.report.content import Cell, Picture, Table
from cocoprep.report.evaluation import write_report
from cocoprep.report.heat_grid import heat_grid
from cocoprep.report.people import people_sheet, portraits, side_by_side, what_went_wrong, worst_and_best
from cocoprep.report.plots import MOST_PANELS
from cocoprep.report.sources import Shown
from cocoprep.report.style import LINE_COLOURS, draw_chart
from cocoprep.report.wording import NONE, count, people, pixels, share
from cocoprep.report.worst_errors import worst_errors
from tests.support.html_page import Page

THREE = KeypointTable(
    "three",
    (Joint("left_tip", "right_tip", 0.1), Joint("right_tip", "left_tip", 0.1), Joint("root", "root", 0.1)),
    (("left_tip", "root"), ("root", "right_tip")),
)
HOSTILE = "<script>alert('1')</script>\"><img src=http://example.com/x.jpg onerror=alert(2)>&amp;.jpg"
CHARTS = {"pck-curves", "pck-curves-by-joint", "oks-precision-recall", "joints", "errors"}


def people_of(points, visibility=None, *, table=COCO_17, images=None, names=None):
    """Return the ground truth of people (N, K, 2), ids from 11, each on an image of its own unless said otherwise."""
    points = np.asarray(points, float)
    count = len(points)
    visibility = np.full(points.shape[:2], 2) if visibility is None else np.asarray(visibility)
    points = np.where(visibility[..., None] > 0, points, 0)
    images = np.arange(1, count + 1) if images is None else np.asarray(images)
    bbox = np.tile([0.0, 0.0, 100.0, 120.0], (count, 1))
    listed = [
        {"id": int(one), "file_name": (names or {}).get(int(one), f"{one:012d}.jpg"), "width": 100, "height": 120}
        for one in np.unique(images)
    ]
    category = {"id": 1, "name": "person", "keypoints": list(table.names), "skeleton": table.skeleton}
    return Truth(
        "gt.json", listed, category, 1, frozenset({1}), table, (), np.arange(11, 11 + count), images, points, points,
        visibility.astype(np.int64), bbox,
        np.full(count, 8000.0), np.zeros(count, bool),
    )  # fmt: skip


def predicted(truth, points, rows=None):
    """Return predictions of some people, sure of what is labelled."""
    rows = np.arange(len(truth.annotation_ids)) if rows is None else np.asarray(rows)
    sure = np.where(truth.visibility[rows] > 0, 0.9, 0.2) - 0.01 * np.arange(truth.visibility.shape[1])
    return Predictions(truth.image_ids[rows], np.asarray(points, float), sure, np.linspace(1, 0.5, len(rows)))


def spread(people=6, joints=17, seed=0):
    return np.random.default_rng(seed).uniform(10, 100, (people, joints, 2))


@pytest.fixture(scope="module")
def evaluation():
    """Six people, ever farther off; the first is right, the fourth has left and right exchanged, the last is missed."""
    visibility = np.full((6, 17), 2)
    visibility[:, 5] = 1
    visibility[2, 8:] = 0
    truth = people_of(spread(), visibility, names={2: HOSTILE})
    points = spread() + np.linspace(0, 6, 6)[:, None, None]
    points[3] = spread()[3][list(COCO_17.flip_index)]
    return evaluate(truth, predicted(truth, points[:5], range(5)), COCO_17)


class Grey:
    """Grey pictures of everybody but person 12."""

    def crop_of(self, annotation_id):
        if annotation_id == 12:
            return None
        return Shown(np.full((60, 50, 3), 90, np.uint8), CropWindow(0, 0, 100, 120))


def maps_of(annotation_id, joints=17, stacks=2):
    truth = np.zeros((16, 12, joints), np.uint8)
    truth[5, 6, 1:] = 255
    heatmaps = np.stack([truth / np.float32(255)] * stacks) * np.float32(0.75)
    return StackMaps(annotation_id, np.full((64, 48, 3), 120, np.uint8), heatmaps, truth)


OPTIONS = {
    "title": "Run <x> & others",
    "notes": ["Boxes are the ground truth's", "<b>loud</b>"],
    "provenance": {"run": "runs/<x>", "cocoprep": "0"},
    "beside": {"codec ceiling": dict.fromkeys(OKS_FIGURES, 0.987), "mean guess": {"PCK@0.2": 0.123, "AUC": 0.045}},
    "crops": Grey(),
    "stack_maps": [maps_of(11), maps_of(13)],
}


def write(folder, evaluation, table=COCO_17, **options):
    path = write_report(str(folder), evaluation, table, **{"title": "A title", **options})
    assert path == str(folder / PAGE)
    return Page((folder / PAGE).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(evaluation, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write(folder, evaluation, **OPTIONS)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / PAGE).read_text(encoding="utf-8"))


# The page


def test_the_page_opens_with_the_title_and_says_the_notes(page):
    assert page.tags[:3] == ["html", "head", "meta"]
    assert "Run <x> & others" in page.texts
    assert "Boxes are the ground truth's" in page.texts
    assert "<b>loud</b>" in page.texts


def test_the_page_needs_nothing_else(page, folder):
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert all(one.startswith(("data:image/png;base64,", "data:image/jpeg;base64,", "#")) for one in page.addresses)
    source = (folder / PAGE).read_text()
    assert "url(" not in source
    assert "@import" not in source
    assert "default-src 'none'" in source


def test_every_picture_on_the_page_is_one(page):
    pictures = [address for address in page.addresses if address.startswith("data:")]
    assert len(pictures) == len(CHARTS) + 5 - 1 + 2  # charts, people but one without a picture, grids
    for address in pictures:
        kind, data = re.fullmatch(r"data:image/(\w+);base64,(.+)", address).groups()
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
            image.load()
            assert image.format == kind.upper()


def test_every_link_leads_somewhere_and_no_id_is_used_twice(page):
    assert len(set(page.ids)) == len(page.ids)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert {f"person-{n}" for n in range(11, 16)} <= set(page.ids)
    assert {"heatmaps-11", "heatmaps-13"} <= set(page.ids)


def test_a_hostile_file_name_is_only_text(page, folder):
    assert HOSTILE in page.texts
    assert "<script" not in (folder / PAGE).read_text()


def test_the_oks_figures_stand_beside_those_of_others(page, evaluation):
    (rows,) = page.rows("OKS")
    assert rows == [
        {"OKS": name, "this result": share(evaluation.oks.figures[name]), "codec ceiling": "0.987"}
        for name in OKS_FIGURES
    ]


def test_what_stands_beside_is_explained_where_it_stands(page):
    said = re.sub(r"\s+", " ", page.text)
    assert said.count("codec ceiling : what a network would score that predicts the stored heatmaps perfectly") == 1
    assert said.count("mean guess : what answering without a look at the picture scores") == 1


def test_where_the_figures_are_from_is_said(page):
    assert "provenance" in page.ids
    assert "runs/<x>" in page.texts


def test_joints_that_nobody_labelled_have_no_panel(tmp_path):
    truth = people_of(spread(2), [np.arange(17) < 7] * 2)
    found = evaluate(truth, predicted(truth, spread(2) + 3), COCO_17)
    page = write(tmp_path / "some", found, stack_maps=[maps_of(11)], crops=Grey())
    assert "Nobody has labelled, so not drawn: left elbow, right elbow" in page.text
    whole = people_of(spread(2))
    write(tmp_path / "all", evaluate(whole, predicted(whole, spread(2)), COCO_17), stack_maps=[maps_of(11)])
    for name in ("pck-curves-by-joint", "heatmaps-11"):
        heights = []
        for which in ("some", "all"):
            with Image.open(tmp_path / which / f"{name}.png") as picture:
                heights.append(picture.height)
        assert heights[0] < heights[1]


def test_pck_stands_by_unit_and_threshold_with_the_joints_behind_it(page, evaluation):
    (rows,) = page.rows("PCK")
    named = {row["PCK"]: row for row in rows}
    assert list(named) == ["PCK@0.05", "PCK@0.1", "PCK@0.2", "PCK@0.5", "AUC", "joints", "people", "people left out"]
    for unit, figures in evaluation.pck.items():
        for threshold, value in zip(figures.pck.thresholds, figures.pck.total, strict=True):
            assert named[f"PCK@{threshold:g}"][f"by {unit}"] == share(value)
        assert named["AUC"][f"by {unit}"] == share(figures.auc)
        assert named["joints"][f"by {unit}"] == count(figures.pck.joints.sum())
        assert named["people"][f"by {unit}"] == count(figures.people)
        assert named["people left out"][f"by {unit}"] == count(figures.without_unit)
    guess = {name: row["mean guess, by box"] for name, row in named.items()}
    assert (guess["PCK@0.2"], guess["AUC"], guess["PCK@0.1"]) == ("0.123", "0.045", NONE)


def test_every_joint_has_its_figures_and_thresholds(page, evaluation):
    joints, kinds, confidence = page.rows("joint")
    score, apart, chosen = evaluation.pck["box"].pck, evaluation.end_point, evaluation.joints
    assert [row["joint"] for row in joints] == [*(name.replace("_", " ") for name in COCO_17.names), "all"]
    for k in range(17):
        assert joints[k]["PCK@0.05"] == share(score.per_joint[0, k])
        assert joints[k]["joints"] == count(score.joints[k])
        assert joints[k]["mean distance, px"] == pixels(apart.mean_px_per_joint[k])
        assert joints[k]["median distance, px"] == pixels(apart.median_px_per_joint[k])
        assert confidence[k]["threshold"] == f"{chosen.thresholds[k]:.3f}"
        assert confidence[k]["precision"] == share(chosen.precision[k])
        assert confidence[k]["recall"] == share(chosen.recall[k])
        assert confidence[k]["labelled"] == count(chosen.labelled[k])
        assert kinds[k]["joints"] == count(sum(evaluation.errors.tables["joint"][COCO_17.names[k]].values()))
    assert (joints[17]["PCK@0.2"], joints[17]["mean distance, px"]) == (share(score.total[2]), pixels(apart.mean_px))


def test_every_grouping_of_errors_is_counted(page, evaluation):
    for column, grouping in {
        "joint": "joint", "size": "size", "others overlapping": "crowding", "joint is": "occlusion",
        "labelled joints": "labelled joints",
    }.items():  # fmt: skip
        rows = page.rows(column)[1 if grouping == "joint" else 0]
        for row, (group, kinds) in zip(rows, evaluation.errors.tables[grouping].items(), strict=True):
            assert row[column] == group.replace("_", " ")
            total = sum(kinds.values())
            for kind in KINDS:
                assert row[kind] == (f"{100 * kinds[kind] / total:.1f} % {kinds[kind]}" if total else f"{NONE} 0")


def test_the_worst_errors_are_listed_with_links_to_their_people(page, evaluation):
    listed, in_all = worst_errors(evaluation)
    (rows,) = page.rows("annotation")
    assert len(rows) == len(listed) > 0
    assert in_all == int(np.isin(evaluation.errors.kind, [2, 3, 4]).sum())
    for row, error in zip(rows, listed, strict=True):
        assert row["annotation"] == str(error.annotation_id)
        assert f"#person-{error.annotation_id}" in page.links
        assert row["joint"] == COCO_17.names[error.joint].replace("_", " ")
        assert row["distance, px"] == f"{error.distance_px:.1f}"
        assert row["photograph"] == evaluation.truth.file_names[error.annotation_id - 10]


def test_the_pictures_lie_beside_the_page(folder):
    names = {path.name for path in folder.iterdir()}
    people = {"worst.png", "best.png", "heatmaps-11.png", "heatmaps-13.png"}
    assert names == {PAGE, *people, *(f"{name}.png" for name in CHARTS)}
    for name in names - {PAGE}:
        with Image.open(folder / name) as image:
            image.load()
            assert image.format == "PNG"
            assert image.info.keys() <= {"dpi"}


def test_the_same_report_has_the_same_bytes(folder, evaluation, tmp_path):
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):  # whatever the user's own settings are
        write(tmp_path, evaluation, **OPTIONS)
        assert mpl.rcParams["font.size"] == 30
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    for name in names:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


# What there may not be


def test_without_pictures_and_heatmaps_the_rest_is_there(evaluation, tmp_path):
    for name in ("worst.png", "heatmaps-9.png", "heatmaps-x.png", "other.png"):
        (tmp_path / name).write_bytes(b"of an earlier report, or of the user")
    page = write(tmp_path, evaluation)
    kept = {"heatmaps-x.png", "other.png"}
    assert {path.name for path in tmp_path.iterdir()} == {PAGE, *kept, *(f"{name}.png" for name in CHARTS)}
    assert "person-11" in page.ids
    assert "heatmaps" not in page.ids
    assert HOSTILE in page.texts


def test_a_single_person_with_a_single_joint(tmp_path):
    truth = people_of(spread(1), [np.arange(17) < 1])  # the nose alone: neither torso nor head
    found = evaluate(truth, predicted(truth, spread(1) + 3), COCO_17, thresholds=(0.3,))
    page = write(tmp_path, found, crops=Grey(), beside={"nothing": {}, "guess": {"PCK@0.3": 0.5}})
    assert "worst" in page.ids
    assert "best" not in page.ids
    assert not (tmp_path / "best.png").exists()
    (rows,) = page.rows("PCK")
    assert list(rows[0].values()) == ["PCK@0.3", "1.000", NONE, NONE, "0.500"]
    assert page.rows("joint")[0][3]["PCK@0.3"] == NONE
    (oks,) = page.rows("OKS")
    assert oks[4] == {"OKS": "APl", "this result": NONE}  # -1 of pycocotools
    assert "PCK@0.3 by box" in page.texts


def test_where_nobody_is_matched_there_are_no_people(tmp_path):
    truth = people_of(spread(2))
    page = write(tmp_path, evaluate(truth, predicted(truth, spread(1) + 1e9, [0]), COCO_17), crops=Grey())
    assert not {"worst", "best", "worst-errors"} & set(page.ids)
    assert "which cover 0 of these people" in page.text
    assert "No thresholds" in page.text
    (rows,) = page.rows("OKS")
    assert rows[3] == {"OKS": "APm", "this result": "0.000"}
    assert page.rows("joint")[0][17]["mean distance, px"] == NONE


def test_another_table_of_joints(tmp_path):
    places = [[[10, 10], [80, 10], [50, 90]], [[30, 40], [70, 60], [95, 110]]] * 2
    truth = people_of(places, table=THREE, images=[1, 1, 2, 2])
    points = truth.keypoints[[1, 0, 2, 3]].copy()  # the first two are taken for each other
    points[2] = points[2][[1, 0, 2]]  # left and right exchanged
    found = evaluate(truth, replace(predicted(truth, points), annotation_ids=truth.annotation_ids), THREE)
    page = write(tmp_path, found, THREE, crops=Grey(), stack_maps=[maps_of(13, joints=3)], beside={})
    assert [row["joint"] for row in page.rows("joint")[0]] == ["left tip", "right tip", "root", "all"]
    assert "inversion: left tip, right tip" in page.text
    assert "swap (of 12)" in page.text


def test_joints_without_number_are_not_drawn_a_panel_each(tmp_path):
    table = KeypointTable("many", tuple(Joint(f"j{n}", f"j{n}", 0.1) for n in range(MOST_PANELS + 1)), ())
    truth = people_of(spread(1, len(table)), table=table)
    page = write(tmp_path, evaluate(truth, predicted(truth, truth.keypoints), table), table)
    assert not (tmp_path / "pck-curves-by-joint.png").exists()
    assert (tmp_path / "joints.png").exists()
    assert len(page.rows("joint")[0]) == len(table) + 1


def test_joint_names_are_only_text(tmp_path):
    names = ("left_$x^2$<u>", "right_$x^2$<u>", "_\u7b11")
    joints = (Joint(names[0], names[1], 0.1), Joint(names[1], names[0], 0.1), Joint(names[2], names[2], 0.1))
    table = KeypointTable("odd", joints, ())
    truth = people_of(spread(2, 3), table=table)
    found = evaluate(truth, predicted(truth, spread(2, 3) + 2), table)
    page = write(tmp_path, found, table, title="a path that is no UTF-8: \udcff", crops=Grey())
    assert "a path that is no UTF-8: \\udcff" in page.texts
    assert "u" not in page.tags
    assert "left $x^2$<u>" in page.texts


# People


def test_the_worst_and_the_best_are_in_order_and_nobody_is_both(evaluation):
    worst, best = worst_and_best(evaluation, 2)
    assert worst == [3, 4]
    assert best == [0, 1]
    worst, best = worst_and_best(evaluation, 100)
    assert sorted(worst + best) == [0, 1, 2, 3, 4]
    assert len(worst) == 3


def test_what_went_wrong_is_said_in_words(evaluation):
    assert what_went_wrong(evaluation, 0, COCO_17) == "good: 17 of 17"
    assert what_went_wrong(evaluation, 3, COCO_17).startswith("inversion: left eye, right eye, left ear")


def test_truth_and_prediction_stand_side_by_side_at_their_places(evaluation):
    shown = Shown(np.full((120, 100, 3), 90, np.uint8), CropWindow(0, 0, 100, 120))
    both = np.asarray(side_by_side(evaluation, 4, COCO_17, shown, height_px=480), int)
    assert both.shape[0] == 480
    half = (both.shape[1] - 6) // 2
    assert half == 400
    truth, points = evaluation.truth, evaluation.predictions.keypoints[evaluation.matches[4]]
    ankle = COCO_17.names.index("right_ankle")  # painted last, so that nothing lies over it
    for left, at in ((0, truth.keypoints[4, ankle]), (half + 6, points[ankle])):
        x, y = (4 * (at + 0.5)).astype(int)
        assert np.abs(both[y, left + x] - SIDE_COLOURS["right"]).max() < 40


def test_a_sheet_shows_people_without_a_picture_too(evaluation):
    people = portraits(evaluation, [0, 1], COCO_17, Grey())
    assert [one.picture is None for one in people] == [False, True]
    assert people[1].file_name == HOSTILE
    assert people_sheet(people, title="two").height < people_sheet(people, title="two", columns=1).height


# Heatmaps


def test_a_thin_line_keeps_its_colour():
    def paint(figure):
        axes = figure.add_subplot()
        axes.set_title("many shades of grey")
        axes.plot([0, 1], [0, 0], ":", color=LINE_COLOURS["left"])

    red, green, blue = (int(LINE_COLOURS["left"][n : n + 2], 16) for n in (1, 3, 5))
    pixels_of_chart = np.asarray(Image.open(io.BytesIO(draw_chart(paint, (6, 4.4)).png)).convert("RGB")).astype(int)
    assert (np.abs(pixels_of_chart - (red, green, blue)).max(axis=-1) <= 3).any()


def test_the_grid_has_a_row_a_stack_and_bands_of_joints():
    one, two = (heat_grid(maps_of(1, stacks=stacks), COCO_17, title="t") for stacks in (1, 2))
    assert one.width == two.width
    assert (two.height - one.height) % 2 == 0  # 17 joints in two bands, a row more in each
    assert heat_grid(maps_of(1, joints=3), THREE, title="t").height < one.height


def test_the_grid_is_bright_where_the_map_is_high():
    grid = np.asarray(heat_grid(maps_of(1), COCO_17, title="t"), int).max(axis=-1)
    assert grid[:, -400:].max() > 240
    odd = maps_of(1)
    odd.heatmaps[0, 0, 0] = np.nan
    odd.heatmaps[1] = -5
    heat_grid(odd, COCO_17, title="t")


# Wording and the engine


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (share(0.12345), "0.123"),
        (share(1.0), "1.000"),
        (share(0.0), "0.000"),
        (share(-1.0), NONE),
        (share(float("nan")), NONE),
        (pixels(12.345), "12.3"),
        (pixels(float("nan")), NONE),
        (count(12345), "12,345"),
        (people(1, noun_of("person")), "1 person"),
        (people(2345, noun_of("person")), "2,345 people"),
        (people(2345, noun_of("hand")), "2,345 hands"),
    ],
)
def test_wording(found, expected):
    assert found == expected


def parts_of(call, **values):
    """Return what a macro of the pages' parts makes of values."""
    environment = engine._environment()
    return environment.from_string(f'{{% import "parts.html.j2" as parts %}}{{{{ {call} }}}}').render(**values)


def test_texts_are_escaped_and_control_characters_written_out():
    hostile = "<&\"'>\x1b[31m\x9b\u202e"
    written = parts_of("parts.image(picture, text)", picture=Picture('a"b', (1, 2)), text=hostile)
    assert 'src="a&#34;b"' in written
    assert r'alt="&lt;&amp;&#34;&#39;&gt;\x1b[31m\x9b\u202e"' in written
    assert Page(written).tags == ["img"]


def test_a_table_escapes_its_cells():
    table = Table(
        ["<a>", "b"], [["<i>", Cell("<x>", "<s>")], [Cell("<l>", link='"'), Cell("<n>", isolated=True)]], "<u>"
    )
    page = Page(parts_of("parts.table(table)", table=table))
    assert page.tables == [[["<a>", "b"], ["<i>", "<x> <s>"], ["<l>", "<n>"]]]
    assert page.links == ['#"']
    assert "<u>" in page.text


def test_what_a_template_misses_is_an_error():
    with pytest.raises(UndefinedError):
        parts_of("parts.table(table)")
