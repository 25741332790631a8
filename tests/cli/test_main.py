"""The command line: exit codes, messages, and the whole job in one go."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from cocoprep.cli import COMMANDS
from cocoprep.pose.crop_config import CropConfig
from tests.support.building import build_folder


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(images=8, size=(32, 32), shards=2)


@pytest.fixture(scope="module")
def coco(built):
    return built.parent / "coco"


@pytest.fixture
def copy(built, tmp_path, run):
    assert run("stage", built, tmp_path / "copy")[0] == 0
    return tmp_path / "copy"


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help(command, run):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert out.startswith("Usage: cocoprep")
    assert len(out.splitlines()) > 5


def test_every_command_is_in_the_help(run):
    _, out, _ = run("--help")
    assert all(name in out for name in COMMANDS)


def test_version(run):
    from cocoprep import __version__

    assert __version__ in run("--version")[1]


def test_pictures_need_nothing_of_the_notebook_it_is_called_from():
    code = "from cocoprep.cli import main\ntry:\n    main(['--version'])\nfinally:\n    import matplotlib"
    notebook = {**os.environ, "MPLBACKEND": "not_installed_here"}
    result = subprocess.run([sys.executable, "-c", code], env=notebook, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["no-such-command"], 2, "No such command"),
        (["build", "--no-such-option"], 2, "No such option"),
        (["build", "--input-size", "large", "--split", "x"], 2, "expected a number such as 256"),
        (["build"], 1, "--split: expected the name of a split"),
        (
            ["build", "--split", "train2017", "--data-dir", "/nowhere"],
            1,
            "expected photographs in /nowhere/train2017, /nowhere/train2017.zip or",
        ),
        (["build", "--split", "a/b", "--annotations", "a", "--images", "b"], 1, "--split: expected ASCII"),
        (
            ["build", "--split", "x", "--annotations", "a", "--images", "b", "--sigma", "-1"],
            1,
            "--sigma: expected a number from",
        ),
        (
            ["build", "--split", "x", "--annotations", "s3://b/a.json", "--images", "b"],
            1,
            "--annotations: expected a path",
        ),
        (["sample", "gs://bucket/coco"], 1, "DIR: expected a folder of this machine"),
        (["verify", "/nowhere"], 1, "no manifest.json"),
        (["info", "/nowhere"], 1, "no manifest.json"),
        (["show", "/nowhere", "1"], 1, "no manifest.json"),
        (["contact-sheet", "/nowhere"], 1, "no manifest.json"),
    ],
)
def test_what_fails_says_why(arguments, code, says, run):
    found, out, err = run(*arguments)
    assert found == code
    assert says in out + err
    assert "Traceback" not in out + err


def test_an_unexpected_error_is_one_line(run, monkeypatch):
    import cocoprep.shards.manifest

    def broken(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(cocoprep.shards.manifest, "read_manifest", broken)
    code, _, err = run("info", "/nowhere")
    assert code == 3
    assert "ZeroDivisionError: oh" in err
    assert "COCOPREP_DEBUG=1" in err


def test_an_interrupt_exits_with_130(run, monkeypatch):
    import cocoprep.shards.manifest

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cocoprep.shards.manifest, "read_manifest", interrupted)
    assert run("info", "/nowhere")[0] == 130


def test_a_dry_run_writes_nothing(coco, tmp_path, run):
    code, out, _ = run(
        "build", "--data-dir", coco, "--split", "train2017", "--out", tmp_path / "out", "--dry-run", "--limit", "3"
    )
    assert code == 0
    assert not (tmp_path / "out").exists()
    for expected in (
        "annotations read",
        "24",
        "dropped: zero_keypoints",
        "dropped: limit",
        "10",
        "Nothing was written",
    ):
        assert expected in out


def test_the_whole_job_in_a_fresh_process(coco, tmp_path):
    """build, verify, info, show and contact-sheet, with the outputs a user sees."""
    environment = {**os.environ, "COLUMNS": "120"}

    def cocoprep(*arguments):
        run = subprocess.run(
            [sys.executable, "-m", "cocoprep", *map(str, arguments)],
            capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
        )  # fmt: skip
        assert "Traceback" not in run.stderr
        return run

    build = cocoprep("build", "--data-dir", coco, "--split", "train2017", "--input-size", "64x48", "--workers", "2")
    assert build.returncode == 0, build.stderr
    for expected in ("people kept", "16", "codec ceiling, kept people", "mean guess", "64 x 48", "crops/s"):
        assert expected in build.stdout
    out = tmp_path / "data" / "shards" / "train2017"
    assert (out / "manifest.json").exists()
    assert "all good" in cocoprep("verify", out).stdout
    assert "codec ceiling" in cocoprep("info", out).stdout
    assert cocoprep("show", out, "102").returncode == 0
    assert (tmp_path / "show-102.png").stat().st_size > 10_000
    assert cocoprep("contact-sheet", out, "--out", "sheet.png").returncode == 0
    shard = max(out.glob("*-of-00016"), key=lambda path: path.stat().st_size)
    data = bytearray(shard.read_bytes())
    data[50] ^= 1
    shard.write_bytes(bytes(data))
    verify = cocoprep("verify", out)
    assert verify.returncode == 1
    assert f"{shard.name}, record 0" in verify.stdout
    again = cocoprep("build", "--data-dir", coco, "--split", "train2017", "--input-size", "64x48", "--workers", "2")
    assert "15 kept from an earlier run" in again.stdout
    assert "all good" in cocoprep("verify", out).stdout


def test_the_result_alone_is_on_stdout(built, tmp_path, run, monkeypatch):
    monkeypatch.setattr("cocoprep.cli.progress.CountProgress.log_interval_s", 0.0)
    monkeypatch.setattr("cocoprep.cli.progress._RATE_FROM_S", 1e-9)
    code, out, err = run("verify", built)
    assert code == 0
    assert re.fullmatch(rf"{built}: 2 shards, 16 records, \d+ bytes: all good\n", out)
    assert re.search(r"^verifying: 2/2 shards  [\d.]+ shards/s, about 0 s left$", err, re.M)
    code, out, err = run("sample", tmp_path / "sample", "--images", "4", "--workers", "1")
    assert code == 0
    assert out.startswith(f"{tmp_path}/sample: 4 images for training, 1 for validation")
    assert len(out.splitlines()) == 1
    assert "drawing: 5/5 images" in err


@pytest.mark.parametrize("pattern", ["*-00001-of-00002", "*-00001-of-00002.json", "ledger.parquet", "manifest.json"])
def test_a_damaged_copy_is_mended_as_verify_says(pattern, built, copy, run):
    (wrong,) = copy.glob(pattern)
    damage(wrong)
    code, out, err = run("verify", copy)
    assert code == 1
    assert wrong.name in out
    assert "Run the same `cocoprep build` again" in err
    assert "Of a copy, remove the files named, then run the same `cocoprep stage` again." in err
    wrong.unlink()
    assert run("stage", built, copy)[0] == 0
    assert run("verify", copy)[0] == 0


@pytest.mark.parametrize(
    ("name", "harm", "command"),
    [
        ("baseline.npz", damage, "info"),
        ("baseline.npz", lambda path: path.write_bytes(path.read_bytes()[:-1]), "info"),
        ("baseline.npz", lambda path: path.unlink(), "info"),
        ("ledger.parquet", lambda path: path.write_bytes(b"PAR1"), "show"),
        ("ledger.parquet", lambda path: path.unlink(), "show"),
    ],
)
def test_a_damaged_summary_is_one_error(name, harm, command, copy, run):
    harm(copy / name)
    code, _, err = run(command, copy, *(["101"] if command == "show" else []))
    assert code == 1
    assert re.match(rf"error: {copy}/{name}: (cannot be read|damaged) .* ?[Bb]uild the folder again", err)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--", "--some_beam_option=1"], "Beam does not know --some_beam_option"),
        (["--", "--direct_running_mode=multi_threading"], "--direct_running_mode cannot be set"),
        (["--", "--direct_num_workers=abc"], "Beam cannot read these options"),
        (["val2017"], "found 'val2017'. A build makes one split"),
        (["--", "--job_name=named", "stray"], "expected nothing but options of Beam's after --, found 'stray'"),
        (["--runner", "Bogus"], "--runner: expected 'local' or a runner of Beam's"),
        (["--runner", "FnApiRunner", "--workers", "2"], "--workers is for the local build"),
        (["--runner", "FnApiRunner", "--", "--some_beam_option=1"], "Beam does not know --some_beam_option"),
        (
            ["--runner", "FnApiRunner", "--annotations", "/nowhere.json"],
            "--annotations: /nowhere.json: expected a COCO",
        ),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_engine_options_that_cannot_work_touch_nothing(arguments, dry, says, coco, tmp_path, run):
    code, out, err = run(
        "build", "--data-dir", coco, "--split", "train2017", "--out", tmp_path / "out", *dry, *arguments
    )  # fmt: skip
    assert code == 1
    assert says in err
    assert "Traceback" not in out + err
    assert "while running" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_the_folder_one_stands_in_is_no_code(coco, tmp_path, monkeypatch, run):
    """A file called copy.py, beside the data, must not take the place of Python's own."""
    for name in ("copy.py", "queue.py", "cocoprep.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    code, _, err = run(
        "build", "--data-dir", coco, "--split", "train2017", "--out", "run[1] [/x]", "--input-size", "32"
    )
    assert code == 0, err
    code, out, _ = run("info", "run[1] [/x]")
    assert code == 0
    assert "run[1] [/x]" in out


