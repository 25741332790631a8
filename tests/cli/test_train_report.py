"""What is said of training where there is no terminal."""

from __future__ import annotations

import json

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


def test_the_end_has_a_table_of_sources(tmp_path):
    whole = {"pck@0.2": 0.5, "pck@0.2_guess": 0.25, "AP": 0.125}
    coco = {"people": 7.0, "loss": 1.25, "skill": 0.5, "pck@0.2": 0.625, "swapped": None, "AP": -1.0}
    line = {"phase": "val", "step": 3, **whole, **{f"a/coco/{name}": value for name, value in coco.items()}}
    (tmp_path / "log.jsonl").write_text(json.dumps({**line, "lsp/people": 2, "lsp/loss": "none"}) + "\n")
    said = TrainReport().summary(str(tmp_path)).splitlines()
    assert "  PCK@0.2 0.500  (the mean guess: 0.250)" in said
    assert [line.split() for line in said[3:6]] == [
        ["people", "loss", "skill", "PCK@.2", "guess", "PCK@.1", "guess", "swap", "AP"],
        ["a/coco", "7", "1.2500", "0.500", "0.625", "-", "-", "-", "-", "-1.000"],
        ["lsp", "2", *"--------"],
    ]
