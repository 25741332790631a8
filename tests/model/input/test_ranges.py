"""Ranges come whole and in order, however many are read at a time."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.model.input import records
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.ranges import ByteRange, RangeReader
from cocoprep.model.input.records import RecordSource
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.buckets import put

DATA = np.random.default_rng(0).bytes(10_000)


@pytest.fixture(params=["disk", "bucket"])
def path(request, tmp_path):
    """Return the path of a file on this machine, then of one elsewhere."""
    file = tmp_path / "file"
    file.write_bytes(DATA)
    return str(file) if request.param == "disk" else put(file, f"{request.getfixturevalue('bucket')}/file")


@pytest.fixture
def reader(path):
    return RangeReader(path, AnyFiles())


def test_ranges_come_in_order(reader, path):
    parts = [(n * 37 % 9000, n * 37 % 9000 + n) for n in range(1, 100)]
    ranges = [ByteRange(path, *part) for part in parts]
    assert list(reader.read(ranges)) == [DATA[start:end] for start, end in parts]
    assert list(reader.read([])) == []


def test_ranges_are_not_asked_for_long_before_they_are_needed(reader, path):
    asked = []
    contents = reader.read(asked.append(n) or ByteRange(path, n, n + 1) for n in range(100))
    next(contents)
    assert len(asked) <= 6


def test_a_file_that_is_not_there(reader, path):
    contents = reader.read([ByteRange(path, 0, 3), ByteRange(f"{path}-none", 0, 3), ByteRange(path, 3, 6)])
    assert next(contents) == DATA[:3]
    with pytest.raises(FileNotFoundError):
        next(contents)
    assert list(reader.read([ByteRange(path, 0, 1)])) == [DATA[:1]]


@pytest.mark.parametrize("most", [1, 5000, 20_000])
def test_long_runs_of_records_are_cut(people_folder, monkeypatch, most):
    """Between records: one that is larger than a range may be is one."""
    folder = str(people_folder(images=6, shards=2))
    source = RecordSource(folder, ReadConfig())
    whole = source.read(np.arange(len(source)))
    monkeypatch.setattr(records, "MOST_BYTES", most)
    again = RecordSource(folder, ReadConfig())
    runs = again._runs(range(len(again)))
    assert [number for run in runs for number in run] == list(range(len(again)))
    assert len(runs) > 2
    for run in runs:
        assert len(run) == 1 or again.places[run[-1]].end - again.places[run[0]].start <= most
    for one, other in zip(again.read(np.arange(len(again))), whole, strict=True):
        assert (one.annotation_id, one.jpeg) == (other.annotation_id, other.jpeg)
