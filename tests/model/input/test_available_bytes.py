from __future__ import annotations

import os

import pytest

from cocoprep.model.input import memory
from cocoprep.model.input.memory import available_bytes

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([], MACHINE),
        (["max\n"], MACHINE),
        (["123456789\n"], 123456789),
        (["max\n", "4096"], 4096),
        (["4096", "2048"], 2048),
        (["9223372036854771712\n"], MACHINE),  # what version 1 says where there is no limit
        (["", "nonsense"], MACHINE),
    ],
)
def test_a_containers_share_counts_where_it_is_less(tmp_path, monkeypatch, limits, expected):
    paths = [tmp_path / str(n) for n in range(3)]
    for path, limit in zip(paths, limits, strict=False):
        path.write_text(limit)
    monkeypatch.setattr(memory, "CONTAINER_LIMITS", tuple(map(str, paths)))
    assert available_bytes() == expected
