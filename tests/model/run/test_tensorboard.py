"""Event files: what is written, and what is dropped when a run goes back."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.util.event_pb2 import Event

from cocoprep.model.run.tensorboard import Board, drop_events
from cocoprep.shards.tfrecord import read_record, read_records, write_records
from cocoprep.storage.local import LocalFiles

FILES = LocalFiles()


def events_of(folder) -> list[tuple[str, int]]:
    """Return the tag and step of everything in a folder's event files, in order."""
    found = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as stream:
            while (record := read_record(stream)) is not None:
                event = Event.FromString(record)
                found += [(value.tag, event.step) for value in event.summary.value]
    return found


@pytest.fixture
def folder(tmp_path):
    board = Board(str(tmp_path), FILES, after_step=0)
    for step in (1, 2, 3):
        board.scalars("train", step, {"loss": 1.0 / step, "people": 4, "note": "text", "AP": None})
    board.picture("predictions", 3, np.zeros((8, 8, 3), np.uint8))
    board.close()
    return tmp_path


def test_numbers_are_curves_and_pictures_pictures_and_the_rest_is_left_out(folder):
    scalars = [(f"train/{name}", step) for step in (1, 2, 3) for name in ("loss", "people")]
    assert events_of(folder) == [*scalars, ("predictions", 3)]


@pytest.mark.parametrize("after_step", [0, 1, 2, 3])
def test_what_comes_after_the_checkpoint_is_dropped(folder, after_step):
    before = events_of(folder)
    board = Board(str(folder), FILES, after_step=after_step)
    board.scalars("train", after_step + 1, {"loss": 0.5})
    board.close()
    kept = [one for one in before if one[1] <= after_step]
    assert sorted(events_of(folder)) == sorted([*kept, ("train/loss", after_step + 1)])


def test_events_cut_short_and_what_a_kill_left_behind_go_and_other_files_stay(folder):
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:-3])
    left = folder / f".{path.name}.123-0123abcd.tmp"
    left.write_bytes(b"half")
    (folder / "notes.txt").write_text("mine")
    drop_events(str(folder), FILES, after_step=99)
    assert sorted(one.name for one in folder.iterdir()) == sorted([path.name, "notes.txt"])
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    assert events_of(folder)[-1] == ("train/people", 3)
    assert tf.io.gfile.exists(str(path))


def test_events_behind_one_that_is_none_go_too(folder):
    (path,) = folder.iterdir()
    with path.open("r+b") as stream:
        records = list(read_records(stream))
        stream.truncate(0)
        stream.seek(0)
        write_records(stream, [*records[:-2], b"\xff\xff\xff", records[-1]])
    drop_events(str(folder), FILES, after_step=99)
    with path.open("rb") as stream:
        assert list(read_records(stream)) == records[:-2]
