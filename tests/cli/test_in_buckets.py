"""Commands that look at data sets, where these lie in a bucket and what they write is to lie in one too."""

from __future__ import annotations

import pytest

from cocoprep.storage.by_scheme import AnyFiles
from tests.support.buckets import put
from tests.support.people import write_people

FILES = AnyFiles()


@pytest.fixture
def coco(bucket, tmp_path):
    """Return the annotations and the photographs of a data set in a bucket."""
    write_people(tmp_path / "coco", images=4)
    folder = put(tmp_path / "coco", f"{bucket}/coco")
    return f"{folder}/annotations/person_keypoints_train2017.json", f"{folder}/train2017"


def written(folder):
    return set(FILES.list_names(folder))


def test_stats(run, bucket, coco):
    annotations, images = coco
    code, _, err = run(
        "stats", annotations, "--images", images, "--json", f"{bucket}/s.json", "--out", f"{bucket}/charts",
        "--page", f"{bucket}/pages/s.html",
    )  # fmt: skip
    assert code == 0, err
    assert FILES.read_bytes(f"{bucket}/s.json").startswith(b"{")
    assert {"visibility.png", "crop-steps.jpg"} <= written(f"{bucket}/charts")
    assert "s.html" in written(f"{bucket}/pages")
    assert len(written(f"{bucket}/pages/s-pictures/0")) == 20  # of 12 people, 8 with heatmaps


def test_check_and_the_way_to_a_build(run, bucket, coco, tmp_path):
    annotations, images = coco
    code, _, err = run(
        "check", annotations, "--images", images, "--json", f"{bucket}/c.json", "--out", f"{bucket}/found",
        "--page", f"{bucket}/pages/c.html",
    )  # fmt: skip
    assert code == 0, err
    assert FILES.read_bytes(f"{bucket}/c.json").startswith(b"{")
    assert {"suspects.parquet", "exclude.txt"} <= written(f"{bucket}/found")
    assert "c.html" in written(f"{bucket}/pages")
    with FILES.create(f"{bucket}/found/exclude.txt") as stream:
        stream.write(b"102\n")
    code, said, err = run(
        "build", "--annotations", annotations, "--images", images, "--out", tmp_path / "out", "--dry-run",
        "--exclude", f"{bucket}/found/exclude.txt",
    )  # fmt: skip
    assert code == 0, err
    assert "excluded" in said


def test_leaks(run, bucket, coco, tmp_path):
    annotations, images = coco
    here = tmp_path / "coco/annotations/person_keypoints_train2017.json", tmp_path / "coco/train2017"
    code, _, err = run(
        "leaks", "--source", f"there={annotations},{images}", "--source", f"here={here[0]},{here[1]}",
        "--out", f"{bucket}/leaks", "--workers", 1,
    )  # fmt: skip
    assert code == 0, err
    assert {"leaks.parquet", "leaks.jpg"} <= written(f"{bucket}/leaks")
