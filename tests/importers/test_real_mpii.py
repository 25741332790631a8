"""MPII's own people and photographs, of MMPose's test data: converted, built, and where they should be."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep.shards.dataset import open_dataset

pytestmark = pytest.mark.usefixtures("without_engine")


def test_real_people_are_built_with_their_joints_in_place(run, skeletons, tmp_path):
    source = skeletons / "mpii/test_mpii.json"
    code, out, err = run("convert", source, "--from", "mpii", "--out", tmp_path / "coco")
    assert code == 0, err
    command = out.strip().splitlines()[-1].split()
    code, out, err = run(*command[1:], "--out", tmp_path / "shards", "--input-size", "128", "--shards", "2")
    assert code == 0, err
    assert "16, mpii-16" in out
    entries = json.loads(source.read_bytes())
    dataset = open_dataset(tmp_path / "shards")
    assert len(dataset) == len(entries) == 5
    for number, entry in enumerate(entries, 1):
        person = dataset.person(number)
        labelled = person["visibility"] > 0
        assert labelled.tolist() == [bool(flag) for flag in entry["joints_vis"]]
        inside = (person["keypoints"] >= 0).all(axis=1) & (person["keypoints"] < 128).all(axis=1)
        assert inside[labelled].all()
        x0, y0, w, h = person["crop_window"].astype(float)
        back = person["keypoints"] * np.array([w, h]) / 128 + np.array([x0, y0])
        # From MATLAB's pixel index to the point at the pixel's centre: less 1, and half a pixel.
        np.testing.assert_allclose(back[labelled], np.array(entry["joints"])[labelled] - 0.5, atol=1e-3)
