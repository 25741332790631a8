"""CVAT's XML: what is a person, what is not, and what is told of it."""

from __future__ import annotations

import json
import time
import zipfile

import pytest
from PIL import Image

from cocoprep.importers.cvat import limbs_of

LABELS = (
    "<meta><task><name>My task</name><labels>"
    "<label><name>bird</name><type>skeleton</type></label>"
    "<label><name>beak</name><type>points</type><parent>bird</parent></label>"
    "<label><name>tail</name><type>points</type><parent>bird</parent></label>"
    "</labels></task></meta>"
)


def joint(name, x, y, *, outside=0, occluded=0, group=""):
    return f'<points label="{name}" points="{x},{y}" outside="{outside}" occluded="{occluded}"{group}/>'


def skeleton(*joints, label="bird", group="0"):
    return f'<skeleton label="{label}" group_id="{group}">{"".join(joints)}</skeleton>'


BIRD = skeleton(joint("tail", 30.5, 40.5), joint("beak", 10.5, 20.5, occluded=1))


def convert(run, tmp_path, *shapes, meta=LABELS, name="a.jpg", options=()):
    image = f'<image id="0" name="{name}" width="100" height="80">{"".join(shapes)}</image>'
    (tmp_path / "annotations.xml").write_text(f"<annotations>{meta}{image}</annotations>")
    code, out, err = run("convert", tmp_path, "--from", "cvat", "--out", tmp_path / "out", *options)
    found = sorted((tmp_path / "out/annotations").iterdir()) if code == 0 else []
    return code, out + err, json.loads(found[0].read_bytes()) if found else None


def test_joints_stand_in_the_order_of_the_labels(run, tmp_path):
    code, said, document = convert(run, tmp_path, BIRD)
    assert code == 0
    assert document["categories"][0]["keypoints"] == ["beak", "tail"]
    assert document["annotations"][0]["keypoints"] == [10, 20, 1, 30, 40, 2]
    assert document["images"] == [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}]
    assert "person_keypoints_My_task.json" in said


def test_without_labels_they_are_sorted_by_name(run, tmp_path):
    _, _, document = convert(run, tmp_path, BIRD, meta="")
    assert document["categories"][0]["keypoints"] == ["beak", "tail"]


def test_a_box_in_the_group_is_the_skeletons_unless_two_share_it(run, tmp_path):
    box = '<box label="bird" xtl="1" ytl="2" xbr="51" ybr="62" group_id="7"/>'
    one = skeleton(joint("beak", 10, 20), joint("tail", 30, 40), group="7")
    _, _, document = convert(run, tmp_path, one, box)
    assert document["annotations"][0]["bbox"] == [1, 2, 50, 60]
    _, said, document = convert(run, tmp_path, one, one, box)
    assert "LEFT OUT: 1 rectangle is in a group of several skeletons" in said
    assert [1, 2, 50, 60] in [a["bbox"] for a in document["annotations"]]
    assert len({tuple(a["bbox"]) for a in document["annotations"]}) == 2


def test_the_first_of_two_boxes_of_a_group_is_taken_and_the_other_told(run, tmp_path):
    first, second = (f'<box label="bird" xtl="{x}" ytl="2" xbr="51" ybr="62" group_id="7"/>' for x in (1, 9))
    one = skeleton(joint("beak", 10, 20), joint("tail", 30, 40), group="7")
    _, said, document = convert(run, tmp_path, first, one, second)
    assert document["annotations"][0]["bbox"] == [1, 2, 50, 60]
    assert "LEFT OUT: 1 rectangle is not the first of its group" in said


