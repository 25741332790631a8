"""`cocoprep sweep` as a user meets it: what it says, real trials, kills, two at once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("optuna")
pytest.importorskip("tensorflow")

from cocoprep.cli.sweep_report import SweepReport, trial_table
from cocoprep.model.run.resolve import resolve_config
from cocoprep.model.sweep.database import open_database
from cocoprep.model.sweep.trials import State, Trial
from tests.support.processes import wait_until_gone
from tests.support.sweeps import BASE, METHODS, open_study, outcome, sweep, sweep_config, sweep_text
from tests.support.training import lines_of

# Two epochs of a network that takes a moment, at rates of which the second is none.
SHORT = "batch_size = 4\nlog_steps = 2\nepochs = 2\nnetwork = { stacks = 1, channels = 8, depth = 1 }\n"
TWO = '[search]\n"optimizer.learning_rate" = { choices = [1e-3, 1e30] }\n'
RATES = '[search]\n"optimizer.learning_rate" = { low = 1e-4, high = 1e-2, log = true }\n'
RANDOM = '[sweep]\nsampler = { name = "RandomSampler", seed = 5 }\n'
KILLS = 4


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


def start(root, file, trials):
    command = [sys.executable, "-m", "cocoprep", "sweep", str(file), "--study", f"{root}/s.db", "--trials", str(trials)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ}
    )


def run_sweep(root, file, trials):
    process = start(root, file, trials)
    out, err = process.communicate()
    assert "Traceback" not in out + err
    return process.returncode, out, err


def results(root, file, **parts):
    """Return what must not depend on kills."""
    storage = open_database(f"{root}/s.db")
    return outcome(open_study(root, sweep_config(file, **parts), name=file.stem, storage=storage))


def test_what_came_of_it_is_told_again(data, tmp_path, run):
    config = sweep_config(tmp_path / "s.toml", data)
    sweep(tmp_path, config, 20)
    command = ("sweep", tmp_path / "s.toml", "--study", f"sqlite:///{tmp_path}/sweep.db", "--trials", 20)
    code, out, err = run(*command)
    assert code == 0, err
    assert "s: goes on to 20 trials: " in err
    first, heading, *rows = out.splitlines()
    assert first.startswith("s: 20 trials, ")
    assert heading.split()[:4] == ["trial", "state", "PCK@.2", "epochs"]
    assert heading.split()[4:] == ["augment", "batch_size", "channels", "learning_rate"]
    assert all(len(row) <= 80 for row in (heading, *rows[:12]))
    assert rows[12] == f"  and 8 more, in {tmp_path}/s/trials.csv"
    assert "importance: " in out
    assert f"  cocoprep train --config {tmp_path}/s/best.toml --run-dir FOLDER" in rows
    assert run(*command)[:2] == (code, out)
    assert "s: goes on to 20 trials: " in run(*command[:-1], 5)[2]


def test_settings_that_have_no_room_are_named():
    names = {f"optimizer.setting_{n}": f"setting_{n}" for n in range(9)}
    trial = Trial(id=1, number=12345, state=State.COMPLETE, params=dict.fromkeys(names, 1.23456e-7), epochs={1: 0.5},
                  value=0.5, place={})  # fmt: skip
    *rows, last = trial_table([trial], names)
    assert all(len(row) <= 80 for row in (*rows, last))
    assert rows[1].split() == ["12345", "complete", "0.500", "1", *["1.235e-07"] * 4]
    assert last == "  trials.csv also has setting_4, setting_5, setting_6, setting_7, setting_8"


def test_an_epoch_under_way_is_not_shown_with_the_figure_of_the_one_before(data, tmp_path, capsys):
    study = open_study(tmp_path, sweep_config(tmp_path / "s.toml", data))
    with SweepReport(study, 1) as report:
        report.log_interval_s = 0.0
        report.trial(0, {}, resumed=False, epochs=4, folder="")
        report.epoch(1, 0.25, None)
        report.step(3, 8)
        report.epoch(2, 0.5, None)
    *_, first, under_way, second = capsys.readouterr().err.splitlines()
    assert first == "trial 0: epoch 1/4, PCK@0.2 0.250"
    assert under_way == "trial 0: epoch 2/4, PCK@0.2 last 0.250"
    assert second == "trial 0: epoch 2/4, PCK@0.2 0.500"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["no.toml", "--study", "s.db", "--trials", "3"], 1, "FILE.toml: no.toml: expected a TOML file of settings"),
        (["s.toml", "--study", "sqlite://s.db", "--trials", "3"], 1, "three slashes: sqlite:///s.db"),
        (["s.toml", "--study", "s.db", "--trials", "0"], 2, "Invalid value for '--trials'"),
        (["s.toml", "--trials", "3"], 2, "Missing option '--study'"),
        (
            ["s.toml", "--study", "s.db", "--trials", "3", "--name", "a/b"],
            1,
            "--name: expected a name that a folder",
        ),
        (["s.toml", "--study", "s.db", "--trials", "3", "--run-dir", "gs://b/r"], 1, "--run-dir: expected a folder of"),
        (["s.toml", "--study", "s.toml", "--trials", "3"], 1, "expected a database of SQLite, found something else"),
        (["s.toml", "--study", "s", "--trials", "3"], 1, "--study: s is to be the folder of the trials' runs"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(arguments, code, says, data, tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(sweep_text(data))
    found, out, err = run("sweep", *arguments)
    assert (found, out) == (code, "")
    assert says in err


def test_another_file_is_refused(data, tmp_path, run):
    sweep(tmp_path, sweep_config(tmp_path / "s.toml", data), 1)
    (tmp_path / "s.toml").write_text(sweep_text(data, base=BASE.replace("epochs = 4", "epochs = 5")))
    code, out, err = run("sweep", tmp_path / "s.toml", "--study", tmp_path / "sweep.db", "--trials", 9)
    assert (code, out) == (1, "")
    assert "--study: s: was begun with another file: settings.epochs was 4, now 5." in err


def test_without_a_backend_it_says_how_to_get_one(data, tmp_path, run, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in ("tensorflow", "jax") else real(name))
    (tmp_path / "s.toml").write_text(sweep_text(data))
    code, _, err = run("sweep", tmp_path / "s.toml", "--study", tmp_path / "sweep.db", "--trials", 9)
    assert code == 1
    assert "sweep needs tensorflow, which comes with training: pip install 'cocoprep[train,sweep]'" in err


@pytest.mark.slow
def test_a_trial_that_fails_is_one_of_them_and_the_best_config_trains(data, tmp_path, run):
    file = tmp_path / "short.toml"
    file.write_text(sweep_text(data, base=SHORT, search=TWO, methods=RANDOM))
    code, out, err = run_sweep(tmp_path, file, 2)
    assert code == 0, err
    found = results(tmp_path, file, data=data, base=SHORT, search=TWO, methods=RANDOM)
    by_rate = {one[2]["optimizer.learning_rate"]: one for one in found}
    assert by_rate[1e30][1] == "failed"
    assert "is not finite" in by_rate[1e30][5]
    number, state, _, epochs, value, _ = by_rate[1e-3]
    assert (state, list(epochs)) == ("complete", [1, 2])
    assert value in epochs.values()
    assert "failed: the loss of step" in err
    best = tmp_path / "short/best.toml"
    assert str(best) in out
    assert resolve_config("r", str(best), {}, resume=False).optimizer.learning_rate == 1e-3
    assert run("train", "--config", best, "--run-dir", tmp_path / "again")[0] == 0
    trial = tmp_path / f"short/trial-{number:04d}"
    assert lines_of(tmp_path / "again", "val") == lines_of(trial, "val")


@pytest.mark.long
def test_killed_with_all_its_processes_it_is_the_undisturbed_one(data, tmp_path):
    parts = {"base": SHORT.replace("epochs = 2", "epochs = 3\ncheckpoint_steps = 2"), "search": RATES}
    parts["methods"] = METHODS
    for root in ("whole", "killed"):
        (tmp_path / root).mkdir()
        (tmp_path / root / "short.toml").write_text(sweep_text(data, **parts))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run_sweep(whole, whole / "short.toml", 4)[0] == 0
    rng, kills = random.Random(3), 0
    while True:
        process = start(killed, killed / "short.toml", 4)
        try:
            process.communicate(timeout=rng.uniform(4, 16) if kills < KILLS else None)
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
    assert process.returncode == 0
    assert kills
    found = [results(root, root / "short.toml", data=data, **parts) for root in (whole, killed)]
    assert found[0] == found[1]
    assert (whole / "short/trials.csv").read_bytes() == (killed / "short/trials.csv").read_bytes()
    for n in range(4):
        one, other = (lines_of(root / f"short/trial-{n:04d}", "val") for root in (whole, killed))
        assert one == other


@pytest.mark.long
def test_killed_alone_its_trial_ends_too_and_is_gone_on_with(data, tmp_path):
    file = tmp_path / "short.toml"
    parts = {"base": SHORT.replace("epochs = 2", "epochs = 40"), "search": RATES, "methods": RANDOM}
    file.write_text(sweep_text(data, **parts))
    process = start(tmp_path, file, 1)
    for line in process.stderr:
        if "epoch 2/40" in line:
            break
    process.kill()
    process.communicate()
    wait_until_gone(process.pid)
    code, _, err = run_sweep(tmp_path, file, 1)
    assert code == 0
    assert "trial 0 gone on with" in err
    (found,) = results(tmp_path, file, data=data, **parts)
    assert list(found[3]) == list(range(1, 41))


@pytest.mark.long
def test_two_at_once_share_the_trials(data, tmp_path):
    file = tmp_path / "short.toml"
    parts = {"base": SHORT, "search": RATES, "methods": RANDOM}
    file.write_text(sweep_text(data, **parts))
    both = [start(tmp_path, file, 4) for _ in range(2)]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    begun = sorted(line.split()[1] for _, err in said for line in err.splitlines() if " begins: " in line)
    assert begun == ["0", "1", "2", "3"]
    assert all(" begins: " in err for _, err in said)
    found = results(tmp_path, file, data=data, **parts)
    assert [one[:2] for one in found] == [(n, "complete") for n in range(4)]


@pytest.mark.long
def test_ctrl_c_saves_and_a_threshold_prunes(data, tmp_path):
    file = tmp_path / "short.toml"
    parts = {"base": SHORT.replace("epochs = 2", "epochs = 60"), "search": RATES}
    parts["methods"] = "[sweep]\npruner = { name = 'ThresholdPruner', lower = 1.0, n_warmup_steps = 5 }\n"
    file.write_text(sweep_text(data, **parts))
    process = start(tmp_path, file, 1)
    for line in process.stderr:
        if "epoch 2/60" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert "stopping: the trial finishes its step, then saves; once more to stop at once" in err
    assert f"{tmp_path}/short: the same command goes on where it stopped" in err
    code, out, _ = run_sweep(tmp_path, file, 1)
    assert code == 0
    assert "best: none, no trial is complete" in out
    (found,) = results(tmp_path, file, data=data, **parts)
    assert (found[1], list(found[3])) == ("pruned", [1, 2, 3, 4, 5, 6])
    steps = [line["step"] for line in lines_of(tmp_path / "short/trial-0000")]
    assert steps == sorted(set(steps))


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.6, 1.0, 1.6])
def test_ctrl_c_while_it_loads_is_quiet(seconds, data, tmp_path):
    """The terminal sends it to every process; whatever is there, the trial goes on later."""
    file = tmp_path / "short.toml"
    file.write_text(sweep_text(data, base=SHORT, search=RATES, methods=RANDOM))
    process = start(tmp_path, file, 1)
    for line in process.stderr:
        if "trial 0 begins" in line:
            break
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert "the same command goes on where it stopped" in err
    (found,) = results(tmp_path, file, data=data, base=SHORT, search=RATES, methods=RANDOM)
    assert found[1] == "running"


@pytest.mark.long
def test_a_trial_whose_process_is_killed_fails_alone(data, tmp_path):
    from tests.support.processes import processes

    file = tmp_path / "short.toml"
    parts = {"base": SHORT.replace("epochs = 2", "epochs = 8"), "search": RATES, "methods": RANDOM}
    file.write_text(sweep_text(data, **parts))
    process = start(tmp_path, file, 2)
    for line in process.stderr:
        if "trial 0: epoch 1/8" in line:
            break
    by_memory = {pid: _resident(pid) for pid, parent, _ in processes() if parent == process.pid}
    os.kill(max(by_memory, key=by_memory.get), signal.SIGKILL)
    out, err = process.communicate()
    assert process.returncode == 0
    found = results(tmp_path, file, data=data, **parts)
    assert [one[1] for one in found] == ["failed", "complete"]
    assert "its process was ended by SIGKILL, most likely by the kernel for want of memory" in found[0][5]
    assert "trial 0 failed: its process was ended by SIGKILL" in err
    assert "trial 1" in err + out


@pytest.mark.slow
def test_a_trial_whose_own_files_are_damaged_goes_on_once_they_are_away(data, tmp_path):
    file = tmp_path / "short.toml"
    file.write_text(sweep_text(data, base=SHORT, search=RATES, methods=RANDOM))
    trial = tmp_path / "short/trial-0000"
    trial.mkdir(parents=True)
    (trial / "config.json").write_text("{")
    code, _, err = run_sweep(tmp_path, file, 1)
    assert code == 1
    assert f"Move the trial's folder away, {trial}, and it is run again." in err
    shutil.move(trial, tmp_path / "away")
    code, _, err = run_sweep(tmp_path, file, 1)
    assert code == 0, err
    (found,) = results(tmp_path, file, data=data, base=SHORT, search=RATES, methods=RANDOM)
    assert found[1] == "complete"


def _resident(pid):
    with open(f"/proc/{pid}/statm") as stream:
        return int(stream.read().split()[1])
