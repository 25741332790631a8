"""Event files: what is written, what TensorBoard finds in it, and what is dropped when a run goes back."""

from __future__ import annotations

import io
import math
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event

from cocoprep.model.run.tensorboard import Board, drop_events
from cocoprep.shards.tfrecord import read_records, write_records
from cocoprep.storage.local import LocalFiles
from tests.support.rooms import ROOT

FILES = LocalFiles()
OF_TENSORFLOW = ROOT / "tests" / "fixtures" / "events_of_tensorflow"


def records_of(path) -> list[bytes]:
    with path.open("rb") as stream:
        return list(read_records(stream))


def events_of(folder) -> list[tuple[str, int]]:
    """Return the tag and step of everything in a folder's event files, in order."""
    events = [Event.FromString(record) for path in sorted(folder.iterdir()) for record in records_of(path)]
    return [(value.tag, event.step) for event in events for value in event.summary.value]


def shown_of(folder) -> tuple[dict, dict]:
    """Return what TensorBoard's own reader has for its two dashboards: by tag, the steps with numbers and pictures."""
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.context import RequestContext

    multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
    provider, context = MultiplexerDataProvider(multiplexer, str(folder)), RequestContext()
    asked = {"experiment_id": "", "downsample": 100}
    runs = provider.read_scalars(context, plugin_name="scalars", **asked)
    curves = {tag: [(point.step, point.value) for point in points] for tag, points in runs.get(".", {}).items()}
    runs = provider.read_blob_sequences(context, plugin_name="images", **asked)
    pictures = {}
    for tag, points in runs.get(".", {}).items():
        for point in points:
            width, height, *blobs = (provider.read_blob(context, blob_key=one.blob_key) for one in point.values)
            drawn = [np.asarray(Image.open(io.BytesIO(blob))) for blob in blobs]
            assert [one.shape[:2] for one in drawn] == [(int(height), int(width))]
            pictures.setdefault(tag, []).append((point.step, drawn[0].tolist()))
    assert curves.keys() == provider.list_scalars(context, experiment_id="", plugin_name="scalars").get(".", {}).keys()
    listed = provider.list_blob_sequences(context, experiment_id="", plugin_name="images").get(".", {})
    assert pictures.keys() == listed.keys()
    return curves, pictures


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "tensorboard"
    board = Board(str(folder), FILES, after_step=0)
    for step in (1, 2, 3):
        board.scalars("train", step, {"loss": 1.0 / step, "people": 4, "note": "text", "AP": None})
    board.picture("predictions", 3, np.zeros((8, 8, 3), np.uint8))
    return folder


@pytest.fixture
def of_tensorflow(tmp_path):
    """Return a copy of what was written through TensorFlow, and the file in it."""
    folder = tmp_path / "of_tensorflow"
    folder.mkdir()
    (path,) = OF_TENSORFLOW.glob("*tfevents*")
    return folder, Path(shutil.copy(path, folder))


def test_numbers_are_curves_and_pictures_pictures_and_the_rest_is_left_out(folder):
    scalars = [(name, step) for step in (1, 2, 3) for name in ("train/loss", "within_train/people")]
    assert events_of(folder) == [*scalars, ("predictions", 3)]


def test_tensorboard_shows_what_was_written(tmp_path):
    board = Board(str(tmp_path), FILES, after_step=0)
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    board.scalars("train", 2, {"loss": 0.25, "gradient_stem": 3, "people": 1 << 40})
    board.scalars("val", 2, {"mine/pck@0.2": 0.5, "loss": math.inf})
    board.picture("predictions", 2, rgb)
    board.scalars("train", 1 << 40, {"loss": -0.5, "gradient_stem": 1e300})
    curves, pictures = shown_of(tmp_path)
    assert curves == {
        "train/loss": [(2, 0.25), (1 << 40, -0.5)],
        "weights/gradient_stem": [(2, 3.0), (1 << 40, math.inf)],
        "within_train/people": [(2, float(1 << 40))],
        "within_val/mine/pck@0.2": [(2, 0.5)],
        "val/loss": [(2, math.inf)],
    }
    assert pictures == {"predictions": [(2, rgb.tolist())]}


def test_what_is_not_finite_is_shown_as_that(tmp_path):
    Board(str(tmp_path), FILES, after_step=0).scalars("train", 1, {"loss": math.nan})
    ((_, value),) = shown_of(tmp_path)[0]["train/loss"]
    assert math.isnan(value)


def test_every_call_is_in_the_file_and_nothing_stays_open(tmp_path):
    threads = threading.active_count()
    board = Board(str(tmp_path), FILES, after_step=0)
    for step in (1, 2, 3):
        board.scalars("train", step, {"loss": 1.0})
        assert events_of(tmp_path)[-1] == ("train/loss", step)
    board.picture("predictions", 3, np.zeros((8, 8, 3), np.uint8))
    assert events_of(tmp_path)[-1] == ("predictions", 3)
    assert threading.active_count() == threads
    assert not [one.path for one in psutil.Process().open_files() if one.path.startswith(str(tmp_path))]


