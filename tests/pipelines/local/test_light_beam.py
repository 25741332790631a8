"""Beam is loaded without Google's libraries, which are there for everybody else all the same."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import logging, sys
from cocoprep.pipelines.local.light_beam import load_beam

load_beam()
assert "apache_beam" in sys.modules
assert logging.getLogger().isEnabledFor(logging.WARNING)
print(sorted(name for name in sys.modules if name.startswith(("google.cloud", "apitools"))))
import google.cloud.storage
print("found")
"""


def test_beam_is_loaded_alone():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\nfound\n"
    assert done.stderr == ""
