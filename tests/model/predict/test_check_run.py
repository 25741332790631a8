"""`cocoprep check --run`: a network that has seen the people is refused, another one is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cocoprep.cli.check_run import refuse_seen
from cocoprep.errors import ConfigError
from cocoprep.model.run.folder import RunFolder
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.people import build_people
from tests.support.runs import write_run

FILES = LocalFiles()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return two built folders of other photographs, and one of those of the first."""
    root = tmp_path_factory.mktemp("seen")
    size = {"size": (32, 32), "shards": 1}
    return (
        build_people(root / "a", images=3, **size),
        build_people(root / "b", images=3, seed=1, **size),
        build_people(root / "c", images=2, **size),
    )


def test_who_has_seen_the_people_is_refused(folders, tmp_path):
    ours, others, again = folders
    run = RunFolder(str(write_run(tmp_path / "run", ours)), FILES)

    def refuse(folder):
        refuse_seen(run, str(folder), read_manifest(str(folder), FILES), FILES)

    refuse(others)
    with pytest.raises(ConfigError, match=r"has learned from .* itself"):
        refuse(ours)
    with pytest.raises(ConfigError, match=r"2 of the photographs of .* too\. Train one without"):
        refuse(again)
    ours.rename(tmp_path / "gone")
    try:
        with pytest.raises(ConfigError, match="cannot be told, since"):
            refuse(others)
    finally:
        (tmp_path / "gone").rename(ours)


def test_the_command_asks_the_network(run, folders, tmp_path):
    ours, others, _ = folders
    trained = write_run(tmp_path / "run", ours)
    code, out, err = run("check", others, "--run", trained)
    assert code == 0, err
    assert "look wrong" in out
    code, _, err = run("check", ours, "--run", trained)
    assert code == 1
    assert "has learned from" in err
    annotations = next(others.parent.glob("**/person_keypoints_*.json"))
    code, _, err = run("check", annotations, "--run", trained)
    assert code == 1
    assert "expected PATH to be a built folder" in err


def test_a_run_that_is_refused_is_told_in_one_line(folders, tmp_path):
    command = [sys.executable, "-m", "cocoprep", "check", folders[0], "--run", tmp_path / "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