def test_boards_of_the_same_moment_have_files_of_their_own(tmp_path, monkeypatch):
    boards = [Board(str(tmp_path), FILES, after_step=99) for _ in range(20)]
    now = time.time_ns()
    ticks = iter([now, now, now, now + 1])  # a coarse clock
    monkeypatch.setattr(time, "time_ns", lambda: next(ticks))
    boards += [Board(str(tmp_path), FILES, after_step=99) for _ in range(2)]
    for step, board in enumerate(boards, start=1):
        board.scalars("train", step, {"loss": 1.0})
    assert len(list(tmp_path.iterdir())) == len(boards)
    assert events_of(tmp_path) == [("train/loss", step) for step in range(1, len(boards) + 1)]


def test_a_folder_that_is_removed_meanwhile_comes_back_with_what_is_new(tmp_path):
    folder = tmp_path / "tensorboard"
    board = Board(str(folder), FILES, after_step=0)
    board.scalars("train", 1, {"loss": 1.0})
    shutil.rmtree(folder)
    board.scalars("train", 2, {"loss": 0.5})
    board.scalars("train", 3, {"loss": 0.25})
    assert shown_of(folder) == ({"train/loss": [(2, 0.5), (3, 0.25)]}, {})


@pytest.mark.parametrize("after_step", [0, 1, 2, 3])
def test_what_comes_after_the_checkpoint_is_dropped(folder, after_step):
    before = events_of(folder)
    board = Board(str(folder), FILES, after_step=after_step)
    board.scalars("train", after_step + 1, {"loss": 0.5})
    kept = [one for one in before if one[1] <= after_step]
    assert events_of(folder) == [*kept, ("train/loss", after_step + 1)]


@pytest.mark.parametrize("after_step", [0, 1, 2, 3])
def test_what_was_written_through_tensorflow_is_kept_and_gone_on_with(of_tensorflow, after_step):
    folder, path = of_tensorflow
    before = path.read_bytes()
    board = Board(str(folder), FILES, after_step=after_step)
    assert before.startswith(path.read_bytes())
    assert (path.read_bytes() == before) == (after_step == 3)
    rgb = np.full((4, 4, 3), 9, np.uint8)
    board.scalars("train", after_step + 1, {"loss": 0.5})
    board.picture("predictions", after_step + 1, rgb)
    curves, pictures = shown_of(folder)
    kept = [(step, float(np.float32(1 / step))) for step in range(1, after_step + 1)]
    assert curves.pop("train/loss") == [*kept, (after_step + 1, 0.5)]
    assert curves == ({"weights/gradient_stem": [(step, 2.0) for step, _ in kept]} if kept else {})
    kept = [(3, np.zeros((8, 12, 3), int).tolist())] if after_step == 3 else []
    assert pictures == {"predictions": [*kept, (after_step + 1, rgb.tolist())]}


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
    assert events_of(folder)[-1] == ("within_train/people", 3)


def test_a_write_that_ends_anywhere_costs_that_event(folder):
    (path,) = folder.iterdir()
    whole, before = path.read_bytes(), events_of(folder)[:-1]
    begin = len(whole) - len(records_of(path)[-1]) - 16  # a frame's own bytes
    for end in range(begin, len(whole)):
        path.write_bytes(whole[:end])
        drop_events(str(folder), FILES, after_step=99)
        assert path.read_bytes() == whole[:begin]
    assert events_of(folder) == before


def test_a_kill_costs_at_most_the_last_event(tmp_path):
    script = (
        "import itertools, sys\n"
        "from cocoprep.model.run.tensorboard import Board\n"
        "from cocoprep.storage.local import LocalFiles\n"
        "board = Board(sys.argv[1], LocalFiles(), after_step=0)\n"
        "for step in itertools.count(1):\n"
        "    board.scalars('train', step, {'loss': 1.0, 'people': step})\n"
        "    print(step, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        said = [next(run.stdout) for _ in range(500)]
        run.kill()
        said += list(run.stdout)
    done = int([line for line in said if line.endswith("\n")][-1])
    drop_events(str(tmp_path), FILES, after_step=1 << 40)
    steps = [step for tag, step in events_of(tmp_path) if tag == "within_train/people"]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) in (done, done + 1)


def test_a_disk_that_takes_no_more_is_told_and_the_file_is_mended(tmp_path):
    script = (
        "import itertools, resource, signal, sys\n"
        "from cocoprep.errors import OutputError\n"
        "from cocoprep.model.run.tensorboard import Board\n"
        "from cocoprep.storage.local import LocalFiles\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "board = Board(sys.argv[1], LocalFiles(), after_step=0)\n"
        "try:\n"
        "    for step in itertools.count(1):\n"
        "        board.scalars('train', step, {'loss': 1.0})\n"
        "except OutputError as error:\n"
        "    sys.exit(f'{step} {error}')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path], check=False, capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    step, said = run.stderr.split(" ", 1)
    (path,) = tmp_path.iterdir()
    assert said.startswith(f"cannot write {path}: File too large.")
    assert path.stat().st_size == 1000
    drop_events(str(tmp_path), FILES, after_step=99)
    assert events_of(tmp_path) == [("train/loss", one) for one in range(1, int(step))]


def test_events_behind_one_that_is_none_go_too(folder):
    (path,) = folder.iterdir()
    records = records_of(path)
    with path.open("wb") as stream:
        write_records(stream, [*records[:-2], b"\xff\xff\xff", records[-1]])
    drop_events(str(folder), FILES, after_step=99)
    assert records_of(path) == records[:-2]
