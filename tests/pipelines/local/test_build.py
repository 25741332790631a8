"""The pipeline on real engines: the same bytes whatever runs it, and nothing lost."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import apache_beam as beam
import psutil
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.errors import AnnotationError, BuildError, ConfigError, OutputError
from cocoprep.pipelines.build import BuildShards
from cocoprep.pipelines.local import run as local
from cocoprep.pipelines.local.run import run_local_build
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people
from tests.support.slow_files import SlowFiles

ROOT = Path(__file__).parents[3]


def digests(folder):
    return [(shard.name, shard.sha256, shard.sidecar) for shard in read_manifest(str(folder), LocalFiles()).shards]


@pytest.fixture(scope="module")
def coco_config(coco_mini):
    def config(out, **changes):
        values = {
            "split": "train2017",
            "annotations": str(coco_mini / "annotations" / "person_keypoints_train2017.json"),
            "images": str(coco_mini / "train2017"),
            "out": str(out),
        }
        return BuildConfig(**{**values, **changes})

    return config


@pytest.fixture(scope="module")
def reference(coco_config, tmp_path_factory):
    """Return the digests of a build by plain function calls, without an engine."""
    out = tmp_path_factory.mktemp("reference")
    config = coco_config(out)
    build_folder(out, annotations=config.annotations, images=config.images)
    return digests(out)


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_gives_the_same_bytes(workers, coco_config, reference, tmp_path):
    run_local_build(coco_config(tmp_path), workers=workers)
    assert digests(tmp_path) == reference
    assert verify_folder(str(tmp_path), LocalFiles()).problems == []


@pytest.mark.long
def test_a_space_in_the_interpreters_path(coco_config, reference, tmp_path):
    prefix = tmp_path / "a space"
    prefix.symlink_to(sys.prefix)
    python, config = str(prefix / "bin" / "python"), coco_config(tmp_path / "out")
    command = [python, "-m", "cocoprep", "build", "--split", "train2017", "--annotations", config.annotations]
    command += ["--images", config.images, "--out", config.out, "--no-ceiling", "--workers", "2"]
    workers = set()
    with psutil.Popen(command, stdout=subprocess.DEVNULL) as build:
        while build.poll() is None:
            for process in build.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    line = process.cmdline()
                    if "cocoprep.pipelines.local.worker" in line:
                        workers.add((process.pid, line[0]))
            time.sleep(0.02)
    assert build.returncode == 0
    assert [interpreter for _, interpreter in workers] == [python, python]
    assert digests(tmp_path / "out") == reference


@pytest.mark.long
def test_work_that_takes_long_is_not_taken_for_being_stuck(people, tmp_path, monkeypatch):
    annotations, _ = people
    monkeypatch.setattr(local, "STUCK_LOOKS", 6)
    monkeypatch.setattr(local, "LOOK_S", 0.2)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # where the processes of the build find `SlowFiles`
    slow = SlowFiles(str(annotations), 3 * local.STUCK_LOOKS * local.LOOK_S)
    counters = run_local_build(small(people, tmp_path / "out"), workers=1, files=slow)
    assert counters["annotations_read"] == 30


def test_how_many_workers_there_are_is_not_beams_to_say(coco_config, tmp_path):
    with pytest.raises(ConfigError, match="--direct_num_workers cannot be set"):
        run_local_build(coco_config(tmp_path), beam_options=["--direct_num_workers=3"])


@pytest.mark.parametrize("kind", ["zip", pytest.param("tar", marks=pytest.mark.long)])
def test_an_archive_and_a_shuffled_file_give_the_same_bytes(kind, coco_mini, coco_config, reference, tmp_path):
    shutil.make_archive(str(tmp_path / "train2017"), kind, coco_mini, "train2017")
    coco = json.loads((coco_mini / "annotations" / "person_keypoints_train2017.json").read_text())
    random.Random(0).shuffle(coco["annotations"])
    random.Random(1).shuffle(coco["images"])
    shuffled = tmp_path / "shuffled.json"
    shuffled.write_text(json.dumps(coco))
    out = tmp_path / "out"
    run_local_build(coco_config(out, annotations=str(shuffled), images=str(tmp_path / f"train2017.{kind}")))
    assert digests(out) == reference


def test_another_runner_gives_the_same_bytes_and_counts_what_the_ledger_counts(coco_config, reference, tmp_path):
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))
    _ = pipeline | BuildShards(coco_config(tmp_path))
    result = pipeline.run()
    result.wait_until_finish()
    assert digests(tmp_path) == reference
    counters = {c.key.metric.name: c.committed for c in result.metrics().query()["counters"]}
    counts = read_manifest(str(tmp_path), LocalFiles()).counts
    assert counters["annotations_read"] == counts.annotations
    assert counters["people_kept"] == counts.people
    assert counters["dropped_zero_keypoints"] == counts.dropped["zero_keypoints"]
    assert counters["bytes_written"] == sum(shard.bytes for shard in read_manifest(str(tmp_path), LocalFiles()).shards)


def test_the_job_graph_is_small_and_holds_no_data(coco_config, tmp_path):
    pipeline = beam.Pipeline(options=PipelineOptions([]))
    _ = pipeline | BuildShards(coco_config(tmp_path))
    assert len(pipeline.to_runner_api().SerializeToString()) < 1_000_000


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"), images=10)


def small(people, folder, **changes):
    annotations, images = people
    values = {
        "split": "train2017",
        "annotations": str(annotations),
        "images": str(images),
        "out": str(folder),
        "crop": CropConfig(input_size=(32, 32)),
        "select": SelectConfig(shards=4),
    }
    return BuildConfig(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        (
            {"annotations": "/nowhere/a.json"},
            ConfigError,
            "--annotations: /nowhere/a.json: expected a COCO keypoints file, found nothing",
        ),
        pytest.param(
            {"images": "/nowhere/images"},
            ConfigError,
            "--images: expected a folder, a .zip or a .tar",
            marks=pytest.mark.long,
        ),
        pytest.param({"out": "/proc/nowhere"}, OutputError, "cannot write /proc/nowhere", marks=pytest.mark.long),
        ({"select": SelectConfig(min_keypoints=18)}, BuildError, "no annotation is kept of 30 read"),
    ],
)
def test_a_workers_error_comes_back_as_itself(people, tmp_path, changes, error, says):
    with pytest.raises(error, match=says):
        run_local_build(small(people, tmp_path / "out", **changes), workers=1)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.long
def test_an_annotation_file_that_is_none(people, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"images": [')
    with pytest.raises(AnnotationError, match=r"broken\.json: not valid JSON"):
        run_local_build(small(people, tmp_path / "out", annotations=str(broken)), workers=1)


def test_progress_counts_every_person_and_tells_what_was_there(people, tmp_path):
    seen = []
    config = small(people, tmp_path)
    run_local_build(config, workers=2, on_progress=lambda plan, done: seen.append((plan, done)))
    plan, done = seen[-1]
    assert (plan.images, plan.people, plan.shards) == (10, 20, 4)
    assert (done.images, done.crops, done.reused_crops, done.reused_shards) == (10, 20, 0, 0)
    run_local_build(config, workers=2, on_progress=lambda plan, done: seen.append((plan, done)))
    _, done = seen[-1]
    assert (done.crops, done.reused_crops, done.reused_shards) == (20, 20, 4)
