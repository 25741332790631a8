"""Records wait in a spool, in memory or on disk."""

from __future__ import annotations

import pytest

from cocoprep import spool
from cocoprep.spool import Spool


@pytest.mark.parametrize("memory_bytes", [1, 100, 1 << 20])
def test_what_goes_in_comes_out_in_any_order(monkeypatch, memory_bytes):
    monkeypatch.setattr(spool, "MEMORY_BYTES", memory_bytes)
    records = {number: bytes([number]) * (number * 7 % 50) for number in range(60)}
    with Spool() as held:
        for number, data in records.items():
            held.add(number, data)
        assert list(held.keys()) == list(records)
        assert all(held.get(number) == records[number] for number in sorted(records, reverse=True))


def test_what_is_read_in_between_does_not_move_the_end():
    with Spool() as held:
        held.add(1, b"one")
        held.add(2, b"two")
        assert held.get(1) == b"one"
        held.add(3, b"three")
        assert [held.get(n) for n in (3, 2, 1)] == [b"three", b"two", b"one"]
