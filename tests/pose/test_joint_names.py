"""What names of joints say."""

from __future__ import annotations

import pytest

from cocoprep.pose.joint_names import mirror_partners, name_key, side_of
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
        ([], ()),
    ],
)
def test_partners(names, partners):
    assert mirror_partners(names) == partners


@pytest.mark.parametrize("name", sorted(set(table_names()) - {"coco-wholebody-133"}))
def test_the_tables_partners_can_be_read_off_their_names(name):
    table = named_table(name)
    assert mirror_partners(table.names) == table.flip_index
