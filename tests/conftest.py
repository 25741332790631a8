"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
import signal
from functools import cache
from pathlib import Path

import hypothesis
import pytest

from cocoprep.cli import main
from tests.support.building import build_without_engine
from tests.support.people import build_people

# The same examples on every run: a failure in CI is a failure at home.
hypothesis.settings.register_profile("cocoprep", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("cocoprep")

# In the background a shell has interrupts ignored, and whatever the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# As the command line does: what TensorFlow says of an error is said again by the error.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

pytest_plugins = ("tests.support.bucket_fixtures",)


def _named_by(variable: str, file: str) -> Path:
    """Return the folder that a variable of the environment names, known by a file in it; skip without it."""
    folder = Path(os.environ.get(variable, ""))
    if not (folder / file).exists():
        pytest.skip(f"{variable} names no folder that has {file}")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _children_write_no_byte_code() -> None:
    """Where a test lets files not grow, Python would leave byte code that is cut short, for whoever comes next."""
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


@pytest.fixture(scope="session")
def coco_mini() -> Path:
    """Return a folder of real COCO photographs in the official layout."""
    return _named_by("COCOPREP_TEST_COCO", "annotations/person_keypoints_train2017.json")


@pytest.fixture(scope="session")
def skeletons() -> Path:
    """Return a folder of small real data sets with other joints."""
    return _named_by("COCOPREP_TEST_SKELETONS", "aic/test_aic.json")


@pytest.fixture(scope="session")
def exports() -> Path:
    """Return a folder of small files as labelling tools write them, one folder a case."""
    return _named_by("COCOPREP_TEST_EXPORTS", "area-missing/labels.json")


@pytest.fixture(scope="session")
def people_folder(tmp_path_factory):
    """Return what gives a folder built of small drawn people, made once for each set of options of `build_people`.

    Tests share it: they look at it, and damage copies only.
    """

    @cache
    def folder(**options) -> Path:
        return build_people(tmp_path_factory.mktemp("people"), **options)

    return folder


@pytest.fixture
def without_engine(monkeypatch) -> None:
    """Have `build` take the steps of a local build in this process: for tests of what is read, built and said.

    Beam takes seconds to come up; that a build is the same with it, tests/pipelines shows.
    """
    monkeypatch.setattr("cocoprep.pipelines.local.run.run_local_build", build_without_engine)


@pytest.fixture
def run(capsys, monkeypatch):
    """Return what runs the command line in this process: its exit code, output and errors."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return exit_.value.code, captured.out, captured.err

    return run
