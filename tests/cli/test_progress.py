"""What is said of a command's progress where there is no terminal, and on one."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from cocoprep.cli import progress as progress_module
from cocoprep.cli.console import PlainConsole
from cocoprep.cli.progress import BuildProgress, ByteProgress, CountProgress, warn_of_few_shards
from cocoprep.pipelines.monitor import Progress, Workload


@pytest.mark.parametrize(
    ("crops", "said"),
    [(0, "0/50 images  0 crops  0 crops/s\n"), (40, "20/50 images  40 crops  20 crops/s, about 3 s left\n")],
)
def test_the_time_left_is_said_once_it_is_known(monkeypatch, capsys, crops, said):
    with BuildProgress(workers=1) as progress:
        plan = Workload(people=100, images=50, shards=16)
        progress.update(plan, Progress())
        progress.log_interval_s = 0.0
        monkeypatch.setattr("cocoprep.cli.progress.time.monotonic", lambda: progress._planned + 2.0)
        progress.update(plan, Progress(crops=crops, images=crops // 2))
    assert capsys.readouterr().err.endswith(f"building: {said}")


def test_no_rate_is_said_of_the_first_moment(capsys):
    with BuildProgress(workers=1) as progress:
        progress.log_interval_s = 0.0
        plan = Workload(people=100, images=50, shards=16)
        progress.update(plan, Progress(crops=2, images=1))
        progress.update(plan, Progress(crops=4, images=2))
    with CountProgress("reading", "photographs") as counting:
        counting.log_interval_s = 0.0
        counting.update(0, 6)
        counting.update(2, 6)
    assert capsys.readouterr().err.splitlines() == [
        "building: 50 images, 100 people, 16 shards",
        "building: 1/50 images  2 crops",
        "building: 2/50 images  4 crops",
        "reading: 0/6 photographs",
        "reading: 2/6 photographs",
    ]


def test_crops_made_before_the_plan_was_seen_are_not_in_the_rate(monkeypatch, capsys):
    with BuildProgress(workers=1) as progress:
        plan = Workload(people=100, images=50, shards=16)
        progress.update(plan, Progress(crops=30, images=15, reused_crops=10))
        progress.log_interval_s = 0.0
        monkeypatch.setattr("cocoprep.cli.progress.time.monotonic", lambda: progress._planned + 2.0)
        progress.update(plan, Progress(crops=40, images=20, reused_crops=10))
    assert capsys.readouterr().err.endswith("40 crops  5 crops/s  (10 were there), about 12 s left\n")


def test_one_image_and_one_shard_are_counted_in_the_singular(capsys):
    with BuildProgress(workers=1) as progress:
        progress.update(Workload(people=1, images=1, shards=1), Progress())
    assert capsys.readouterr().err == "building: 1 image, 1 person, 1 shard\n"


@pytest.mark.parametrize(
    ("shards", "workers", "said"),
    [
        (1, 1, ""),  # one worker is busy to the end with one shard
        (8, 2, ""),
        (1, 2, "warning: 1 shard for 2 workers deals the work unevenly; --shards 8 or more would keep all of them "),
        (7, 2, "warning: 7 shards for 2 workers deal the work unevenly; --shards 8 or more would keep all of them "),
    ],
)
def test_few_shards_are_warned_of(capsys, shards, workers, said):
    warn_of_few_shards(shards, workers)
    assert capsys.readouterr().err == (f"{said}busy to the end.\n" if said else "")


def test_a_log_has_a_line_an_interval(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr("cocoprep.cli.progress.time.monotonic", lambda: now)
    with CountProgress("verifying", "shards") as progress:
        for done in range(26):
            now = float(done)
            progress.update(done, 25)
    assert capsys.readouterr().err.splitlines() == [
        "verifying: 10/25 shards  1.0 shards/s, about 15 s left",
        "verifying: 20/25 shards  1.0 shards/s, about 5 s left",
    ]


def test_one_count_follows_another(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr("cocoprep.cli.progress.time.monotonic", lambda: now)
    with CountProgress("reading", "photographs") as progress:
        progress.update(0, 6)
        now = 10.0
        progress.update(3, 6)
        progress.go_on("comparing", "pairs")
        now = 20.0
        progress.update(0, 50)
        now = 30.0
        progress.update(10, 50)
    assert capsys.readouterr().err.splitlines() == [
        "reading: 3/6 photographs  0.3 photographs/s, about 10 s left",
        "comparing: 0/50 pairs",
        "comparing: 10/50 pairs  1.0 pairs/s, about 40 s left",
    ]


def test_bytes_of_many_threads_add_up(capsys):
    with ByteProgress("copying") as progress:
        progress.plan(10**6)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(progress.advance, [100] * 8000))
        progress.log_interval_s = 0.0
        progress.advance(-100_000)
        progress.turn_to("checking", 5000)
        progress.advance(1000)
    assert capsys.readouterr().err.splitlines() == [
        "copying: 700.0 kB of 1.0 MB",
        "checking: 1.0 kB of 5.0 kB",
    ]


def test_on_a_terminal_there_is_a_bar_and_no_line(monkeypatch):
    shown = io.StringIO()
    console = PlainConsole(file=shown, force_terminal=True, width=80)
    monkeypatch.setattr(progress_module, "PlainConsole", lambda **_: console)
    with CountProgress("predicting", "people") as progress:
        progress.log_interval_s = 0.0
        progress.update(3, 12)
        progress.say("seen [1]")
    assert "3/12 people" in shown.getvalue()
    assert "seen [1]" in shown.getvalue()
    assert "about" not in shown.getvalue()