TOLD = {
    "a polygon": ('<polygon label="x" points="1,2;3,4;5,6"/>', "LEFT OUT: 1 polygon shape"),
    "points of no group": (joint("beak", 1, 2), "in no skeleton and no group"),
    "several points": ('<points label="bird" points="1,2;3,4"/>', "several points, which do not say"),
    "no coordinates": ('<points label="bird" points="x"/>', "no two coordinates"),
    "a joint twice": (skeleton(joint("beak", 1, 2), joint("beak", 3, 4), joint("tail", 9, 9)), "there twice"),
    "a joint of another": (skeleton(joint("paw", 1, 2), joint("beak", 3, 4), joint("tail", 9, 9)), "none of its"),
    "not a number": (skeleton(joint("beak", "nan", 2)), "no pixels"),
    "far away": (skeleton(joint("beak", "1e300", 2)), "no pixels"),
    "one joint and no box": (skeleton(joint("beak", 1, 2)), "no box, and joints that span none"),
    "a box of no group": ('<box label="x" xtl="1" ytl="2" xbr="3" ybr="4"/>', "box shape"),
    "a box alone in its group": ('<box label="x" xtl="1" ytl="2" xbr="3" ybr="4" group_id="3"/>', "box shape"),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_is_left_out_is_told(case, run, tmp_path):
    shape, says = TOLD[case]
    code, said, document = convert(run, tmp_path, BIRD, shape)
    assert code == 0
    assert says in next(line for line in said.splitlines() if line.startswith("LEFT OUT"))
    assert document["annotations"][0]["keypoints"] == [10, 20, 1, 30, 40, 2]


REFUSED = {
    "a video": ("<track/>", "CVAT for video"),
    "nobody": ("", "no skeleton in it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused(case, run, tmp_path):
    shapes, says = REFUSED[case]
    code, said, _ = convert(run, tmp_path, shapes)
    assert code == 1
    assert says in said
    assert not (tmp_path / "out").exists()


def test_another_file_is_refused(run, tmp_path):
    (tmp_path / "a.xml").write_text("<html/>")
    code, _, err = run("convert", tmp_path / "a.xml", "--from", "cvat", "--out", tmp_path / "out")
    assert code == 1
    assert "the element html, expected annotations" in err


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


def test_an_export_is_read_in_its_zip_with_its_photographs(run, tmp_path):
    image = f'<image id="0" name="a.jpg" width="100" height="80">{BIRD}</image>'
    task = zipped(tmp_path / "task.zip", annotations_xml=f"<annotations>{LABELS}{image}</annotations>")
    with zipfile.ZipFile(task, "a") as archive, archive.open("images/a.jpg", "w") as member:
        Image.new("RGB", (100, 80)).save(member, "JPEG")
    code, out, err = run("convert", task, "--from", "cvat", "--out", tmp_path / "out")
    assert code == 0, err
    command = out.strip().splitlines()[-1].split()
    assert command[-1] == str(task)
    code, out, err = run(*command[1:], "--out", tmp_path / "shards", "--dry-run")
    assert (code, "people" in out or "kept" in out) == (0, True), err
    assert "cannot be read" not in out + err


ZIPS = {
    "without it": ({"other_xml": "<annotations/>"}, "a zip without annotations.xml"),
    "a bomb": ({"annotations_xml": "<annotations>" + " " * 90_000_000}, "said to have 90000013 bytes"),
}


@pytest.mark.parametrize("case", ZIPS)
def test_a_zip_that_cannot_be_used_is_refused(case, run, tmp_path):
    members, says = ZIPS[case]
    code, _, err = run("convert", zipped(tmp_path / "t.zip", **members), "--from", "cvat", "--out", tmp_path / "out")
    assert code == 1
    assert says in err


def test_a_zip_packed_in_a_way_that_is_not_read_says_so_and_its_folder_is_read(run, tmp_path):
    image = f'<image id="0" name="a.jpg" width="100" height="80">{BIRD}</image>'
    with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("annotations.xml", f"<annotations>{LABELS}{image}</annotations>")
        archive.extractall(tmp_path / "unpacked")
    code, _, err = run("convert", tmp_path / "t.zip", "--from", "cvat", "--out", tmp_path / "out")
    assert code == 1
    assert "packed by method 14" in err
    assert "name the folder instead" in err
    assert run("convert", tmp_path / "unpacked", "--from", "cvat", "--out", tmp_path / "out")[0] == 0


def test_a_name_that_leads_out_takes_nobody_along(run, tmp_path):
    code, said, _ = convert(run, tmp_path, BIRD, name="../../etc/a.jpg")
    assert code == 1
    assert "lead" in said


def test_lines_of_the_svg_join_joints():
    svg = (
        '<line x1="1" data-type="edge" data-node-from="1" stroke="black" data-node-to="2"></line>'
        '<line data-node-from="1" data-node-to="9"></line>'
        '<circle data-node-id="1" data-label-name="beak"></circle><circle data-node-id="2" data-label-name="tail">'
    )
    assert limbs_of(svg) == [("beak", "tail")]


@pytest.mark.parametrize("piece", ["<circle", "<line", "<circle data-", "data-"])
def test_a_megabyte_of_beginnings_without_an_end_is_passed_over_at_once(piece):
    svg = "<circle " + piece * (1_000_000 // len(piece)) + ">"
    started = time.monotonic()
    assert limbs_of(svg) == []
    assert time.monotonic() - started < 20, "it took minutes for a tenth of it"
