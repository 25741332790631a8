"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
import signal
from functools import cache
from pathlib import Path

import hypothesis
import pytest

from cocoprep.cli import main
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

COCO_VARIABLE = "COCOPREP_TEST_COCO"
SKELETONS_VARIABLE = "COCOPREP_TEST_SKELETONS"


@pytest.fixture(scope="session")
def coco_mini() -> Path:
    """Return a folder of real COCO photographs in the official layout; the tests that need it skip without it."""
    folder = Path(os.environ.get(COCO_VARIABLE, ""))
    if not (folder / "annotations" / "person_keypoints_train2017.json").exists():
        pytest.skip(f"no COCO photographs: {COCO_VARIABLE} names no folder with annotations/ and train2017/")
    return folder


@pytest.fixture(scope="session")
def skeletons() -> Path:
    """Return a folder of small real data sets with other joints; the tests that need it skip without it."""
    folder = Path(os.environ.get(SKELETONS_VARIABLE, ""))
    if not (folder / "aic" / "test_aic.json").exists():
        pytest.skip(f"no data sets of other joints: {SKELETONS_VARIABLE} names no folder with aic/test_aic.json")
    return folder


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
