"""Folders for temporary files: gone with the process that held them, at the latest when the next one needs one."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from cocoprep.storage import held_folder as module
from cocoprep.storage.held_folder import held_folder, temporaries_in

HOLD = (
    "import sys\n"
    "from cocoprep.storage.held_folder import held_folder\n"
    "with held_folder(sys.argv[1]) as folder:\n"
    "    open(f'{folder}/file', 'w').close()\n"
    "    print(folder, flush=True)\n"
    "    sys.stdin.read()\n"
)


def holder(place) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, Path(process.stdout.readline().strip())


def kill(process) -> None:
    process.kill()
    process.communicate()


def test_it_is_removed_with_all_that_is_in_it(tmp_path):
    with held_folder(str(tmp_path)) as folder:
        assert Path(folder).parent == tmp_path
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        (Path(folder) / "within").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_it_lies_where_temporary_files_belong(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with held_folder() as folder:
        assert Path(folder).parent == tmp_path
        assert Path(folder).name.startswith("cocoprep-")


def test_what_a_killed_process_left_goes_and_what_is_held_stays(tmp_path):
    killed, left = holder(tmp_path)
    alive, used = holder(tmp_path)
    kill(killed)
    assert left.exists()
    with held_folder(str(tmp_path)):
        assert not left.exists()
        assert (used / "file").exists()
    kill(alive)


def test_folders_that_only_look_alike_stay(tmp_path):
    """A user's own, one of another use, and a link, which leads anywhere."""
    (tmp_path / "cocoprep-data" / "photographs").mkdir(parents=True)
    (tmp_path / ".model.12-0123abcd.tmp").mkdir()
    (tmp_path / "cocoprep-12-0123abcd.tmp").symlink_to(tmp_path / "cocoprep-data")
    (tmp_path / "cocoprep-13-0123abcd.tmp").write_text("a file")
    before = sorted(tmp_path.rglob("*"))
    with held_folder(str(tmp_path)):
        pass
    assert sorted(tmp_path.rglob("*")) == before
    with held_folder(str(tmp_path), prefix=".model."):
        assert not (tmp_path / ".model.12-0123abcd.tmp").exists()


def test_a_folder_of_somebody_else_stays(tmp_path, monkeypatch):
    (tmp_path / "cocoprep-12-0123abcd.tmp").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with held_folder(str(tmp_path)):
        assert (tmp_path / "cocoprep-12-0123abcd.tmp").exists()


def test_a_place_that_knows_no_locks(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    (tmp_path / "cocoprep-12-0123abcd.tmp").mkdir()
    with held_folder(str(tmp_path)) as folder:
        assert os.path.isdir(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["cocoprep-12-0123abcd.tmp"]


def test_one_that_is_swept_before_it_is_held_is_made_anew(tmp_path, monkeypatch):
    """Another process sees it between its making and its lock."""
    make, swept = os.mkdir, []

    def make_and_sweep(path, mode):
        make(path, mode)
        if len(swept) < 3:
            swept.append(path)
            module._sweep(str(tmp_path), "cocoprep-")

    monkeypatch.setattr(os, "mkdir", make_and_sweep)
    with held_folder(str(tmp_path)) as folder:
        assert folder not in swept
        assert os.path.isdir(folder)


def test_many_at_once_do_not_take_each_others(tmp_path):
    lost = []

    def use():
        for _ in range(50):
            with held_folder(str(tmp_path)) as folder:
                (Path(folder) / "file").touch()
                if not (Path(folder) / "file").exists():
                    lost.append(folder)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_made(tmp_path):
    with pytest.raises(FileNotFoundError), held_folder(str(tmp_path / "nowhere")):
        pass


def test_what_libraries_write_meanwhile_goes_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with held_folder() as folder:
        with temporaries_in(folder):
            theirs = tempfile.mkdtemp()
        assert Path(theirs).parent == Path(folder)
        with tempfile.NamedTemporaryFile() as other:
            assert Path(other.name).parent == tmp_path
    assert not list(tmp_path.iterdir())
