"""Records wait in a spool, in memory or on disk."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cocoprep.storage import spool
from cocoprep.storage.spool import Spool


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


FULL = """
import resource, signal, sys
from cocoprep.storage import spool
from cocoprep.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
spool.MEMORY_BYTES = 0
try:
    with spool.Spool() as held:
        for number in range(100):
            held.add(number, bytes({size}))
        held.get(0)
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("size", [500, 3_000, 9_000, 30_000])
def test_a_full_disk_is_told_whenever_it_is_met(size):
    done = subprocess.run(
        [sys.executable, "-c", FULL.format(size=size)], check=True, capture_output=True, text=True, timeout=60
    )
    assert "cannot write to the folder for temporary files" in done.stdout
    assert "set TMPDIR to a folder on another disk" in done.stdout
