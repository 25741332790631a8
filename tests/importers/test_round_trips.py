"""The drawn sample, written as other tools write it and read back: what a form holds comes back, to its precision."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support import other_forms
from tests.support.other_forms import drawn_set, head_box_of, joints_of


def converted(run, form, source, out, *options):
    """Convert; return the one annotation file, as it is, and what was said."""
    code, said, err = run("convert", source, "--from", form, "--out", out, *options)
    assert code == 0, err
    (path,) = (out / "annotations").iterdir()
    return json.loads(path.read_bytes()), said + err


def people_of(document):
    """Return the joints and boxes of a file by photograph, in order."""
    names = {image["id"]: image["file_name"].rpartition("/")[2] for image in document["images"]}
    found = {}
    for person in document["annotations"]:
        found.setdefault(names[person["image_id"]], []).append(person)
    return found


def assert_same(document, coco, *, atol, visible=lambda v: v, boxes=True):
    """Hold a converted file against its source, joint by joint."""
    found = people_of(document)
    assert sum(map(len, found.values())) == len(coco.people)
    for image in coco.images:
        for person, source in zip(found[image["file_name"]], coco.of(image), strict=True):
            expected = joints_of(source)
            expected[:, 2] = visible(expected[:, 2])
            np.testing.assert_allclose(joints_of(person), expected, rtol=0, atol=atol)
            assert person["num_keypoints"] == (expected[:, 2] > 0).sum()
            if boxes:
                np.testing.assert_allclose(person["bbox"], source["bbox"], rtol=0, atol=4 * atol)


def all_visible(v):
    return np.where(v > 0, 2, 0)


def table_built(run, document_path, images):
    """Return what a build says of the joints."""
    code, out, err = run("build", "--annotations", document_path, "--images", images, "--dry-run")
    assert code == 0, err
    return next(line for line in out.splitlines() if "joints " in line)


@pytest.fixture(scope="module")
def mpii(tmp_path_factory):
    return drawn_set(tmp_path_factory.mktemp("mpii"), "mpii-16")


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    return drawn_set(tmp_path_factory.mktemp("coco"))


def assert_square(document, coco):
    """The box of MPII's people is the square that HRNet crops: around the centre, a little further down."""
    for image in coco.images:
        for person, source in zip(people_of(document)[image["file_name"]], coco.of(image), strict=True):
            x, y, w, h = source["bbox"]
            side = max(w, h)
            middle = [x + w / 2 - side / 2, y + h / 2 - side / 2 + 15 * side / 200]
            np.testing.assert_allclose(person["bbox"], [*middle, side, side], atol=1e-9)


def test_mpii_as_json(mpii, run, tmp_path):
    source = other_forms.write_mpii_json(mpii, tmp_path / "train.json")
    document, said = converted(run, "mpii", source, tmp_path / "out", "--images", mpii.photographs)
    assert_same(document, mpii, atol=1e-12, visible=all_visible, boxes=False)
    assert_square(document, mpii)
    assert "not carried over: head sizes" in said
    assert {(i["width"], i["height"]) for i in document["images"]} == {(i["width"], i["height"]) for i in mpii.images}
    path = tmp_path / "out/annotations/person_keypoints_train.json"
    assert "16, mpii-16" in table_built(run, path, mpii.photographs)


@pytest.mark.parametrize("compressed", [True, False])
def test_mpii_as_mat(compressed, mpii, run, tmp_path):
    source = other_forms.write_mpii_mat(mpii, tmp_path / "mpii_human_pose_v1_u12_1.mat", compressed=compressed)
    document, said = converted(run, "mpii", source, tmp_path / "out", "--images", mpii.photographs)
    for image in mpii.images:
        for person in people_of(document)[image["file_name"]]:
            assert joints_of(person)[[8, 9], 2].max() in (0, 2)  # the head's do not say
    heads = {8: 0, 9: 0}

    def visible(v):
        return np.array([2 if k in heads and n else n for k, n in enumerate(v)])

    assert_same(document, mpii, atol=1e-12, visible=visible, boxes=False)
    assert_square(document, mpii)
    assert "LEFT OUT: 1 test image has joints that are not in this file" in said
    assert "is_visible" not in said
    assert "no word on being hidden, as those of the head" in said


