"""What `build`, its dry run and `info` tell of labels that look wrong, of sizes, and of how photographs lie."""

from __future__ import annotations

import json
import re

import pytest
from PIL import Image

from tests.support.building import keypoints, write_coco

pytestmark = pytest.mark.usefixtures("without_engine")

INSIDE, OUTSIDE = {"nose": (30, 20, 2), "left_eye": (33, 18, 2)}, {"left_hip": (70, 55, 1), "right_hip": (0, 0, 2)}


@pytest.fixture
def labelled(tmp_path):
    """Return what gives the options of a build: of photographs that lie as told, some of whose joints look wrong."""

    def labelled(orientation=1, *, sized=True):
        people = [
            {"id": n, "image_id": n, "bbox": [10, 10, 30, 30], "keypoints": keypoints(**INSIDE, **OUTSIDE)}
            for n in (1, 2)
        ]
        annotations, images = write_coco(tmp_path / "coco", dict.fromkeys((1, 2), Image.new("RGB", (80, 60))), people)
        exif = Image.Exif()
        exif[0x0112] = orientation
        for path in images.iterdir():
            Image.new("RGB", (80, 60)).save(path, "JPEG", exif=exif)
        if not sized:
            document = json.loads(annotations.read_bytes())
            document["images"] = [{"id": i["id"], "file_name": i["file_name"]} for i in document["images"]]
            annotations.write_text(json.dumps(document))
        paths = {"--annotations": annotations, "--images": images, "--out": tmp_path / "out", "--split": "a"}
        return [*(word for pair in paths.items() for word in pair), "--input-size", "32", "--workers", 1, "--shards", 2]

    return labelled


def rows(text, kind):
    """Return the texts of a table's rows of a kind."""
    return re.findall(rf"^│ +{kind} +│ (.*?) +│$", text, re.MULTILINE)


def test_a_dry_run_tells_what_the_build_tells(labelled, run):
    options = labelled(3)
    code, planned, _ = run("build", *options, "--dry-run")
    assert code == 0
    (at_corner,) = rows(planned, "warning")
    assert at_corner.startswith("labelled joints lie at exactly (0, 0), 2 in all, in 2 of ")
    code, built, _ = run("build", *options, "--no-ceiling")
    assert code == 0
    assert rows(built, "warning")[0] == at_corner
    assert rows(built, "warning")[1].startswith("2 photographs have an EXIF orientation, such as '00000000000")
    assert rows(built, "joints outside crops") == ["4 of 8 labelled, 50.0%"]
    info = run("info", options[5])[1]
    for kind in ("warning", "joints outside crops"):
        assert rows(info, kind) == rows(built, kind)


@pytest.fixture
def pets(tmp_path):
    """Return the options of a build of three categories, of one of which there is nobody."""
    people = [
        {"id": n, "image_id": 1, "category_id": category, "keypoints": keypoints(**joints)}
        for n, (category, joints) in enumerate([(7, INSIDE), (7, {}), (7, INSIDE), (9, INSIDE)], start=1)
    ]
    annotations, images = write_coco(tmp_path / "pets", {1: Image.new("RGB", (80, 60))}, people)
    document = json.loads(annotations.read_bytes())
    (category,) = document["categories"]
    document["categories"] = [{**category, "id": n, "name": name} for n, name in ((7, "cat"), (8, "dog"), (9, "yak"))]
    annotations.write_text(json.dumps(document))
    paths = {"--annotations": annotations, "--images": images, "--category": "all", "--split": "a"}
    return [*(word for pair in paths.items() for word in pair), "--input-size", "32", "--workers", 1, "--shards", 2]


def test_categories_have_counts_of_their_own(pets, run, tmp_path):
    told = []
    for words in (
        ["build", *pets, "--dry-run"],
        ["build", *pets, "--out", tmp_path / "out"],
        ["info", tmp_path / "out"],
    ):
        code, text, err = run(*words)
        assert code == 0, err
        told.append([rows(text, kind) for kind in ("category cat", "category yak", "categories without any")])
    assert told[0] == [["2 of 3 annotations; dropped: 1 zero_keypoints"], ["1 of 1 annotation"], ["dog"]]
    assert told[0] == told[1] == told[2]


def test_sizes_are_found_out_in_a_dry_run_too(labelled, run):
    code, planned, _ = run("build", *labelled(6, sized=False), "--dry-run")
    assert code == 0
    assert rows(planned, "note") == ["2 photographs state no size: that of the picture is taken"]
    assert rows(planned, "warning")[0].startswith(
        "2 of those, such as '000000000001.jpg', lie on their side by their EXIF"
    )
    planned = run("build", *labelled(6, sized=False), "--dry-run", "--exif", "upright")[1]
    assert not any("EXIF" in told for told in rows(planned, "warning"))


def test_a_rule_that_there_is_not(labelled, run):
    code, _, err = run("build", *labelled(), "--exif", "sideways")
    assert (code, "'sideways' is not one of 'auto', 'stored', 'upright'" in err) == (2, True)


def test_the_build_of_another_rule_is_refused_with_the_cure(labelled, run):
    options = labelled(3)
    assert run("build", *options, "--no-ceiling")[0] == 0
    code, _, err = run("build", *options, "--no-ceiling", "--exif", "upright")
    assert code == 1
    assert "exif was auto, is now upright. Choose another --out, or pass --force" in err
    code, built, _ = run("build", *options, "--no-ceiling", "--exif", "upright", "--force")
    assert code == 0
    assert rows(built, "note") == ["2 photographs are turned upright by their EXIF orientation: --exif upright"]
