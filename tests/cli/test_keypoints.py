"""`cocoprep keypoints`, and `build --keypoints`."""

from __future__ import annotations

import pytest

from cocoprep.cli.keypoints import open_table
from cocoprep.errors import ConfigError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.table_text import table_toml
from cocoprep.pose.tables import COCO_17, named_table, parse_table, table_names
from cocoprep.storage.local import LocalFiles
from tests.support.any_joints import FIVE, write
from tests.support.building import build_folder


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


def test_a_table_written_from_a_file_builds_the_same(run, tmp_path):
    inputs = write(tmp_path / "coco", FIVE, 7)
    annotations = str(inputs["annotations"])
    code, out, err = run("keypoints", "--from", annotations)
    assert (code, err) == (0, "")
    assert f"# The 5 joints of 'bird' in {annotations}, as cocoprep found them." in out
    assert "# - mirror partners by their names: L Wing - R Wing; without one: " in out
    assert "# - OKS by one sigma for all joints, 0.067" in out
    (tmp_path / "mine.toml").write_text(out)
    mine = open_table(str(tmp_path / "mine.toml"), LocalFiles())
    crop = CropConfig(input_size=(64, 64))
    plain = build_folder(tmp_path / "plain", **inputs, crop=crop)
    again = build_folder(tmp_path / "again", **inputs, crop=crop, table=mine)
    assert plain.keypoints == again.keypoints
    assert [shard.sha256 for shard in plain.shards] == [shard.sha256 for shard in again.shards]
    assert plain.fingerprint == again.fingerprint


def test_a_table_written_from_a_file_in_another_order_is_the_known_one(run, tmp_path):
    known = named_table("mpii-16")
    turned = KeypointTable("turned", known.joints[::-1], known.limbs)
    annotations = write(tmp_path / "coco", turned)["annotations"]
    code, out, _ = run("keypoints", "--from", annotations, "--category", "person")
    assert code == 0
    assert "joints are mpii-16's in another order" in out
    assert parse_table(out.encode(), "out") == known


NASTY = ['a"b', "back\\slash", "new\nline", "\x1b[2J", "\x7f", "\u202eright", "\U000e0001tag", "\u624b", "#", "'"]


def test_names_of_strangers_are_written_so_that_they_are_read_back():
    joints = tuple(Joint(name, name, 0.1 + k / 100, (name + "!",)) for k, name in enumerate(NASTY))
    table = KeypointTable("\n", joints, ((NASTY[0], NASTY[3]),), (NASTY[1],), ((NASTY[2], NASTY[4]),), "\t")
    text = table_toml(table, ["of\nsomebody"])
    assert all(line.isprintable() for line in text.splitlines())
    assert parse_table(text.encode(), "t.toml") == table


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["coco-17", "--from", "a.json"], "--from: expected a table's name or an annotation file, found both"),
        (["--category", "dog"], "--category: is of the annotation file that --from names"),
        (["--from", "none.json"], "--from: none.json: expected a COCO keypoints file, found nothing"),
    ],
)
def test_what_cannot_be_written_from_is_told(arguments, says, run):
    code, out, err = run("keypoints", *arguments)
    assert (code, out) == (1, "")
    assert says in err


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
        (GOOD.replace('"t"', f'"{"t" * 101}"'), "expected names of 1 to 100 characters, .* found 'tttt"),
        (GOOD.replace('"a"', '""'), "expected names of 1 to 100 characters, .* found ''"),
        (GOOD + f'category = "{"c" * 101}"', "expected names of 1 to 100 characters, .* found 'cccc"),
        (GOOD.replace('"b", mirror', '"a", mirror'), "expected names .* each once, found 'a'"),
        (
            GOOD.replace('mirror = "b"', 'mirror = "a"'),
            "'b' has the mirror 'c', which is not in the table or has another",
        ),
        (GOOD.replace('mirror = "b"', 'mirror = "z"'), "has the mirror"),
        (GOOD.replace("0.1}]", "1.5}]"), "expected sigmas between 0 and 1, found 1.5 of 'c'"),
        (GOOD.replace("0.1}]", "1e-320}]"), "expected sigmas between 0 and 1, found 1e-320"),
        (GOOD.replace("0.1}]", "nan}]"), "expected sigmas between 0 and 1, found nan"),
        (GOOD + 'limbs = [["a", "z"]]', r"limbs: expected names of joints, two each, found \('a', 'z'\)"),
        (GOOD + 'limbs = [["a", ""]]', r"limbs: expected names of joints, two each, found \('a', ''\)"),
        ("sigma = " + "9" * 5000, "not TOML"),
        (GOOD + 'limbs = [["a", "a"]]', r"limbs: expected names of joints, two each, found \('a', 'a'\)"),
        (GOOD + 'head = ["z"]', r"head: expected names of joints, found \('z',\)"),
        (GOOD + 'head = ["a", "b", "a"]', "head: expected names of joints, each once, found 'a' more than once"),
        (GOOD.replace('"a",', '"a", mirror = "",'), "'a' has the mirror '', which is not in the table"),
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
