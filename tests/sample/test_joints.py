"""The sample under other tables: the same people, labelled where those tables have joints."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep.errors import ConfigError, OutputError
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17, named_table, table_names
from cocoprep.sample import write_sample
from cocoprep.sample.joints import figure_joints, joint_points
from cocoprep.sample.pose import random_pose
from cocoprep.sample.skeleton import pose_skeleton, random_body

DRAWN = ["aic-14", "coco-17", "crowdpose-14", "humanart-21", "lsp-14", "mpii-16", "posetrack-17"]


def posed(name, seed):
    """Return the points of a table's joints on a random figure, by name, and the length of its head."""
    table, rng = named_table(name), np.random.default_rng(seed)
    body = random_body(rng)
    points = joint_points(figure_joints(table), pose_skeleton(random_pose(rng), body), body)
    return dict(zip(table.names, points, strict=True)), body


@pytest.mark.parametrize("name", table_names())
def test_the_tables_that_can_be_drawn(name):
    if name in DRAWN:
        assert len(figure_joints(named_table(name))) == len(named_table(name))
        return
    with pytest.raises(ConfigError, match=rf"joints of {name} are none of .* Expected one of {', '.join(DRAWN)}"):
        figure_joints(named_table(name))


def test_a_pairs_joint_without_a_side_is_none_of_the_figures():
    with pytest.raises(ConfigError, match="1 of the 2 joints of t are none of the drawn figure's, such as 'eye'"):
        figure_joints(KeypointTable("t", (Joint("nose", "nose", 0.1), Joint("eye", "eye", 0.1)), ()))


@pytest.mark.parametrize("seed", range(20))
def test_joints_lie_where_a_body_has_them(seed):
    mpii, body = posed("mpii-16", seed)
    coco, _ = posed("coco-17", seed)
    assert all((mpii[name] == coco[name]).all() for name in mpii.keys() & coco.keys())
    between = {"pelvis": "hip", "thorax": "shoulder"}
    for name, pair in between.items():
        middle = (mpii[f"left_{pair}"] + mpii[f"right_{pair}"]) / 2
        assert np.linalg.norm(mpii[name] - middle) < 0.05
    assert np.linalg.norm(mpii["upper_neck"] - mpii["thorax"]) == pytest.approx(body.neck, abs=0.02)
    ears = (coco["left_ear"] + coco["right_ear"]) / 2
    up = mpii["head_top"] - ears
    assert np.linalg.norm(up) == pytest.approx(0.53 * body.head, abs=0.02)
    assert up @ (ears - mpii["upper_neck"]) > 0  # it is the far end of the head, seen from the neck


def test_a_sample_of_another_table_is_in_cocos_layout(tmp_path):
    table = named_table("mpii-16")
    write_sample(tmp_path / "mpii", images=4, table=table)
    write_sample(tmp_path / "coco", images=4)
    ours, theirs = (
        json.loads((tmp_path / name / "annotations" / "person_keypoints_train2017.json").read_text())
        for name in ("mpii", "coco")
    )
    assert ours["categories"] == [
        {**theirs["categories"][0], "keypoints": list(table.names), "skeleton": table.skeleton}
    ]
    assert ours["images"] == theirs["images"]
    assert [a["bbox"] for a in ours["annotations"]] == [a["bbox"] for a in theirs["annotations"]]
    assert {len(a["keypoints"]) for a in ours["annotations"]} == {48}
    labelled = np.array([a["keypoints"] for a in ours["annotations"]]).reshape(-1, 16, 3)[..., 2] > 0
    assert labelled.any(axis=0).all()


def test_a_sample_is_not_finished_under_another_table(tmp_path):
    write_sample(tmp_path, images=1, table=named_table("lsp-14"))
    assert write_sample(tmp_path, images=1, table=named_table("lsp-14")).drawn == 0
    for other in (named_table("mpii-16"), COCO_17):
        with pytest.raises(OutputError, match="holds another sample"):
            write_sample(tmp_path, images=1, table=other)


def test_by_the_command(run, tmp_path):
    code, _, err = run("sample", tmp_path / "a", "--images", 1, "--keypoints", "hand-21")
    assert code == 1
    assert "--keypoints: 21 of the 21 joints of hand-21 are none of the drawn figure's" in err
    assert not (tmp_path / "a").exists()
    code, out, _ = run("sample", tmp_path / "a", "--images", 1, "--workers", 1, "--keypoints", "posetrack-17")
    assert (code, "1 images for training" in out) == (0, True)
