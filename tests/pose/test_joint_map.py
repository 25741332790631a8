"""Joints of one table found in another."""

import numpy as np
import pytest

from cocoprep.errors import ConfigError
from cocoprep.pose.joint_map import map_joints, subset_table
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import named_table, table_names

COCO, LSP, MPII, CROWD = map(named_table, ("coco-17", "lsp-14", "mpii-16", "crowdpose-14"))
BODY = {
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
}


def table(*names, **synonyms):
    return KeypointTable("t", tuple(Joint(n, n, 0.05, tuple(synonyms.get(n, ()))) for n in names), ())


@pytest.mark.parametrize("source", [LSP, MPII, CROWD])
def test_the_body_is_shared_by_all(source):
    found = map_joints(source, COCO)
    assert {COCO.names[k] for k in found.shared} == BODY
    assert set(found.lacking) == set(COCO.names) - BODY
    assert set(found.left_out) == set(source.names) - BODY
    for k, place in enumerate(found.places):
        assert place is None or source.names[place] == COCO.names[k]


@pytest.mark.parametrize("name", table_names())
def test_a_table_is_itself(name):
    one = named_table(name)
    assert map_joints(one, one).is_identity


def test_values_move_with_their_joints():
    values = np.arange(2 * 14 * 3, dtype=np.float32).reshape(2, 14, 3) + 1
    moved = map_joints(LSP, COCO).apply(values)
    assert moved.shape == (2, 17, 3)
    assert moved.dtype == np.float32
    knee = COCO.names.index("left_knee")
    np.testing.assert_array_equal(moved[:, knee], values[:, LSP.names.index("left_knee")])
    assert not moved[:, COCO.names.index("nose")].any()


def test_synonyms_of_either_table_count_where_only_one_pair_is():
    found = map_joints(table("top_head", "neck"), table("head", "throat", head=["top_head"], throat=["neck"]))
    assert found.places == (0, 1)
    assert found.near == (True, True)
    assert "top_head as head" in found.sentence
    both = map_joints(table("a", "b", a=["x"], b=["x"]), table("x", "b"))
    assert both.places == (0, 1)  # `b` is taken by its own name, which leaves `a` alone
    with pytest.raises(ConfigError, match="no joint in common"):
        map_joints(table("a", "b", a=["x"], b=["x"]), table("x"))


def test_what_a_user_says_comes_first():
    found = map_joints(MPII, LSP, {"neck": "upper_neck", "head_top": ""})
    assert MPII.names[found.places[LSP.names.index("neck")]] == "upper_neck"
    assert found.places[LSP.names.index("head_top")] is None
    assert "upper_neck as neck" in found.sentence
    assert "without head_top" in found.sentence


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"throat": "neck"}, "expected a joint of lsp-14"),
        ({"neck": "throat"}, "expected a joint of mpii-16"),
        ({"neck": "upper_neck", "head_top": "upper_neck"}, "two joints"),
    ],
)
def test_what_cannot_be_is_refused(said, message):
    with pytest.raises(ConfigError, match=message):
        map_joints(MPII, LSP, said)


def test_some_joints_make_a_table():
    shared = map_joints(LSP, COCO).shared
    some = subset_table(COCO, shared, "body-12")
    assert set(some.names) == BODY
    assert some.flip_index == tuple(k + 1 - 2 * (k % 2) for k in range(12))
    assert some.torso == COCO.torso
    assert some.head == ()
    np.testing.assert_array_equal(some.oks_sigmas, COCO.oks_sigmas[list(shared)])
    alone = subset_table(COCO, (COCO.names.index("left_knee"),), "knee")
    assert alone.flip_index == (0,)
    assert alone.limbs == ()
