"""The list of annotations to leave out, written and read again."""

from __future__ import annotations

import pytest

from cocoprep.shards.exclude_list import Excluded, encode_exclude_list, read_exclude_list
from cocoprep.storage.local import LocalFiles


@pytest.mark.parametrize("own_id", ["7", "#7", "lsp/7", "a b"])
def test_an_id_is_read_as_it_was_written(own_id, tmp_path):
    path = tmp_path / "exclude.txt"
    path.write_bytes(encode_exclude_list([Excluded(own_id, "a.jpg", "far off"), Excluded("8", "", "")]))
    assert list(read_exclude_list(str(path), LocalFiles()).lines) == [own_id, "8"]
    assert read_exclude_list(str(path), LocalFiles()).lines[own_id].image == "a.jpg"
