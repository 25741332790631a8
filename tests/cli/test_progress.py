"""What is said of a build where there is no terminal."""

from __future__ import annotations

import pytest

from cocoprep.cli.progress import BuildProgress
from cocoprep.pipelines.monitor import Plan, Progress


@pytest.mark.parametrize(
    ("crops", "said"),
    [(0, "0/50 images  0 crops  0 crops/s\n"), (40, "20/50 images  40 crops  40 crops/s, about 2 s left\n")],
)
def test_the_time_left_is_said_once_it_is_known(monkeypatch, capsys, crops, said):
    with BuildProgress(workers=1) as progress:
        plan = Plan(people=100, images=50, shards=16)
        progress.update(plan, Progress())
        progress.log_interval_s = 0.0
        monkeypatch.setattr("cocoprep.cli.progress.time.monotonic", lambda: progress._planned + 1.0)
        progress.update(plan, Progress(crops=crops, images=crops // 2))
    assert capsys.readouterr().err.endswith(f"building: {said}")
