"""Joints from one to 133, of generated files, through every command."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from cocoprep import open_dataset
from tests.support.any_joints import TABLES, write
from tests.support.every_command import learn, look_at

UNIFORM = "OKS by one sigma for all joints, 0.067"


def joints_of(said):
    return open_dataset(said.folder).manifest.keypoints


@pytest.mark.usefixtures("without_engine")
@pytest.mark.parametrize("name", ["tip-1", "coco-wholebody-133"])
def test_the_fewest_and_the_most_joints_without_a_network(name, run, tmp_path):
    table = TABLES[name]
    said = look_at(run, tmp_path, **write(tmp_path / "coco", table, 7))
    assert joints_of(said).names == table.names
    assert f"{len(table)}, {table.name}" in said.text["build"]
    for command in ("build", "info"):
        assert (UNIFORM in said.text[command]) == (name == "tip-1")
    assert ("nothing is mirrored" in said.text["augment"]) == (name == "tip-1")


TABLE_NAMES = ["tip-1", "coco-wholebody-133", "bird-5", "crowdpose-14", "mpii-16", "ap10k-17", "hand-21"]


@pytest.mark.long
@pytest.mark.parametrize("name", TABLE_NAMES)
def test_any_number_of_joints_goes_through_every_command(name, run, tmp_path):
    table = TABLES[name]
    inputs = write(tmp_path / "coco", table, 7)
    said = learn(run, look_at(run, tmp_path, **inputs), **inputs)
    assert joints_of(said).names == table.names

    figures = said.figures
    assert list(figures["end_point_error"]["per_joint"]) == list(table.names)
    assert list(figures["confidence"]["per_joint"]) == list(table.names)
    assert figures["oks"].keys() == {"AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl"}

    assert {(line["category_id"], len(line["keypoints"])) for line in said.results} == {(7, 3 * len(table))}
    assert np.isfinite([line["keypoints"] for line in said.results]).all()
    metadata = json.loads((said.run_dir / "export" / "network.keras.json").read_text())
    assert metadata["joints"] == list(table.names)

    if table.category != "person":
        shown = [
            *said.text.items(),
            ("report", re.sub(r"<style>.*?</style>|base64,[^\"]*", "", said.report, flags=re.S)),
        ]
        annotators = "people themselves|people place"
        for command, text in shown:
            rest = re.sub(f"{re.escape(str(tmp_path))}|person_keypoints|{annotators}", "", text)
            assert not re.findall(r"(?i)(?<![-\w\"])(?:people|persons?)(?![-\w\"])", rest), (command, text)
        assert f"8 {table.noun.many}" in said.text["evaluate"]

    flipped = run("evaluate", "--data", said.folder, "--run", said.run_dir, "--flip-test")[2]
    assert ("no joints are each other's in a mirror" in flipped) == (not table.has_pairs)

    is_uniform, has_pairs = table.uniform_sigma is not None, table.has_pairs
    for command in ("build", "train", "evaluate"):
        assert (UNIFORM in said.text[command]) == is_uniform, command
    assert (UNIFORM in said.report) == is_uniform
    assert figures.get("oks_sigma_of_all_joints") == table.uniform_sigma
    assert said.text["train"].count("nothing is mirrored") == (not has_pairs)
