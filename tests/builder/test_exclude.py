"""A build without the annotations that a list names."""

from __future__ import annotations

import pytest
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.coco.sources import Source
from cocoprep.errors import ConfigError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder, keypoints, write_coco

pytestmark = pytest.mark.usefixtures("without_engine")

FILES = LocalFiles()
ONE = keypoints(nose=(20, 20, 2), left_ear=(30, 20, 2))
FEW = keypoints(nose=(20, 20, 2))


@pytest.fixture
def coco(tmp_path):
    entries = [
        {"id": 1, "image_id": 1, "keypoints": ONE}, {"id": 2, "image_id": 1, "keypoints": ONE},
        {"id": 3, "image_id": 2, "keypoints": FEW}, {"id": "four", "image_id": 2, "keypoints": ONE},
        {"id": 5, "image_id": 2},
    ]  # fmt: skip
    pictures = {1: Image.new("RGB", (64, 64)), 2: Image.new("RGB", (64, 64))}
    return write_coco(tmp_path / "coco", pictures, entries)


def build(folder, lines, **data):
    listed = folder / "exclude.txt"
    listed.write_text(lines)
    return build_folder(
        folder / "out", **data, crop=CropConfig(input_size=(32, 32)), select=SelectConfig(shards=1, min_keypoints=2),
        exclude=listed,
    )  # fmt: skip


def test_they_are_dropped_and_do_not_count_in_the_truth(tmp_path, coco):
    lines = "2\t000000000001.jpg\tlimb\n3\nfour\n5\n"
    made = build(tmp_path, lines, annotations=coco[0], images=coco[1])
    folder = str(tmp_path / "out")
    lines = read_ledger(folder, FILES).to_pylist()
    assert {line["source_id"]: (line["reason"], line["detail"]) for line in lines} == {
        "1": (None, ""), "2": ("excluded", "limb"), "3": ("excluded", "listed"), "four": ("excluded", "listed"),
        "5": ("zero_keypoints", ""),
    }  # fmt: skip
    assert (made.counts.people, made.counts.dropped["excluded"]) == (1, 3)
    truth = read_ground_truth(folder, FILES)
    assert sorted((one["image_id"], one["num_keypoints"]) for one in truth["annotations"]) == [
        (1, 0), (1, 2), (2, 0), (2, 0), (2, 0)
    ]  # fmt: skip
    assert all(any(one["keypoints"]) == bool(one["num_keypoints"]) for one in truth["annotations"])
    assert all(one["bbox"] == [0, 0, 64, 64] for one in truth["annotations"])
    assert not verify_folder(folder, FILES, workers=1).problems


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("1\n77\n", r"1 of 2 are not there, or on other photographs \(line 2: '77'\)"),
        ("2\tother.jpg\n", r"1 of 1 are not there, or on other photographs \(line 1: '2'\)"),
    ],
)
def test_a_list_of_other_data_is_refused(tmp_path, coco, lines, says):
    with pytest.raises(ConfigError, match=rf"{says}.*Run `cocoprep check` again"):
        build(tmp_path, lines, annotations=coco[0], images=coco[1])
    assert not (tmp_path / "out").exists()


def test_of_several_sources_by_name(tmp_path, coco):
    sources = [Source(name=name, annotations=str(coco[0]), images=str(coco[1])) for name in "ab"]
    build(tmp_path, "a/1\nb/four\n", sources=sources)
    lines = read_ledger(str(tmp_path / "out"), FILES).to_pylist()
    left = {(line["source"], line["source_id"]) for line in lines if line["reason"] == "excluded"}
    assert left == {("a", "1"), ("b", "four")}
    with pytest.raises(ConfigError, match="line 1: expected NAME/ID with one of a, b"):
        build(tmp_path, "1\n", sources=sources)


def test_the_command_takes_it(run, tmp_path, coco):
    (tmp_path / "exclude.txt").write_text("1\n")
    code, out, err = run(
        "build", "--annotations", coco[0], "--images", coco[1], "--split", "x", "--out", tmp_path / "out",
        "--exclude", tmp_path / "exclude.txt", "--dry-run",
    )  # fmt: skip
    assert code == 0, err
    assert "excluded" in out
