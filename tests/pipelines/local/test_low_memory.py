"""Too little address space: threads, workers or Beam itself cannot start, and the build says so and ends."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import pytest

from tests.support.people import write_people


@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to its address space")
@pytest.mark.parametrize(
    "megabytes",
    [
        *(pytest.param(n, marks=pytest.mark.slow) for n in (800, 1300)),
        *(pytest.param(n, marks=pytest.mark.long) for n in (400, 600, 1000, 1200)),
    ],
)
def test_a_build_without_memory_ends_with_one_message(megabytes, tmp_path):
    annotations, images = write_people(tmp_path / "coco")
    command = [
        sys.executable, "-m", "cocoprep", "build", "--annotations", str(annotations), "--images", str(images),
        "--out", str(tmp_path / "out"), "--input-size", "32", "--shards", "2", "--workers", "2", "--split", "train2017",
    ]  # fmt: skip
    started = time.monotonic()
    ended = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1_000_000,) * 2),
    )  # fmt: skip
    assert time.monotonic() - started < 200  # a quiet machine takes 25 s at most; without the watch it would never end
    assert ended.returncode == 1, ended.stderr
    message = ended.stderr.split("The end of the log:")[0]
    assert "error: " in message
    assert "try fewer --workers, or raise the limit" in message
    assert "Traceback" not in message
