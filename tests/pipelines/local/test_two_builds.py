"""Two real builds at once into one folder: it is wholly of one of them, or not marked as complete."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

import pytest

from cocoprep.shards.names import MANIFEST
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


@pytest.mark.slow
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
