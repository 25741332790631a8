from __future__ import annotations

import pytest

from cocoprep.storage.sizes import format_bytes


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1.0 kB"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_999, "1.0 MB"),
        (19_300_000, "19.3 MB"),
        (999_999_999, "1.00 GB"),
        (19_336_861_798, "19.34 GB"),
        (1.5e12, "1500.00 GB"),
    ],
)
def test_bytes_as_people_say_them(size, expected):
    assert format_bytes(size) == expected