@pytest.mark.usefixtures("without_engine")
def test_a_second_run_says_that_there_was_nothing_to_do(coco, tmp_path, run):
    arguments = ("build", "--data-dir", coco, "--split", "train2017", "--out", tmp_path / "out", "--input-size", "32")
    assert run(*arguments)[0] == 0
    code, out, _ = run(*arguments)
    assert code == 0
    assert "nothing to build" in out
    assert "16 kept from an earlier run" in out


@pytest.mark.usefixtures("without_engine")
def test_a_dry_run_refuses_what_the_build_would_refuse(coco, tmp_path, run):
    arguments = ("build", "--data-dir", coco, "--split", "train2017", "--out", tmp_path / "out", "--input-size")
    assert run(*arguments, "32")[0] == 0
    code, _, err = run(*arguments, "48", "--dry-run")
    assert code == 1
    assert "holds shards made in another way" in err


def test_a_beam_runner_by_name_and_beam_options(coco, tmp_path, run):
    code, out, err = run(
        "build", "--data-dir", coco, "--split", "train2017", "--out", tmp_path, "--input-size", "32", "--no-ceiling",
        "--runner", "FnApiRunner", "--", "--job_name=named",
    )  # fmt: skip
    assert code == 0, err
    assert "people kept" in out
    alone = tmp_path / "alone"
    from cocoprep.shards.manifest import read_manifest
    from cocoprep.storage.local import LocalFiles

    expected = build_folder(
        alone, annotations=coco / "annotations" / "person_keypoints_train2017.json", images=coco / "train2017",
        crop=CropConfig(input_size=(32, 32)),
    )  # fmt: skip
    assert read_manifest(str(tmp_path), LocalFiles()).shards == expected.shards


