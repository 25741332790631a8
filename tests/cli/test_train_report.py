"""What is said of training where there is no terminal."""

from __future__ import annotations

from cocoprep.cli import train_report
from cocoprep.cli.train_report import TrainReport


def test_the_time_left_does_not_count_the_first_step(monkeypatch, capsys):
    now = 1000.0
    monkeypatch.setattr(train_report.time, "monotonic", lambda: now)
    with TrainReport() as report:
        report.begin(run="r", step=40, steps=60, steps_per_epoch=10, people=80, parameters=1, devices="the CPU")
        report.log_interval_s = 0.0
        for seconds in (30.0, 0.5):
            now += seconds
            report.step(report._step + 1)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "training: epoch 5  step 41/60",
        "training: epoch 5  step 42/60  16.0 people/s, about 9 s left",
    ]
