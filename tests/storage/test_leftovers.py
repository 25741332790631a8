"""What killed writes leave behind is removed by whoever writes the same file again, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.leftovers import sweep_beside, sweep_folder
from tests.support.half_written import ended_process, leave_half

FILES = AnyFiles()
WRITE = (
    "import sys\n"
    "from cocoprep.storage.local import LocalFiles\n"
    "with LocalFiles().create(sys.argv[1]) as stream:\n"
    "    stream.write(b'half')\n"
    "    stream.flush()\n"
    "    print('writing', flush=True)\n"
    "    sys.stdin.read()\n"
)


def writer(path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "writing\n"
    return process


def kill(process):
    process.kill()
    process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_write_left_goes_and_what_is_being_written_stays(tmp_path):
    killed, alive = writer(tmp_path / "a.json"), writer(tmp_path / "a.json")
    kill(killed)
    assert len(names(tmp_path)) == 2
    sweep_folder(str(tmp_path), FILES)
    (left,) = names(tmp_path)
    assert f".{alive.pid}-" in left
    alive.communicate("")
    assert names(tmp_path) == ["a.json"]


@pytest.fixture
def left(tmp_path):
    """A folder with what killed writes of two files left, and with files of others."""
    for name in ("a.json", "b.json"):
        leave_half(tmp_path / name)
    for name in ("a.json", ".a.json.tmp", ".a.json.12-x.tmp", "a.json.12-0123abcd.tmp"):
        (tmp_path / name).touch()
    return tmp_path, ended_process()


def test_only_what_the_caller_writes_is_swept(left):
    folder, process = left
    before = names(folder)
    sweep_folder(str(folder), FILES, ours=lambda name: name == "c.json")
    assert names(folder) == before
    sweep_beside(str(folder / "a.json"), FILES)
    assert names(folder) == [name for name in before if name != f".a.json.{process}-0123abcd.tmp"]
    sweep_folder(str(folder), FILES)
    assert names(folder) == [".a.json.12-x.tmp", ".a.json.tmp", "a.json", "a.json.12-0123abcd.tmp"]


def test_beside_a_name_alone_is_here(left, monkeypatch):
    monkeypatch.chdir(left[0])
    sweep_beside("b.json", FILES)
    assert f".b.json.{left[1]}-0123abcd.tmp" not in names(left[0])


def test_in_a_container_the_next_command_has_the_same_number(tmp_path):
    (tmp_path / f".a.json.{os.getpid()}-0123abcd.tmp").touch()
    sweep_folder(str(tmp_path), FILES)
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_and_a_bucket(tmp_path):
    sweep_folder(str(tmp_path / "nowhere"), FILES)
    sweep_folder("gs://nowhere/folder", FILES)
    sweep_beside("gs://nowhere/file", FILES)