def test_training_without_its_libraries_says_how_to_get_them(run, monkeypatch, tmp_path):
    pytest.importorskip("tensorflow")
    from cocoprep.model.training import open_run  # noqa: F401 - so that only one import fails

    monkeypatch.delitem(sys.modules, "cocoprep.model.training.open_run")
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.delitem(sys.modules, "cocoprep.model.training.trainee")
    code, _, err = run("train", "--data", tmp_path, "--run-dir", tmp_path / "run")
    assert code == 1
    assert "needs keras" in err
    assert "pip install 'cocoprep[train]'" in err


@pytest.fixture
def augment_in(built, tmp_path):
    """Run `augment` with another cv2."""

    def augment_in(cv2):
        (tmp_path / "cv2.py").write_text(cv2)
        return subprocess.run(
            [sys.executable, "-c", "from cocoprep.cli import main; main()", "augment", built, "--out", "sheet.png"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return augment_in


def test_augmentation_without_its_libraries_says_how_to_get_them(augment_in):
    found = augment_in("raise ModuleNotFoundError(\"No module named 'cv2'\", name='cv2')")
    assert found.returncode == 1
    assert found.stderr.startswith("error: this command needs cv2")
    assert "pip install 'cocoprep[train]'" in found.stderr


def test_augmentation_whose_library_does_not_load_says_why(augment_in):
    """It is installed, so to install it is no cure."""
    found = augment_in("raise ImportError('libGL.so.1: cannot open shared object file')")
    assert found.returncode == 3
    assert "libGL.so.1: cannot open shared object file" in found.stderr
    assert "pip install" not in found.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "--split", "train2017", "--out", ""),
        ("build", "--split", ""),
        ("verify", ""),
        ("predict", "--run", "r", "a.jpg", ""),
        ("show", "d", "1", "--out="),
    ],
)
def test_nothing_is_no_value(arguments, run, tmp_path, monkeypatch):
    """A variable that was not set in a script must not become the default."""
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "expected a value, found nothing" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("train", "--data", "a", "--run-dir", "r", "--run-dir", "s"), "--run-dir"),
        (("evaluate", "--data=a", "--run", "r", "--data=b"), "--data"),
        (("build", "--split", "a", "--out", "x", "--out=y"), "--out"),
        (("evaluate", "--run", "a", "--run-dir", "b", "--data", "d"), "--run"),
    ],
)
def test_one_value_is_not_dropped_for_another(arguments, option, run):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert f"{option}" in err
    assert "expected one value, found several" in err


def test_several_are_taken_where_an_option_takes_them(run):
    code, _, err = run("build", "--split", "a", "--runner", "NoRunner", "--", "--option=1", "--option=2", "--out=x")
    assert "several" not in err
    assert code == 1
