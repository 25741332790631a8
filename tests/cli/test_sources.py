"""`--source`: data sets as they are named on a command line."""

from __future__ import annotations

import pytest

from cocoprep.cli.sources import open_sources
from cocoprep.errors import ConfigError
from cocoprep.storage.by_scheme import AnyFiles

FILES = AnyFiles()


@pytest.fixture
def coco(tmp_path):
    for split in ("train2017", "val2017"):
        (tmp_path / split).mkdir()
    return tmp_path


def test_they_keep_their_order(coco):
    (coco / "more.toml").write_text("[b]\nannotations='b.json'\nimages='b'\n[a]\nannotations='a.json'\nimages='a'\n")
    found = open_sources([f"coco={coco}", f"{coco}/more.toml", "lsp=l.json,l.zip"], "val2017", FILES)
    assert [source.name for source in found] == ["coco", "b", "a", "lsp"]
    assert found[0].images == f"{coco}/val2017"
    assert found[1].annotations == f"{coco}/b.json"


def test_without_a_split_each_has_that_of_its_name(coco):
    found = open_sources([f"{split}={coco}" for split in ("val2017", "train2017")], None, FILES)
    assert [source.images for source in found] == [f"{coco}/val2017", f"{coco}/train2017"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "1 to 100 sources, found 0"),
        (["a=x.json,y", "a=z.json,y"], r"each name once, found \['a', 'a'\]"),
        (["gone.toml"], "gone.toml: expected a .toml file of data sets, found nothing"),
        (["x"], "expected NAME=FOLDER"),
        (["a=s3://bucket/x.json,y"], "expected a path of this machine"),
        (["a=x.json,http://host/y"], "expected a path of this machine"),
    ],
)
def test_what_cannot_be_is_told(texts, message):
    with pytest.raises(ConfigError, match=message):
        open_sources(texts, "train2017", FILES)


def test_an_annotation_file_alone_is_no_source(coco):
    alone = f"x={coco}/annotations/person_keypoints_val2017.json"
    (coco / "annotations").mkdir(exist_ok=True)
    (coco / "annotations" / "person_keypoints_val2017.json").touch()
    with pytest.raises(
        ConfigError, match=r"--source x: .*found the file .*json' alone\. Name both.*x=ANNOTATIONS,PHOTO"
    ):
        open_sources([alone], None, FILES)
