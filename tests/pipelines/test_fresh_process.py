"""A function in a process of its own: what comes back, and what is said of a process that does not come back."""

from __future__ import annotations

import os
import signal

import pytest

from cocoprep.checks import require
from cocoprep.errors import BuildError, ConfigError, OutputError
from cocoprep.pipelines.fresh_process import run_in_fresh_process


def test_the_result_comes_back_from_another_process():
    assert run_in_fresh_process(os.getpid) != os.getpid()
    assert run_in_fresh_process(sorted, [3, 1, 2], reverse=True) == [3, 2, 1]


def test_what_it_prints_goes_to_the_log(capfd):
    assert run_in_fresh_process(print, "a word") is None
    assert capfd.readouterr() == ("", "a word\n")


def test_an_expected_error_comes_back_as_itself():
    with pytest.raises(ConfigError, match="--margin: expected a number, found 'x'"):
        run_in_fresh_process(require, False, "--margin", "a number", "x")


def test_a_file_that_cannot_be_read_is_told():
    with pytest.raises(OutputError, match=r"listdir could not read or write a file: .*/nowhere"):
        run_in_fresh_process(os.listdir, "/nowhere")


@pytest.mark.parametrize(("function", "arguments", "status"), [(os._exit, (3,), 3), (signal.raise_signal, (9,), -9)])
def test_how_a_lost_process_ended_is_told(function, arguments, status):
    with pytest.raises(BuildError, match=rf"ended with status {status}\. .* short of memory"):
        run_in_fresh_process(function, *arguments)
