"""Builds that are killed at random moments: nothing broken, nothing left behind, the same bytes in the end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cocoprep.sample import write_sample
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.sidecar import read_sidecar
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.digests import digest_file
from cocoprep.storage.local import LocalFiles
from tests.support.processes import NEEDS_PROC, driver_of, wait_for, wait_until_gone, workers_of

pytestmark = NEEDS_PROC

WORKERS = 2
IMAGES, COPIES = 16, 40
SHARDS = 16


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """Return the arguments of a build of drawn photographs, each used several times so that it takes a while."""
    folder = tmp_path_factory.mktemp("kills")
    write_sample(folder, images=IMAGES, val_fraction=0)
    coco = json.loads((folder / "annotations" / "person_keypoints_train2017.json").read_text())
    images, annotations = [], []
    for copy in range(COPIES):
        shift = copy * 10**6
        images += [{**image, "id": image["id"] + shift} for image in coco["images"]]
        annotations += [
            {**a, "id": a["id"] * COPIES + copy, "image_id": a["image_id"] + shift} for a in coco["annotations"]
        ]
    path = folder / "annotations.json"
    path.write_text(json.dumps({**coco, "images": images, "annotations": annotations}))
    return [
        "--split", "train2017", "--annotations", str(path), "--images", str(folder / "train2017"),
        "--shards", str(SHARDS), "--no-ceiling", "--workers", str(WORKERS),
    ]  # fmt: skip


def start(arguments, out):
    return subprocess.Popen(
        [sys.executable, "-m", "cocoprep", "build", *arguments, "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def finish(build):
    output, _ = build.communicate(timeout=120)
    return build.returncode, output


def check_what_is_there(out):
    """Every finished shard is whole; nothing half-written stands under a final name."""
    files = LocalFiles()
    for path in out.glob("cocoprep-*-of-*[0-9]"):
        sidecar = read_sidecar(str(out), path.name, files)
        if sidecar is not None:
            assert digest_file(str(path), files).sha256 == sidecar.sha256
    if (out / "manifest.json").exists():
        assert verify_folder(str(out), files).problems == []


def digests(out):
    return [(s.name, s.sha256, s.sidecar.sha256) for s in read_manifest(str(out), LocalFiles()).shards]


@pytest.fixture(scope="module")
def reference(arguments, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    code, output = finish(start(arguments, out))
    assert code == 0, output
    return digests(out)


def finished_shards(out):
    """Return how many shards stand beside their sidecars."""
    return sum(path.with_suffix("").exists() for path in out.glob("cocoprep-*.json"))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kills", [pytest.param(2, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.long)])
def test_kills_and_the_same_bytes(arguments, reference, tmp_path, kills):
    rng, out, ends = random.Random(0), tmp_path / "out", []
    for _ in range(kills):
        there = finished_shards(out)
        build = start(arguments, out)
        if rng.random() < 0.3:  # while it starts
            time.sleep(rng.uniform(0.3, 2))
        else:
            target = there + rng.randrange(max(1, SHARDS - there))
            wait_for(
                lambda target=target, build=build: finished_shards(out) > target or build.poll() is not None, "end"
            )
        driver = driver_of(build.pid)
        victim = rng.choice(["parent", "worker", "worker", "driver"])
        targets = {"parent": [build.pid], "driver": [driver], "worker": workers_of(driver) if driver else []}[victim]
        for target in rng.sample(targets, k=min(1, len(targets))):
            if target is not None:
                os.kill(target, signal.SIGKILL)
        code, output = finish(build)
        ends.append((victim, code))
        assert "Traceback" not in output.split("The end of the log:")[0]
        assert code in ((-signal.SIGKILL, 0) if victim == "parent" else (0, 1)), output
        if code == 1:
            assert "the same command goes on where it stopped" in output
        if driver is not None:
            wait_until_gone(driver)
        check_what_is_there(out)
        (out / "manifest.json").unlink(missing_ok=True)
        for path in sorted(out.glob("cocoprep-*"))[:: rng.randrange(2, 5)]:
            path.unlink()  # so that there is work to be killed in, every time
    code, output = finish(start(arguments, out))
    assert code == 0, output
    assert digests(out) == reference
    assert not list(out.glob(".*"))
    assert sum(code != 0 for _, code in ends) >= kills // 5, ends


def command_lines(driver):
    """Return the command line of every worker and shell of a driver, by process id."""
    found = {}
    for pid in workers_of(driver):
        try:
            found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return {pid: line for pid, line in found.items() if "cocoprep.pipelines.local.worker" in " ".join(line)}


def kill_one(driver, kind):
    """Kill one of the driver's workers, or the shell of one."""
    lines = command_lines(driver)
    shells = [pid for pid, line in lines.items() if line[1] == "-c"]
    os.kill((shells if kind == "shell" else [pid for pid in lines if pid not in shells])[0], signal.SIGKILL)


@pytest.mark.parametrize(
    ("moment", "kind", "status"),
    [
        ("between shards", "worker", "-9"),
        ("before the first shard", "shell", "unknown"),
        pytest.param("between shards", "shell", "unknown", marks=pytest.mark.long),
        pytest.param("before the first shard", "worker", "-9", marks=pytest.mark.long),
    ],
)
def test_a_lost_worker_ends_the_build_in_seconds(arguments, tmp_path, kind, status, moment):
    build = start(arguments, tmp_path)
    driver = wait_for(lambda: driver_of(build.pid), "driver")
    wait_for(lambda: len(command_lines(driver)) == 2 * WORKERS, "workers")
    if moment == "between shards":
        wait_for(lambda: list(tmp_path.glob("cocoprep-*.json")), "shards")
    kill_one(driver, kind)
    killed = time.monotonic()
    code, output = finish(build)
    assert time.monotonic() - killed < 15
    assert code == 1
    assert f"a worker process ended in the middle of its work (exit status {status})" in output
    assert "try fewer --workers" in output
    assert "the same command goes on where it stopped" in output
    wait_until_gone(driver)
    check_what_is_there(tmp_path)


@pytest.mark.long
def test_a_worker_killed_after_the_last_shard_does_no_harm(arguments, reference, tmp_path):
    """Before the manifest, the build may end and go on; after it, there is nothing left to lose."""
    build = start(arguments, tmp_path)
    driver = wait_for(lambda: driver_of(build.pid), "driver")
    wait_for(lambda: finished_shards(tmp_path) == SHARDS, "all shards")
    with suppress(IndexError, ProcessLookupError):  # it may have ended already
        kill_one(driver, "worker")
    code, output = finish(build)
    assert code == 0 or "a worker process ended in the middle of its work (exit status -9)" in output
    wait_until_gone(driver)
    check_what_is_there(tmp_path)
    assert finish(start(arguments, tmp_path))[0] == 0
    assert digests(tmp_path) == reference


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_a_polite_end_leaves_no_process_and_no_temporary(arguments, reference, tmp_path, number, code):
    build = start(arguments, tmp_path)
    wait_for(lambda: list(tmp_path.glob("cocoprep-*.json")), "shards")  # the others are still to come
    driver = driver_of(build.pid)
    build.send_signal(number)
    ended, output = finish(build)
    assert ended == code, output
    assert "Traceback" not in output
    wait_until_gone(driver)
    assert not list(tmp_path.glob(".*"))
    check_what_is_there(tmp_path)
    ended, output = finish(start(arguments, tmp_path))
    assert ended == 0
    assert digests(tmp_path) == reference
