"""What libraries print is shown where something fails, whatever it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from cocoprep.cli.quiet import quiet_libraries
try:
    with quiet_libraries({options}):
        os.write(2, b"from a library\\n")
        sys.stderr.write("from Python, its line not ended")
        {ends}
finally:
    os.write(2, b"|after\\n")
"""


def said(ends, options=""):
    """Return the exit status of a fresh process, and what it says: pytest has its own stderr."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(ends=ends, options=options)], capture_output=True, text=True, check=False
    )
    return run.returncode, run.stderr


@pytest.mark.parametrize(
    "ends", ["raise ImportError", "raise RuntimeError", "raise KeyboardInterrupt", "raise SystemExit(1)"]
)
def test_what_was_hidden_is_shown_at_a_failure(ends):
    code, err = said(ends)
    assert code != 0
    assert err.startswith("from a library\nfrom Python, its line not ended|after\n")


def test_what_was_hidden_is_not_shown_else():
    assert said("pass") == (0, "|after\n")


def test_what_a_library_says_before_it_ends_the_process_is_shown():
    """As JAX does, where another host is gone."""
    code, err = said("os.abort()", "errors_too=False")
    assert code < 0
    assert err.startswith("from a library\n")
