"""Two real builds at once into one folder: the second is told; were it not, the folder would be of one, or unmarked."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from cocoprep.shards.names import MANIFEST, UNDER_WAY
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.people import write_people

SHARDS = 6


def start(annotations, images, out):
    command = [
        sys.executable, "-m", "cocoprep", "build", "--split", "train2017", "--annotations", annotations,
        "--images", images, "--out", out, "--input-size", "64", "--shards", SHARDS, "--workers", "1", "--no-ceiling",
    ]  # fmt: skip
    return subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_second_is_told(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=40)
    out = tmp_path / "out"
    first = start(annotations, images, out)
    while not (out / UNDER_WAY).exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # its workers go on, as on an engine; only the mark is not refreshed
    mark = json.loads((out / UNDER_WAY).read_text())
    second = start(annotations, images, out)
    while second.poll() is None:
        (out / "new").write_text(json.dumps({**mark, "refreshed": time.time()}))
        (out / "new").replace(out / UNDER_WAY)
        time.sleep(0.2)
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(mark["started"]))
    assert said.splitlines()[-1] == (
        f"error: {out}: a build into this folder is under way: process {first.pid} of {socket.gethostname()}, since "
        f"{since}. Wait for its end, or choose another --out."
    )
    first.send_signal(signal.SIGCONT)
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 0, said
    assert not verify_folder(str(out), LocalFiles()).problems
    assert not (out / UNDER_WAY).exists()


@contextmanager
def untold(out):
    """Keep builds from telling each other."""
    ended = threading.Event()

    def remove():
        while not ended.wait(0.001):
            (out / UNDER_WAY).unlink(missing_ok=True)

    thread = threading.Thread(target=remove)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.long
def test_a_folder_is_of_one_build(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=40)
    coco = json.loads(annotations.read_text())
    for annotation in coco["annotations"]:
        annotation["keypoints"] = [v + 3 if i % 3 == 0 and v else v for i, v in enumerate(annotation["keypoints"])]
    other = tmp_path / "other.json"
    other.write_text(json.dumps(coco))
    alone = []
    for index, file in enumerate((annotations, other)):
        build = start(file, images, tmp_path / f"alone{index}")
        said, _ = build.communicate(timeout=180)
        assert build.returncode == 0, said
        alone.append(content(tmp_path / f"alone{index}"))
    rng = random.Random(0)
    for attempt in range(4):
        out = tmp_path / f"both{attempt}"
        with untold(out):
            builds = [start(annotations, images, out)]
            time.sleep(rng.uniform(0, 1))
            builds.append(start(other, images, out))
            said = [build.communicate(timeout=180)[0] for build in builds]
        # Where the other build begins just after this one's end, the report finds no manifest.
        told = ["another build" in text or f"no {MANIFEST}" in text for text in said]
        assert all(build.returncode == 0 or it_was for build, it_was in zip(builds, told, strict=True)), said
        if (out / MANIFEST).exists():
            assert not verify_folder(str(out), LocalFiles()).problems
            assert content(out) in alone
        else:
            assert any(build.returncode for build in builds)
