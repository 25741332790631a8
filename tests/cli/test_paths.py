"""Paths that lie nowhere we know are refused by the option that gives them; what takes its time is told."""

from __future__ import annotations

import pytest

from cocoprep.cli.paths import check_paths, tell_of_tar
from cocoprep.errors import ConfigError
from cocoprep.storage.by_scheme import AnyFiles


def test_paths_of_this_machine_and_of_buckets_pass():
    check_paths({"--out": "folder/a:b", "--data": "gs://bucket/folder", "--run": None, "--images": ""})


@pytest.mark.parametrize("path", ["s3://bucket/a", "https://host/a.zip", "file:///tmp/a", "GS://bucket"])
def test_other_schemes_are_named(path):
    with pytest.raises(ConfigError, match=f"^--data: expected a path of this machine or one that .*, found {path}"):
        check_paths({"--out": "here", "--data": path})


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [("a.tar", 1 << 30, "looking through {}, 1.07 GB: a tar has no list of what it holds\n"),
     ("a.tar", 1 << 20, ""), ("a.zip", 1 << 30, ""), ("none.tar", None, ""), ("folder.tar", "folder", "")],
)  # fmt: skip
def test_a_large_tar_is_told_of(name, size, said, tmp_path, capsys):
    path = tmp_path / name
    if size == "folder":
        path.mkdir()
    elif size:
        with open(path, "wb") as stream:
            stream.truncate(size)
    tell_of_tar(str(path), AnyFiles())
    tell_of_tar("s3://nowhere/a.tar", AnyFiles())  # is refused elsewhere
    assert capsys.readouterr().err == said.format(path)
