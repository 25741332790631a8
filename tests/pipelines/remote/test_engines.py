"""The build on engines that are not ours: the same bytes, the same counts, the same words where it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.cli import main
from cocoprep.errors import BuildError, ConfigError
from cocoprep.pipelines.counters import disagreements
from cocoprep.pipelines.local.run import run_local_build
from cocoprep.pipelines.remote.run import run_remote_build
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.pipelines.remote.engines import ENGINES, LEAVES_THREADS, WITH_PROCESSES, end_workers, find_engine
from tests.support.people import write_people

pytestmark = LEAVES_THREADS
FILES = LocalFiles()
SMALL = {"crop": CropConfig(input_size=(32, 32)), "select": SelectConfig(shards=6, max_bad_fraction=0.5)}


def digests(folder):
    return [(shard.name, shard.sha256, shard.sidecar) for shard in read_manifest(str(folder), FILES).shards]


@pytest.fixture
def engine(request, tmp_path):
    yield find_engine(*request.param, tmp_path)
    end_workers(tmp_path)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Return a small data set in which one photograph cannot be decoded and one annotation is malformed."""
    annotations, images = write_people(tmp_path_factory.mktemp("people"), images=12)
    (images / "000000000003.jpg").write_bytes(b"not a photograph")
    coco = json.loads(annotations.read_text())
    coco["annotations"][-1]["keypoints"] = [1, 2]
    annotations.write_text(json.dumps(coco))
    return {"split": "train2017", "annotations": str(annotations), "images": str(images), **SMALL}


