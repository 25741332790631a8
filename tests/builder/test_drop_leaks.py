"""A build without the photographs that another data set has too."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.building import keypoints, write_coco

pytestmark = pytest.mark.usefixtures("without_engine")

FILES = LocalFiles()


def _picture(seed):
    rough = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8))
    return rough.resize((240, 180), Image.Resampling.BICUBIC)


@pytest.fixture
def sets(tmp_path):
    """Three photographs to train on, of which one is there for validation too."""
    entries = [{"id": n, "image_id": n, "keypoints": keypoints(nose=(40, 40, 2))} for n in (1, 2, 3)]
    for split, seeds in (("train", (1, 2, 3)), ("val", (7, 8, 9))):
        write_coco(
            tmp_path, {n: _picture(seed) for n, seed in zip((1, 2, 3), seeds, strict=True)}, entries, split=split
        )
    shutil.copy(tmp_path / "val/000000000002.jpg", tmp_path / "train/000000000003.jpg")
    return tmp_path


def _named(folder, split):
    return f"{split}={folder}/annotations/person_keypoints_{split}.json,{folder}/{split}"


def _leaks(run, folder):
    code, out, err = run(
        "leaks", "--source", _named(folder, "val"), "--source", _named(folder, "train"), "--out", folder / "leaks"
    )
    assert code == 0, out + err
    return folder / "leaks/leaks.parquet"


def _lines(folder):
    return {line["source_id"]: (line["reason"], line["detail"]) for line in read_ledger(str(folder), FILES).to_pylist()}


def test_a_build_of_one_drops_its_own(run, sets):
    found = _leaks(run, sets)
    built = sets / "out"
    code, out, err = run(
        "build", "--data-dir", sets, "--split", "train", "--out", built, "--drop-leaks", found, "--input-size", 64
    )
    assert code == 0, out + err
    assert read_manifest(str(built), FILES).counts.dropped["leak"] == 1
    listed = read_ground_truth(str(built), FILES)
    assert {image["id"] for image in listed["images"]} == {one["image_id"] for one in listed["annotations"]} == {1, 2}
    assert _lines(built)["3"] == ("leak", "same file: '000000000002.jpg' of val")


def test_of_several_sources_the_first_keeps_it(run, sets):
    found = _leaks(run, sets)
    built = sets / "out"
    named = [part for split in ("train", "val") for part in ("--source", _named(sets, split))]
    code, out, err = run("build", *named, "--split", "both", "--out", built, "--drop-leaks", found, "--input-size", 64)
    assert code == 0, out + err
    train, val = read_manifest(str(built), FILES).sources
    assert (train.people, train.dropped["leak"]) == (2, 1)
    assert (val.people, val.dropped["leak"]) == (3, 0)


def test_a_list_of_other_data_is_refused(run, sets, tmp_path_factory):
    found = _leaks(run, sets)
    other = tmp_path_factory.mktemp("other")
    write_coco(
        other, {1: _picture(1)}, [{"id": 1, "image_id": 1, "keypoints": keypoints(nose=(40, 40, 2))}], split="train"
    )
    code, _, err = run("build", "--data-dir", other, "--split", "train", "--out", other / "out", "--drop-leaks", found)
    assert code == 1
    assert "--drop-leaks" in err
    assert "Run `cocoprep leaks`" in err
    assert not (other / "out").exists()


def test_no_list_is_refused(run, sets):
    code, _, err = run(
        "build", "--data-dir", sets, "--split", "train", "--out", sets / "out", "--drop-leaks", sets / "no"
    )
    assert code == 1
    assert "expected the leaks.parquet" in err
