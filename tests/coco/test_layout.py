"""COCO's official layout."""

from __future__ import annotations

import pytest

from cocoprep.coco.layout import annotations_path, find_photographs
from cocoprep.errors import ConfigError
from cocoprep.storage.local import LocalFiles


def test_a_folder_comes_before_its_zip(tmp_path):
    data, files = str(tmp_path), LocalFiles()
    assert annotations_path(data, "val2017", files) == f"{data}/annotations/person_keypoints_val2017.json"
    with pytest.raises(
        ConfigError, match=r"expected photographs in .*val2017, .*val2017\.zip or .*val2017\.tar, found none"
    ):
        find_photographs(data, "val2017", files)
    (tmp_path / "val2017.zip").write_bytes(b"")
    assert find_photographs(data, "val2017", files) == f"{data}/val2017.zip"
    (tmp_path / "val2017").mkdir()
    assert find_photographs(data, "val2017", files) == f"{data}/val2017"
