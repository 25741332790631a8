"""`cocoprep keypoints`, and `build --keypoints`."""

from __future__ import annotations

import pytest

from cocoprep.cli.keypoints import open_table
from cocoprep.errors import ConfigError
from cocoprep.pose.tables import COCO_17, named_table, parse_table, table_names
from cocoprep.storage.local import LocalFiles


def test_the_tables_are_listed(run):
    code, out, err = run("keypoints")
    assert (code, err) == (0, "")
    assert all(name in out for name in table_names())
    assert "133" in out


@pytest.mark.parametrize("name", table_names())
def test_what_is_printed_is_a_table_with_its_sources(name, run, tmp_path):
    code, out, _ = run("keypoints", name)
    assert code == 0
    assert "http" in out
    (tmp_path / "mine.toml").write_text(out)
    assert open_table(str(tmp_path / "mine.toml"), LocalFiles()) == named_table(name)


def test_there_is_no_such_table(run):
    code, out, err = run("keypoints", "coco-18")
    assert (code, out) == (1, "")
    assert "expected one of aic-14, " in err


GOOD = """name = "t"
joints = [
  {name = "a", sigma = 0.1}, {name = "b", mirror = "c", sigma = 0.1}, {name = "c", mirror = "b", sigma = 0.1}]
"""


def test_a_small_table():
    table = parse_table(GOOD.encode(), "t.toml")
    assert (table.names, table.flip_index, table.limbs, table.category) == (("a", "b", "c"), (0, 2, 1), (), "person")
    assert table.sides == ("centre", "left", "right")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a keypoint table .*`cocoprep keypoints coco-17` prints one"),
        ("name = ", "not TOML"),
        ("x = " + "[" * 10_000, "not TOML"),
        ('name = "t"\njoints = []', "expected 1 to 1000, found 0"),
        (GOOD.replace('"b", mirror', '"a", mirror'), "expected names .* each once, found 'a'"),
        (
            GOOD.replace('mirror = "b"', 'mirror = "a"'),
            "'b' has the mirror 'c', which is not in the table or has another",
        ),
        (GOOD.replace('mirror = "b"', 'mirror = "z"'), "has the mirror"),
        (GOOD.replace("0.1}]", "1.5}]"), "expected sigmas between 0 and 1, found 1.5 of 'c'"),
        (GOOD.replace("0.1}]", "nan}]"), "expected sigmas between 0 and 1, found nan"),
        (GOOD + 'limbs = [["a", "z"]]', r"limbs: expected names of joints, two each, found \('a', 'z'\)"),
        (GOOD + 'limbs = [["a", ""]]', r"limbs: expected names of joints, two each, found \('a', ''\)"),
        ("sigma = " + "9" * 5000, "not TOML"),
        (GOOD + 'limbs = [["a", "a"]]', r"limbs: expected names of joints, two each, found \('a', 'a'\)"),
        (GOOD + 'head = ["z"]', r"head: expected names of joints, found \('z',\)"),
        (GOOD + "sigma = 1", "unknown field"),
    ],
)
def test_what_is_no_table_is_told(text, says):
    with pytest.raises(ConfigError, match=rf"^t\.toml: .*{says}"):
        parse_table(text.encode(), "t.toml")


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(
        ConfigError, match=r"--keypoints: .*: expected a TOML file of joints, found nothing. Give one of aic-14"
    ):
        open_table(str(tmp_path / "x.toml"), LocalFiles())


def test_coco_is_what_it_always_was():
    assert COCO_17.names[:3] == ("nose", "left_eye", "right_eye")
    assert COCO_17.skeleton[0] == [16, 14]
