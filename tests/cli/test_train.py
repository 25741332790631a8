"""`cocoprep train` as a user meets it, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.training import lines_of

pytest.importorskip("tensorflow")

SMALL = ["--channels", "8", "--depth", "1", "--stacks", "1", "--batch-size", "4", "--log-steps", "2"]


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cocoprep", "train", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})


def run(*arguments: object) -> tuple[int, str, str]:
    process = start(*arguments)
    out, err = process.communicate()
    return process.returncode, out, err


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.mark.long
def test_ctrl_c_saves_and_the_same_command_goes_on(data, tmp_path):
    folder = tmp_path / "run"
    process = start("--data", data, "--val", data, "--run-dir", folder, "--epochs", 400, "--oks-epochs", 400, *SMALL)
    for line in process.stderr:  # the first epoch's row
        if line.split()[:1] == ["1"]:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "stopping after this step, then saving" in err
    saved = sorted(int(path.stem.removeprefix("checkpoint-")) for path in (folder / "checkpoints").iterdir())
    lines = (folder / "log.jsonl").read_text()

    code, _, err = run("--run-dir", folder, "--epochs", 401, "--resume")
    assert code == 1
    assert "epochs was 400, now 401" in err
    assert (folder / "log.jsonl").read_text() == lines

    process = start("--run-dir", folder, "--resume")
    said = ""
    for line in process.stderr:
        said += line
        if line.split()[:1] == [str(saved[-1] // 5 + 2)]:
            break
    process.kill()
    process.communicate()
    assert f"going on at step {saved[-1]} of 2000" in said
    assert "I0000" not in said  # nothing of TensorFlow's own
    steps = [line["step"] for line in lines_of(folder)]
    assert steps == sorted(set(steps))


def test_a_mistyped_run_is_told_with_those_beside_it(tmp_path):
    for name in ("lsp-1", "mpii", "other"):
        tmp_path.joinpath(name).mkdir()
    for name in ("lsp-1", "mpii"):
        tmp_path.joinpath(name, "config.json").write_text("{}")
    code, out, err = run("--resume", "--run-dir", str(tmp_path / "lsp1"))
    assert (code, out) == (1, "")
    assert f"--resume: expected a run in {tmp_path}/lsp1, found none, and no --data to begin one on." in err
    assert "Of the runs beside it, nearest in name: lsp-1, mpii." in err
    assert "beside" not in run("--resume", "--run-dir", str(tmp_path / "no" / "lsp1"))[2]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--run-dir", "r"], 1, "--data: expected a folder that `cocoprep build` has made, found nothing"),
        (["--run", "r", "--data", "nowhere"], 1, "nowhere: no manifest.json"),
        (["--data", "d"], 2, "Missing option '--run-dir'"),
        (["--run-dir", "r", "--data", "d", "--loss", "l1"], 2, "Invalid value for '--loss'"),
        (["--run-dir", "r", "--data", "d", "--weight", "d"], 1, "--weight: expected NAME=NUMBER, such as mpii=0.5"),
        (
            ["--run-dir", "r", "--data", "d", "--rate", "stem"],
            1,
            "--rate: expected NAME=NUMBER, such as stem=0.1, each",
        ),
        (
            ["--run-dir", "r", "--data", "d", "--rate", "stem=0"],
            1,
            "above 0, found 0. --freeze stem leaves it untrained",
        ),
        (["--run-dir", "r", "--data", "d", "--epochs", "0"], 1, "--epochs: expected a whole number from 1 up, found 0"),
        (
            ["--run-dir", "r", "--data", "d", "--config", "no.toml"],
            1,
            "--config: no.toml: expected a TOML file of settings, found nothing",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_line(tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_sizes_that_the_network_cannot_halve_are_said(data, tmp_path):
    code, _, err = run("--data", data, "--run-dir", tmp_path / "run", "--depth", "5", "--batch-size", "4")
    assert code == 1
    assert "input size: expected a height and a width divisible by 128" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_a_batch_of_more_people_than_there_are(data, tmp_path):
    code, _, err = run("--data", data, "--run-dir", tmp_path / "run", "--batch-size", "64")
    assert code == 1
    assert "expected at least one batch of 64 people, found 20" in err
    assert Path(tmp_path / "run").exists() is False


@pytest.mark.long
def test_another_backend_of_the_users_does_not_matter(data, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    code, _, err = run("--data", data, "--run-dir", tmp_path / "run", "--epochs", "1", *SMALL)
    assert code == 0, err


def test_the_table_fits_a_narrow_terminal(capsys):
    from cocoprep.cli.train_report import COLUMNS, TrainReport

    with TrainReport() as report:
        figures = {**{name: 0.5 for _, name, *_ in COLUMNS}, "skill": -0.5, "loss": 1.2345}
        report.epoch(999, figures, {**figures, "loss": 12.3456})
        report.epoch(1000, figures, None)
    lines = capsys.readouterr().err.splitlines()
    rows = [line for line in lines if line.split()[:1] in (["999"], ["1000"], ["epoch"], ["train"])]
    assert len(rows) == 4
    assert all(len(line) < 80 for line in rows)
    assert rows[2].split()[1:] == ["1.2345", "-0.500", "0.500", "12.3456", "-0.500", *["0.500"] * 6]
