"""Beam is loaded without Google's libraries, which are there for everybody else all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import logging, sys, types
{before}
from cocoprep.pipelines.local.light_beam import load_beam

load_beam()
assert "apache_beam" in sys.modules
assert logging.getLogger().isEnabledFor(logging.WARNING)
print(sorted(name for name in sys.modules if name.startswith(("google.cloud.", "apitools"))))
import google.cloud.storage
print("found")
"""


NAMESPACE = """
google = __import__("google")
google.cloud = sys.modules["google.cloud"] = types.ModuleType("google.cloud")
google.cloud.__path__ = [path + "/cloud" for path in google.__path__]
"""


@pytest.mark.parametrize("before", ["sys.modules.pop('google.cloud', None)", NAMESPACE], ids=["plain", "namespace"])
def test_beam_is_loaded_alone(before):
    code = CODE.replace("{before}", before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\nfound\n"
    assert done.stderr == ""
