"""What names of joints say."""

from __future__ import annotations

import pytest

from cocoprep.pose.joint_names import mirror_partners, name_key, read_pair, side_of
from cocoprep.pose.tables import named_table, table_names


@pytest.mark.parametrize(
    "name",
    [
        "left_eye",
        "left eye",
        "Left-Eye",
        "LEFT_EYE",
        "leftEye",
        "LeftEye",
        "l_eye",
        "L_Eye",
        "L-eye",
        "LEye",
        "eye_left",
        "eye.L",
    ],
)
def test_one_joint_in_many_spellings(name):
    assert name_key(name) == ("left", "eye")


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("right_big_toe", "right"), ("R_F_Paw", "right"), ("nose", "centre"), ("left", "centre"), ("l", "centre"),
        ("lip", "centre"), ("rib", "centre"), ("left_to_right", "centre"), ("medial_left_bow", "left"),
        ("the_l_wing", "centre"), ("far_left_right_eye", "centre"), ("thumb1", "centre"), ("", "centre"),
        ("\u5de6\u76ee", "centre"),
    ],
)  # fmt: skip
def test_sides(name, side):
    assert side_of(name) == side


@pytest.mark.parametrize(
    ("names", "partners"),
    [
        (["nose", "left_eye", "right_eye"], (0, 2, 1)),
        (["R_Wing", "tail", "L_Wing"], (2, 1, 0)),
        (["left_eye", "nose"], (0, 1)),
        (["left_eye", "l_eye", "right_eye"], (0, 1, 2)),  # which of the two?
        (["a", "b"], (0, 1)),
        (["righteye", "nose", "lefteye"], (2, 1, 0)),
        (["EYELEFT", "EYERIGHT"], (1, 0)),
        (["lt_eye", "rt_eye", "eye Lt", "eye Rt", "LtEar", "RtEar"], (1, 0, 3, 2, 5, 4)),
        (["handL_1", "handR_1", "handL_2", "handR_2"], (1, 0, 3, 2)),
        (["top", "left", "bottom", "right"], (0, 3, 2, 1)),
        (["inner_lefteye", "inner_righteye", "lefteye_inner", "righteye_inner"], (1, 0, 3, 2)),
        (["lefteye", "righteyes"], (0, 1)),
        (["lefteye", "eyeright"], (0, 1)),
        (["lefteye", "LEFTEYE", "righteye"], (0, 1, 2)),  # whose is the last?
        (["leftright", "rightright", "left_to_right", "right_to_right"], (0, 1, 2, 3)),
        (["rear", "lear", "reye", "leye", "eyel", "eyer", "toel", "toer"], (0, 1, 2, 3, 4, 5, 6, 7)),
        (["l", "m", "r", "lt", "rt", "L", "R"], (0, 1, 2, 3, 4, 5, 6)),
        (["alert", "aleft", "bright", "height", "heleft"], (0, 1, 2, 3, 4)),
        ([], ()),
    ],
)
def test_partners(names, partners):
    assert mirror_partners(names) == partners


@pytest.mark.parametrize(
    ("one", "other", "read"),
    [
        ("left_eye", "right_eye", ("left", "eye")),
        ("R Eye", "leftEye", ("right", "eye")),
        ("righteye", "lefteye", ("right", "eye")),
        ("handR_1", "handL_1", ("right", "hand_1")),
        ("port", "starboard", ("left", "port")),  # a table's own word for it
        ("right_fin", "tail", ("right", "tail")),
        ("right", "left", ("right", "side")),
    ],
)
def test_what_two_partners_say(one, other, read):
    assert read_pair(one, other) == read


@pytest.mark.parametrize("name", sorted(set(table_names()) - {"coco-wholebody-133"}))
def test_the_tables_partners_can_be_read_off_their_names(name):
    table = named_table(name)
    assert mirror_partners(table.names) == table.flip_index
