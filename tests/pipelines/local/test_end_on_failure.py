"""A process that ends when anything in it fails, whatever else would wait."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROCESS = """
import os, threading, time
from cocoprep.pipelines.local.end_on_failure import run_to_the_end

class NeverFreed:
    def __del__(self):
        time.sleep(1000)

def fail():
    raise ValueError("of Beam")

def fail_with_what_waits():
    waits = NeverFreed()
    fail()

def fail_in_a_thread():
    threading.Thread(target=fail).start()
    time.sleep(1000)

def leave_a_thread_behind():
    threading.Thread(target=time.sleep, args=[1000]).start()

def fail_in_silence():
    os.close(2)
    fail()

run_to_the_end({work})
"""


@pytest.mark.parametrize(
    ("work", "status", "says"),
    [
        ("leave_a_thread_behind", 0, ""),
        ("fail", 1, "ValueError: of Beam"),
        ("fail_with_what_waits", 1, "ValueError: of Beam"),
        ("fail_in_a_thread", 1, "ValueError: of Beam"),
        ("fail_in_silence", 1, ""),
    ],
)
def test_it_ends_at_once_with_the_right_status(work, status, says):
    script = PROCESS.format(work=work)
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, says in ended.stderr) == (status, True), ended.stderr
