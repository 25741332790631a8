"""The state of a sample's folder, looked at from outside."""

from __future__ import annotations

import pytest

from cocoprep.errors import ConfigError, OutputError
from cocoprep.sample.state import (
    IDS_PER_IMAGE,
    MARKER,
    MAX_IMAGES,
    PROGRESS,
    SPLITS,
    SamplePlan,
    annotation_path,
    encode_json,
    image_id,
    image_path,
    is_whole,
    read_marker,
    read_progress,
    write_whole,
)

PLAN = SamplePlan(images=3, seed=0, val_fraction=0.4)


@pytest.mark.parametrize(
    ("images", "val_fraction", "counts"),
    [(3, 0.4, (3, 1)), (10, 0.25, (10, 2)), (10, 0.0, (10, 1)), (1, 1.0, (1, 1)), (200, 0.05, (200, 10))],
)
def test_a_plan_has_at_least_one_image_a_split(images, val_fraction, counts):
    plan = SamplePlan(images, 0, val_fraction)
    assert tuple(map(plan.count, SPLITS)) == counts
    pictures = list(plan.pictures())
    assert pictures == [(split, n) for split, count in zip(SPLITS, counts, strict=True) for n in range(count)]


@pytest.mark.parametrize("wrong", [{"images": 0}, {"images": MAX_IMAGES + 1}, {"seed": -1}, {"val_fraction": 1.01}])
def test_a_plan_that_cannot_be_is_refused(wrong):
    option = next(iter(wrong)).replace("_", "-")
    with pytest.raises(ConfigError, match=f"^--{option}: expected a .*number from "):
        SamplePlan(**{**PLAN.record(), **wrong})


def test_no_two_images_of_the_largest_sample_share_an_id():
    assert image_id("train2017", MAX_IMAGES - 1) < image_id("val2017", 0)
    last = image_id("val2017", MAX_IMAGES - 1)
    assert len(f"{last * IDS_PER_IMAGE:012d}") == 12, "the file names keep their length"


def test_files_are_named_as_cocos(tmp_path):
    assert image_path(tmp_path, "train2017", 0) == tmp_path / "train2017" / "000000000001.jpg"
    assert annotation_path(tmp_path, "val2017") == tmp_path / "annotations" / "person_keypoints_val2017.json"


def mark(folder, **changes):
    write_whole(folder / MARKER, encode_json({"plan": {**PLAN.record(), **changes}, "done": True}))


def test_an_empty_folder_and_one_with_a_markers_beginning_have_no_marker(tmp_path):
    assert read_marker(tmp_path, PLAN) is None
    (tmp_path / f".{MARKER}.tmp").write_bytes(b'{"plan')
    assert read_marker(tmp_path, PLAN) is None
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OutputError, match=r"holds files that are no cocoprep sample \(it has no sample\.json\)"):
        read_marker(tmp_path, PLAN)


def test_the_marker_of_the_same_plan_is_returned_and_another_refused(tmp_path):
    mark(tmp_path)
    assert read_marker(tmp_path, PLAN)["done"] is True
    for change in ({"seed": 1}, {"images": 4}, {"val_fraction": 0.5}, {"revision": PLAN.revision + 1}):
        mark(tmp_path, **change)
        with pytest.raises(OutputError, match="holds another sample, expected"):
            read_marker(tmp_path, PLAN)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"3", b"\xff"])
def test_a_damaged_marker_is_told(tmp_path, content):
    (tmp_path / MARKER).write_bytes(content)
    with pytest.raises(OutputError, match=r"sample\.json: not a marker of a cocoprep sample"):
        read_marker(tmp_path, PLAN)


@pytest.fixture
def whole(tmp_path):
    """Return a folder with every file of the plan, empty ones."""
    for split in SPLITS:
        for path in (annotation_path(tmp_path, split), *(image_path(tmp_path, split, n) for n in range(3))):
            path.parent.mkdir(exist_ok=True)
            path.touch()
    return tmp_path


def test_a_sample_is_whole_with_every_file_and_not_without_one(whole):
    assert is_whole(whole, PLAN)
    needed = [annotation_path(whole, split) for split in SPLITS] + [image_path(whole, *one) for one in PLAN.pictures()]
    assert len(needed) == 2 + 3 + 1
    for path in needed:
        path.unlink()
        assert not is_whole(whole, PLAN), path
        path.touch()
    image_path(whole, "val2017", 2).unlink()  # more than the plan has
    assert is_whole(whole, PLAN)


def line(split: str, index: int) -> bytes:
    return encode_json({"split": split, "image": {"id": image_id(split, index)}, "annotations": []})


@pytest.mark.parametrize(
    ("written", "done"),
    [
        (b"", []),
        (line("train2017", 0) + line("val2017", 0), [("train2017", 0), ("val2017", 0)]),
        (line("train2017", 1) + line("train2017", 0)[:-9], [("train2017", 1)]),  # the last line is cut short
        (line("train2017", 7) + line("train2017", 0), [("train2017", 0)]),  # a picture that is gone is drawn again
        (b"{}\n" + line("train2017", 0), []),
        (b'{"split": "test2017", "image": {"id": 1}}\n', []),
    ],
)
def test_progress_is_what_was_written_whole_and_is_still_there(whole, written, done):
    (whole / PROGRESS).write_bytes(written)
    assert list(read_progress(whole)) == done


def test_without_a_progress_file_nothing_is_done(tmp_path):
    assert read_progress(tmp_path) == {}
