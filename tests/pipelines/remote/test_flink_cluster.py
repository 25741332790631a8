"""The build on a Flink cluster of two task managers, one of which is lost: the same bytes in the end."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from cocoprep.cli import main
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.pipelines.remote.engines import end_workers
from tests.pipelines.remote.flink_cluster import FlinkCluster

pytestmark = [pytest.mark.flink, pytest.mark.timeout(480)]
FILES = LocalFiles()
SHARDS = 12


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flink")
    with FlinkCluster(folder) as cluster:
        cluster.start_task_managers(2)
        yield cluster
    end_workers(folder)


def build(data, out, *options):
    """Return the command of a build."""
    engine = ["--runner", "FlinkRunner", "--", *options] if options else []
    return [
        sys.executable, "-m", "cocoprep", "build", "--split", "train2017", "--data-dir", str(data), "--out", str(out),
        "--shards", str(SHARDS), "--no-ceiling", *engine,
    ]  # fmt: skip


def run(command):
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done


def digests(folder):
    return [(shard.name, shard.sha256, shard.sidecar) for shard in read_manifest(str(folder), FILES).shards]


def test_two_machines_write_as_many_shards_each_and_the_same_bytes(cluster, coco_mini, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    run(build(coco_mini, here))
    done = run(build(coco_mini, there, *cluster.options()))
    assert digests(there) == digests(here)
    assert verify_folder(str(there), FILES).problems == []
    assert list(cluster.shards_written().values()) == [SHARDS // 2, SHARDS // 2]
    # The counters that came back are the ledger's: what differs would be a warning.
    assert "counted: annotations_read 172, bytes_written" in done.stderr
    assert "people_kept 86" in done.stderr
    assert "warning" not in done.stderr


@pytest.mark.long
def test_a_machine_that_is_lost(cluster, tmp_path):
    """The job fails clearly; a new machine and the same command complete it, from the shards that are there."""
    with pytest.raises(SystemExit):
        main(["sample", str(tmp_path / "coco"), "--images", "300"])
    out = tmp_path / "out"
    command = build(tmp_path / "coco", out, *cluster.options())
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 180
    while len(list(out.glob(f"*-of-{SHARDS:05}.json"))) < 2 and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    cluster.kill_task_manager()
    output, _ = job.communicate(timeout=120)
    assert job.returncode == 1, output
    assert "error: FlinkRunner: the job failed. Finished shards are kept: the same command goes on" in output
    assert not (out / "manifest.json").exists()
    cluster.start_task_managers(1)
    again = run(command)
    assert "shards_reused" in again.stderr
    assert "warning" not in again.stderr
    run(build(tmp_path / "coco", tmp_path / "here"))
    assert digests(out) == digests(tmp_path / "here")
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
