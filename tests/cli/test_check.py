"""`cocoprep check` as a user types it."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from tests.support.building import build_folder, write_coco
from tests.support.figures import SIDE, figures


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """Return an annotation file of 120 people, of whom one has a limb of impossible length, and its photographs."""
    data_set = figures(120)
    joints = data_set.people.joints.astype(float).round(1)
    elbow, wrist = (COCO_17.names.index(f"left_{name}") for name in ("elbow", "wrist"))
    joints[4, wrist, :2] = joints[4, elbow, :2] + (0, 300)
    entries = [
        {"id": n + 1, "image_id": n // 2 + 1, "keypoints": joints[n].ravel().tolist(), "bbox": box, "area": 9000}
        for n, box in enumerate(data_set.people.bbox.round(1).tolist())
    ]  # fmt: skip
    pictures = {n + 1: Image.new("RGB", (SIDE, SIDE), (90, 110, 90)) if n < 4 else (SIDE, SIDE) for n in range(60)}
    return write_coco(tmp_path_factory.mktemp("check") / "coco", pictures, entries)


def test_it_lists_draws_and_changes_nothing(run, tmp_path, coco):
    before = coco[0].read_bytes()
    out = tmp_path / "out"
    code, said, err = run("check", coco[0], "--out", out, "--images", coco[1], "--json", tmp_path / "found.json")
    assert code == 0, err
    assert coco[0].read_bytes() == before
    assert "train2017: " in said
    assert sorted(path.name for path in out.iterdir()) == ["exclude.txt", "suspects.jpg", "suspects.parquet"]
    lines = pq.read_table(out / "suspects.parquet").to_pylist()
    first = next(line for line in lines if line["kind"] == "limb")
    assert (first["annotation_id"], first["own_id"], first["image"]) == (5, "5", "000000000003.jpg")
    assert set(first["joints"]) == {"left_elbow", "left_wrist"}
    assert f"5\t000000000003.jpg\tlimb, {first['score']:.2f}: {first['why']}" in (out / "exclude.txt").read_text()
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["suspects"] == lines
    assert (found["people_checked"], found["by_kind"]["limb"]) == (120, 1)
    assert np.asarray(Image.open(out / "suspects.jpg")).std() > 5


def test_a_page_shows_the_suspects_and_everybody(run, tmp_path, coco):
    page = tmp_path / "made/found.html"
    code, said, err = run("check", coco[0], "--page", page, "--images", coco[1], "--page-people", 30)
    assert code == 0, err
    assert str(page) in said
    written = " ".join(page.read_text().split())
    assert "of 120 labelled people look wrong" in written
    assert "30 of 120 entries are here: those of suspects" in written
    assert "left_elbow to left_wrist is" in written
    assert "photographs are not shown" in err  # of 60 four are there
    assert len(list(page.parent.glob("found-pictures/0/suspect*.jpg"))) >= 1
    assert len(list(page.parent.glob("found-pictures/0/a*.jpg"))) >= 4
    assert not [path for path in tmp_path.rglob("*") if path.name == "suspects.parquet"]


def test_too_many_end_with_1(run, tmp_path, coco):
    assert run("check", coco[0], "--max-suspects", 50)[0] == 0
    code, _, err = run("check", coco[0], "--max-suspects", 0)
    assert code == 1
    assert "--max-suspects: expected 0 annotations at most, found" in err
    assert "left_elbow" not in err
    assert "Name a folder with --out" in err
    page = tmp_path / "found.html"
    assert f"All are in {page}." in run("check", coco[0], "--max-suspects", 0, "--page", page)[2]


def test_what_is_malformed_is_told(run, tmp_path, coco):
    content = json.loads(coco[0].read_text())
    for entry in content["annotations"][10:13]:
        entry["keypoints"] = entry["keypoints"][:-1]
    path = tmp_path / "short.json"
    path.write_text(json.dumps(content))
    code, said, err = run("check", path)
    assert code == 0
    assert "of 117 labelled people look wrong" in said
    assert "3 annotations are malformed and not checked: " in err


def test_a_built_folder_and_the_way_back(run, tmp_path, coco):
    found, folder, listed = tmp_path / "found", tmp_path / "built", tmp_path / "found/exclude.txt"
    how = {"annotations": coco[0], "images": coco[1], "crop": CropConfig(input_size=(32, 32))}
    select = SelectConfig(shards=1, max_bad_fraction=1)
    build_folder(folder, **how, select=select)
    code, _, err = run("check", folder, "--out", found)
    assert code == 0, err
    assert (found / "suspects.jpg").exists()
    listed.write_text("\n".join(line for line in listed.read_text().splitlines() if "limb" in line))
    left = build_folder(folder, **how, select=select, force=True, exclude=listed)
    assert left.counts.dropped["excluded"] == 1
    assert run("check", folder, "--out", found)[0] == 0
    assert "limb" not in listed.read_text()


def test_what_does_not_go_together_is_refused(run, tmp_path, coco):
    for arguments, says in (
        (("--images", coco[1]), "--images: is of the pictures in --out and --page; found neither"),
        (("--page", "found"), "--page: expected a file that ends in .html"),
        (("--page-people", "5"), "--page-people: is of the gallery of --page"),
        (("--page", coco[1] / "found.html", "--images", coco[1]), "which is read"),
        (("--out", coco[1].parent / "train2017", "--images", coco[1]), "which is read"),
        (("--json", coco[0]), "which is read"),
        (("--out", coco[0]), "which is read"),
        (("--out", "s3://x"), "gs://"),
    ):
        code, _, err = run("check", coco[0], *arguments)
        assert code == 1
        assert says in err
    assert run("check", tmp_path / "gone.json")[0] == 1
