"""The log of a run: lines as they come, and none of a future that did not happen."""

from __future__ import annotations

import json
import math
import os

import pytest

from cocoprep.errors import RecordError
from cocoprep.model.run.log import LOG, RunLog, read_log
from cocoprep.storage.local import LocalFiles

FILES = LocalFiles()


def steps(folder) -> list[int]:
    return [line["step"] for line in read_log(str(folder), FILES)]


@pytest.fixture
def written(tmp_path):
    """Return a folder with the log of three steps."""
    log = RunLog(str(tmp_path), FILES, after_step=0)
    for step in (1, 2, 3):
        log.write("train", step, 0, {"loss": 1 / step})
    log.write("val", 3, 0, {"AP": 0.5})
    log.sync()
    return tmp_path


def test_where_there_is_no_log_there_are_no_lines(tmp_path):
    assert read_log(str(tmp_path), FILES) == []


def test_lines_come_back_as_they_were_written(written):
    lines = read_log(str(written), FILES)
    assert lines[0] == {"phase": "train", "step": 1, "epoch": 0, "loss": 1.0}
    assert lines[-1] == {"phase": "val", "step": 3, "epoch": 0, "AP": 0.5}
    assert len(lines) == 4


@pytest.mark.parametrize(("after_step", "kept"), [(0, []), (2, [1, 2]), (3, [1, 2, 3, 3]), (99, [1, 2, 3, 3])])
def test_a_run_that_goes_back_drops_what_comes_after(written, after_step, kept):
    log = RunLog(str(written), FILES, after_step=after_step)
    assert steps(written) == kept
    log.write("train", after_step + 1, 1, {})
    assert steps(written) == [*kept, after_step + 1]


def test_a_line_that_a_kill_cut_short_is_left_out_and_what_comes_is_whole(written):
    path = written / LOG
    path.write_bytes(path.read_bytes()[:-5])
    assert steps(written) == [1, 2, 3]
    RunLog(str(written), FILES, after_step=3).write("val", 3, 0, {})
    assert steps(written) == [1, 2, 3, 3]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_knows_no_number_for_is_null(written, value):
    RunLog(str(written), FILES, after_step=1).write("train", 2, 0, {"loss": value, "people": 3, "note": "x"})
    last = (written / LOG).read_text().splitlines()[-1]
    found = json.loads(last, parse_constant=pytest.fail)
    assert found == {"phase": "train", "step": 2, "epoch": 0, "loss": None, "people": 3, "note": "x"}


@pytest.mark.parametrize(
    "line", ["{}", "5", "null", '{"step": "x"}', '{"step": null}', '{"step": true}', "[" * 20_000, "1" * 6000]
)
def test_a_line_that_no_training_writes_is_told(tmp_path, line):
    (tmp_path / "log.jsonl").write_text(f'{{"step": 1, "epoch": 1, "phase": "train"}}\n{line}\n')
    with pytest.raises(RecordError, match=r"log\.jsonl: line 2 is none that training writes") as caught:
        read_log(str(tmp_path), LocalFiles())
    assert len(str(caught.value)) < 1000


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_log_that_is_no_file_is_told(tmp_path, make):
    make(tmp_path / "log.jsonl")
    with pytest.raises(RecordError, match=r"log\.jsonl: cannot be read"):
        read_log(str(tmp_path), LocalFiles())
