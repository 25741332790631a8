"""A disk that is full of both the output and the temporary files: a clear error, and no wait without end."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.people import write_people

MOUNT = ["unshare", "--map-root-user", "--user", "--mount", "sh", "-c"]


@pytest.mark.parametrize(
    ("size", "says"),
    [("20k", "set TMPDIR to a folder on another disk"), ("100k", "No space left on device. The disk is full")],
)
def test_the_disk_of_output_and_temporary_files_is_full(size, says, tmp_path):
    annotations, images = write_people(tmp_path / "coco")
    disk = tmp_path / "disk"
    disk.mkdir()
    small_disk = f"mount -t tmpfs -o size={size} tmpfs {disk}"
    tried = subprocess.run([*MOUNT, small_disk], check=False, capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no small disk can be mounted here: {tried.stderr.strip()}")
    command = [
        sys.executable, "-m", "cocoprep", "build", "--annotations", str(annotations), "--images", str(images),
        "--out", str(disk / "out"), "--input-size", "64", "--shards", "4", "--workers", "2", "--split", "train2017",
    ]  # fmt: skip
    script = f'{small_disk} && mkdir {disk}/tmp && TMPDIR={disk}/tmp "$@"; code=$?; ls -A {disk}/out; exit $code'
    found = subprocess.run([*MOUNT, script, "sh", *command], check=False, capture_output=True, text=True, timeout=60)
    assert found.returncode == 1
    assert says in found.stderr
    assert "Traceback" not in found.stderr
    assert "manifest.json" not in found.stdout
    assert ".tmp" not in found.stdout