def test_head_sizes_of_mpii(mpii, run, tmp_path):
    source = other_forms.write_mpii_mat(mpii, tmp_path / "m.mat")
    document, _ = converted(run, "mpii", source, tmp_path / "out", "--images", mpii.photographs)
    for image in mpii.images:
        for person, was in zip(people_of(document)[image["file_name"]], mpii.of(image), strict=True):
            x1, y1, x2, y2 = head_box_of(was)
            np.testing.assert_allclose(person["head_box"], [x1, y1, x2, y2], atol=1e-9)
            assert person["head_size"] == pytest.approx(0.6 * np.hypot(x2 - x1, y2 - y1))


@pytest.mark.parametrize("extended", [False, True], ids=["lsp", "lspet"])
def test_lsp(extended, run, tmp_path):
    coco = drawn_set(tmp_path / "drawn", "lsp-14", alone=True)
    source = other_forms.write_lsp(coco, tmp_path / "lsp", extended=extended)
    document, said = converted(run, "lsp", source, tmp_path / "out")
    assert [image["file_name"][:4] for image in document["images"]] == (["im00"] * len(coco.images))
    for person, was in zip(document["annotations"], coco.people, strict=True):
        expected = joints_of(was)
        expected[:, 2] = all_visible(expected[:, 2]) if extended else expected[:, 2]
        np.testing.assert_allclose(joints_of(person), expected, rtol=0, atol=1e-12)
    assert ("at (0, 0), where no picture is" in said) != extended
    assert "no box: the extent of their joints and 25% of it on each side is taken" in said
    (path,) = (tmp_path / "out/annotations").iterdir()
    assert "14, lsp-14" in table_built(run, path, tmp_path / "lsp/images")


def test_yolo(coco, run, tmp_path):
    source = other_forms.write_yolo(coco, tmp_path / "yolo")
    document, said = converted(run, "yolo-pose", source.parent, tmp_path / "out")
    assert_same(document, coco, atol=0.5e-6 * max(i["width"] for i in coco.images) + 1e-9)
    assert "no names of joints: taken for the 17 of coco-17" in said
    assert "leads out of the folder of data.yaml" in said  # ../datasets/drawn
    path = tmp_path / "out/annotations/person_keypoints_train.json"
    assert "17, coco-17" in table_built(run, path, source.parent)


def test_yolo_without_visibility(coco, run, tmp_path):
    source = other_forms.write_yolo(coco, tmp_path / "yolo", dims=2, named=True)
    document, said = converted(run, "yolo-pose", source, tmp_path / "out")
    assert_same(document, coco, atol=0.5e-6 * max(i["width"] for i in coco.images) + 1e-9, visible=all_visible)
    assert document["categories"][0]["keypoints"] == list(coco.table.names)
    assert "joints have no visibility" in said


@pytest.mark.parametrize("grouped", [False, True], ids=["skeletons", "grouped points"])
def test_cvat(grouped, coco, run, tmp_path):
    source = other_forms.write_cvat(coco, tmp_path / "annotations.xml", grouped=grouped)
    options = ["--keypoints", "coco-17"] if grouped else []
    document, _ = converted(run, "cvat", source, tmp_path / "out", *options)
    assert_same(document, coco, atol=0.005 + 1e-9)
    (category,) = document["categories"]
    assert category["keypoints"] == list(coco.table.names)
    assert category["skeleton"] == coco.table.skeleton
    assert [image["width"] for image in document["images"]] == [image["width"] for image in coco.images]


def test_label_studio(coco, run, tmp_path):
    source = other_forms.write_labelstudio(coco, tmp_path / "export.json")
    document, said = converted(run, "labelstudio", source, tmp_path / "out", "--keypoints", "coco-17")
    assert_same(document, coco, atol=1e-9, visible=all_visible)
    assert "named by an absolute path or an address" in said
    path = tmp_path / "out/annotations/person_keypoints_export.json"
    assert "17, coco-17" in table_built(run, path, coco.photographs)
