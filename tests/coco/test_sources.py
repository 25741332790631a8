"""Sources as they are named on a command line or in a file."""

import pytest

from cocoprep.coco.source_file import parse_source, parse_sources
from cocoprep.coco.sources import Source, check_sources
from cocoprep.errors import ConfigError
from cocoprep.storage.by_scheme import AnyFiles

FILES = AnyFiles()


def test_a_pair_of_paths():
    found = parse_source("lsp=a/b=c.json,gs://b/x", "train", FILES)
    assert found == Source(name="lsp", annotations="a/b=c.json", images="gs://b/x")


def test_a_folder_in_the_official_layout(tmp_path):
    (tmp_path / "train2017").mkdir()
    found = parse_source(f"coco={tmp_path}", "train2017", FILES)
    assert found.annotations == f"{tmp_path}/annotations/person_keypoints_train2017.json"
    assert found.images == f"{tmp_path}/train2017"


@pytest.mark.parametrize("text", ["coco", "=a,b", "a b=c,d", "coco=a,", "coco=,b", "-x=a,b", "x" * 41 + "=a,b"])
def test_what_names_no_source_is_refused(text):
    with pytest.raises(ConfigError, match="NAME=ANNOTATIONS,PHOTOGRAPHS"):
        parse_source(text, "train", FILES)


def test_a_folder_without_the_split_is_told_by_its_source(tmp_path):
    with pytest.raises(ConfigError, match=r"--source coco: .*found none. Say which split .* --source coco=ANNOTATIONS"):
        parse_source(f"coco={tmp_path}", "val2017", FILES)


def test_a_file_of_sources():
    text = b"""
[coco]
annotations = "a.json"
images = "/photographs"
[lsp]
annotations = "gs://bucket/l.json"
images = "images"
category = "athlete"
joints = { neck = "", nose = "head_top" }
visibility = { 3 = 1 }
weight = 0.5
"""
    coco, lsp = parse_sources(text, "sets/both.toml", FILES)
    assert coco == Source(name="coco", annotations="sets/a.json", images="/photographs")
    assert lsp.annotations == "gs://bucket/l.json"
    assert lsp.images == "sets/images"
    assert lsp.joints == {"neck": "", "nose": "head_top"}
    assert lsp.visibility == {3: 1}
    assert lsp.weight == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[a", "not TOML"),
        (b"\xff", "not TOML"),
        (b"a = 1", "'a' is no source"),
        (b"[a]\nimages = 'x'", "annotations"),
        (b"[a]\nannotations = 'x'\nimages = 'x'\nodd = 1", "odd"),
        (b"[a]\nannotations = 'x'\nimages = 'x'\nweight = 0", "weight of 'a': expected a number from"),
        (b"[a]\nannotations = 'x'\nimages = 'x'\nvisibility = {3 = 4}", "0, 1 or 2"),
        (b"[a]\nannotations = 'x'\nimages = 'x'\nvisibility = {x = 1}", "such as 3 = 1, found 'x' = 1"),
        (b"[a]\nannotations = 'x'\nimages = 'x'\nvisibility = {nan = 1}", "found 'nan' = 1"),
        (b"[a]\nannotations = 'x'\nimages = 'x'\nvisibility = {inf = 1}", "found 'inf' = 1"),
        (b"[a]\nannotations = 'x'\nimages = 'x'\nvisibility = {1_0 = 1}", "found '1_0' = 1"),
        (b"[a]\nannotations = 'x'\nimages = 'x'\nvisibility = {3 = 1, '3.0' = 2}", "found two for 3"),
    ],
)
def test_a_file_of_no_sources_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_sources(text, "both.toml", FILES)


@pytest.mark.parametrize("visibility", [{float("nan"): 1}, {float("inf"): 1}, {"3": 1}, {3: 4}])
def test_a_source_of_no_visibilities_is_refused(visibility):
    with pytest.raises(ConfigError, match=r"visibility.*: expected .* found"):
        Source(annotations="x", images="y", visibility=visibility)


def test_names_tell_sources_apart():
    one = Source(name="a", annotations="x", images="y")
    check_sources([one])
    for odd in ([], [one, one], [Source(name="a/b", annotations="x", images="y")]):
        with pytest.raises(ConfigError, match="--source"):
            check_sources(odd)
