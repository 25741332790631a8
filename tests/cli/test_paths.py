"""Paths that lie nowhere we know are refused by the option that gives them."""

from __future__ import annotations

import pytest

from cocoprep.cli.paths import check_paths
from cocoprep.errors import ConfigError


def test_paths_of_this_machine_and_of_buckets_pass():
    check_paths({"--out": "folder/a:b", "--data": "gs://bucket/folder", "--run": None, "--images": ""})


@pytest.mark.parametrize("path", ["s3://bucket/a", "https://host/a.zip", "file:///tmp/a", "GS://bucket"])
def test_other_schemes_are_named(path):
    with pytest.raises(ConfigError, match=f"^--data: expected a path of this machine or one that .*, found {path}"):
        check_paths({"--out": "here", "--data": path})