@pytest.fixture(scope="module")
def small_reference(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("small")
    return run_local_build(BuildConfig(out=str(out), **people), workers=2), digests(out)


def check_counters(counters, folder):
    """Every counter is what ledger and manifest say."""
    manifest, ledger = read_manifest(str(folder), FILES), read_ledger(str(folder), FILES).to_pylist()
    assert disagreements(counters, manifest) == []
    assert counters["annotations_read"] == len(ledger)
    assert counters["people_kept"] == sum(row["kept"] for row in ledger)
    for reason in manifest.counts.dropped:
        assert counters[f"dropped_{reason}"] == sum(row["reason"] == reason for row in ledger), reason
    assert counters["bytes_written"] == sum((Path(folder) / shard.name).stat().st_size for shard in manifest.shards)
    assert counters["images_unusable"] == len({row["image_id"] for row in ledger if row["reason"] == "image"})


def test_the_local_build_counts_what_the_ledger_counts(people, tmp_path):
    config = BuildConfig(out=str(tmp_path), **people)
    counters = run_local_build(config, workers=2)
    check_counters(counters, tmp_path)
    assert (counters["images_unusable"], counters["dropped_image"], counters["dropped_malformed"]) == (1, 2, 1)
    again = run_local_build(config, workers=2)
    assert disagreements(again, read_manifest(str(tmp_path), FILES)) == []
    # The shard of the photograph that cannot be read is built again: it might be there by now.
    assert (again["people_kept"], again["shards_reused"]) == (counters["people_kept"], 5)


@pytest.mark.long
def test_what_differs_is_named(people, small_reference, tmp_path):
    counters, _ = small_reference
    run_local_build(BuildConfig(out=str(tmp_path), **people), workers=1)
    manifest = read_manifest(str(tmp_path), FILES)
    twice = {**counters, "people_kept": counters["people_kept"] + 3, "dropped_new": 1}
    assert disagreements(twice, manifest) == [
        "dropped_new: 1 counted, 0 in the ledger",
        f"people_kept: {counters['people_kept'] + 3} counted, {counters['people_kept']} in the ledger",
    ]


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_the_same_bytes_and_the_same_counts(engine, people, small_reference, tmp_path):
    expected_counters, expected = small_reference
    out = tmp_path / "out"
    build = run_remote_build(BuildConfig(out=str(out), **people), engine.runner, engine.options)
    assert digests(out) == expected
    assert verify_folder(str(out), FILES).problems == []
    assert build.counters == expected_counters
    check_counters(build.counters, out)


@pytest.mark.long
@pytest.mark.parametrize("engine", WITH_PROCESSES, indirect=True)
def test_real_photographs(engine, coco_mini, tmp_path):
    config = {
        "split": "train2017",
        "annotations": str(coco_mini / "annotations" / "person_keypoints_train2017.json"),
        "images": str(coco_mini / "train2017"),
    }
    run_local_build(BuildConfig(out=str(tmp_path / "here"), **config))
    build = run_remote_build(BuildConfig(out=str(tmp_path / "there"), **config), engine.runner, engine.options)
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
    check_counters(build.counters, tmp_path / "there")


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_workers_error_comes_back_as_itself(engine, people, tmp_path):
    out = tmp_path / "out"
    config = BuildConfig(out=str(out), **{**people, "select": SelectConfig(min_keypoints=18, max_bad_fraction=0.5)})
    with pytest.raises(BuildError) as failure:
        run_remote_build(config, engine.runner, engine.options)
    assert "no annotation is kept of 36 read" in str(failure.value)
    assert str(failure.value).endswith("or lower --min-keypoints.")
    assert not (out / "manifest.json").exists()


@pytest.mark.parametrize("engine", WITH_PROCESSES[:1], indirect=True)
def test_the_command_line_on_an_engine(engine, people, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([
            "build", "--split", "train2017", "--annotations", people["annotations"], "--images", people["images"],
            "--out", str(tmp_path / "out"), "--input-size", "32", "--max-bad-fraction", "0.5", "--no-ceiling",
            "--runner", engine.runner, "--", *engine.options,
        ])  # fmt: skip
    said = capsys.readouterr()
    assert exit_.value.code == 0, said.err
    assert "people kept" in said.out
    assert f"building on {engine.runner}" in said.err
    assert "counted: annotations_read 36, bytes_written" in said.err
    assert "warning" not in said.err


def children_of(pid):
    """Return (pid, command) of all that a process has started, and of what that has started."""
    found, parents = [], {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (entry / "cmdline").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents.setdefault(parent, []).append((int(entry.name), command))
    waiting = [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.append(child)
            waiting.append(child[0])
    return found


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Return a drawn data set that takes an engine some seconds."""
    folder = tmp_path_factory.mktemp("sample") / "coco"
    with pytest.raises(SystemExit):
        main(["sample", str(folder), "--images", "120"])
    return folder


@pytest.mark.long
@pytest.mark.parametrize("engine", WITH_PROCESSES, indirect=True)
def test_a_worker_that_is_killed(engine, sample, tmp_path):
    """The job fails clearly; the same command completes it, from the shards that are there, to the same bytes."""
    out = tmp_path / "out"
    command = [
        sys.executable, "-m", "cocoprep", "build", "--data-dir", str(sample), "--split", "train2017", "--shards", "12",
        "--no-ceiling", "--out",
    ]  # fmt: skip
    on_engine = [*command, str(out), "--runner", engine.runner, "--", *engine.options]
    build = subprocess.Popen(on_engine, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 60
    while len(list(out.glob("*-of-00012.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = [pid for pid, command in children_of(build.pid) if "sdk_worker_main" in command]
    assert workers
    os.kill(workers[-1], signal.SIGKILL)
    output, _ = build.communicate(timeout=120)
    assert build.returncode == 1, output
    assert f"error: {engine.runner}: the job failed. Finished shards are kept: the same command goes on" in output
    assert "Traceback" not in output.split("The engine says:")[0]
    assert not (out / "manifest.json").exists()
    again = subprocess.run(on_engine, check=False, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert "shards_reused" in again.stderr
    assert "warning" not in again.stderr
    here = subprocess.run([*command, str(tmp_path / "here")], check=False, capture_output=True, text=True, timeout=120)
    assert here.returncode == 0, here.stderr
    assert digests(out) == digests(tmp_path / "here")
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


@pytest.mark.long
@pytest.mark.parametrize("engine", WITH_PROCESSES, indirect=True)
def test_an_interrupted_build_ends_its_job(engine, sample, tmp_path):
    out = tmp_path / "out"
    build = subprocess.Popen(
        [
            sys.executable, "-m", "cocoprep", "build", "--data-dir", str(sample), "--split", "train2017",
            "--shards", "12", "--no-ceiling", "--out", str(out), "--runner", engine.runner, "--", *engine.options,
        ],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(out.glob("*-of-00012.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    started = children_of(build.pid)
    build.send_signal(signal.SIGINT)
    output, _ = build.communicate(timeout=30)
    assert build.returncode == 130, output
    assert "stopped. Finished shards are kept: the same command goes on where it stopped." in output
    assert "Traceback" not in output
    deadline = time.monotonic() + 10
    while (left := [p for p, _ in started if Path(f"/proc/{p}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


# Refusals, for which no engine is needed.


def test_a_cluster_of_flink_needs_to_know_how_python_runs_there(people, tmp_path):
    config = BuildConfig(out=str(tmp_path / "out"), **people)
    with pytest.raises(ConfigError, match="--environment_type: on a Flink cluster, say how its machines run Python"):
        run_remote_build(config, "FlinkRunner", ["--flink_master=cluster:8081"])
    with pytest.raises(ConfigError, match="--parallelism: on a Flink cluster"):
        run_remote_build(config, "FlinkRunner", ["--flink_master=cluster:8081", "--environment_type=EXTERNAL"])


def test_an_engine_that_does_not_come_up(people, tmp_path):
    config = BuildConfig(out=str(tmp_path / "out"), **people)
    with pytest.raises(BuildError, match=r"FlinkRunner: the job failed.*not-there"):
        run_remote_build(config, "FlinkRunner", [f"--flink_job_server_jar={tmp_path}/not-there.jar"])
    with pytest.raises(ConfigError, match=r"--runner: expected 'local' or a runner of Beam's.*'NoRunner'"):
        run_remote_build(config, "NoRunner")
    with pytest.raises(ConfigError, match="--runner cannot be set"):
        run_remote_build(config, "FlinkRunner", ["--runner=DataflowRunner"])


def test_progress_is_what_the_output_folder_shows(people, tmp_path):
    seen = []
    out = tmp_path / "out"
    run_remote_build(BuildConfig(out=str(out), **people), "FnApiRunner", on_progress=seen.append, progress_s=0.01)
    assert seen[0].shards is None
    assert any(progress.shards == 6 for progress in seen)
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
