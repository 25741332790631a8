"""What a build leaves among temporary files: nothing; and what a kill of all of it left, the next one removes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.support.people import write_people
from tests.support.processes import NEEDS_PROC, driver_of, wait_for, wait_until_gone

pytestmark = NEEDS_PROC


@pytest.fixture
def start(tmp_path):
    """Return what starts a build whose temporary files go to `tmp`."""
    annotations, images = write_people(tmp_path / "coco", images=40)
    (tmp_path / "tmp").mkdir()
    command = [
        sys.executable, "-m", "cocoprep", "build", "--split", "train2017", "--annotations", str(annotations),
        "--images", str(images), "--out", str(tmp_path / "out"), "--input-size", "64", "--workers", "1",
    ]  # fmt: skip
    return lambda: subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    )


@pytest.mark.long
def test_a_build_and_what_one_left_that_was_killed_as_a_whole(start, tmp_path):
    """As when a machine's memory is full, or a container is stopped."""
    build = start()
    driver = wait_for(lambda: driver_of(build.pid), "driver")
    wait_for(lambda: list((tmp_path / "out").glob("*")), "output")
    os.killpg(driver, signal.SIGSTOP)  # so that it cannot clean up when it sees its parent gone
    build.kill()
    os.killpg(driver, signal.SIGKILL)
    build.communicate()
    wait_until_gone(driver)
    (left,) = (tmp_path / "tmp").iterdir()  # with Beam's own folder in it
    assert left.name.startswith("cocoprep-")
    build = start()
    _, err = build.communicate(timeout=60)
    assert build.returncode == 0, err
    assert list((tmp_path / "tmp").iterdir()) == []
