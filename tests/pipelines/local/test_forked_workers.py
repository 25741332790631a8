"""Workers that are copies of the driver: what they inherit, and how they end."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are copies of the driver on Linux alone")

# In a process of its own: pytest's has threads and much else that a copy should not have.
DRIVER = """
import os, sys, threading
from apache_beam.runners.worker import sdk_worker_main
from cocoprep.pipelines.local import forked_workers

def end_all(failure):
    os._exit(70)

def work(_):
    {work}

threading.excepthook = end_all
sdk_worker_main.main = work
forked_workers.fork_workers(1)
worker = forked_workers._waiting.pop()
{orders}
worker.wait()
"""


def drive(work, orders='worker.start({"WORKER_ID": "one"})'):
    script = DRIVER.format(work=work, orders=orders)
    return subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)


def test_a_worker_is_given_its_orders():
    done = drive("print(os.environ['WORKER_ID'], 'cocoprep-worker' in open('/proc/self/comm').read())")
    assert (done.returncode, done.stdout) == (0, "one True\n"), done.stderr


def test_a_worker_that_is_not_needed_ends():
    assert drive("print('not to be seen')", "worker.orders.close()").stdout == ""


def test_a_thread_that_fails_in_a_worker_is_told_and_does_not_end_it():
    done = drive("t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join(); print('goes on')")
    assert (done.returncode, done.stdout) == (0, "goes on\n"), done.stderr
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize(
    ("work", "status"), [("raise ValueError('of Beam')", 1), ("sys.exit(3)", 1), ("os.kill(os.getpid(), 9)", -9)]
)
def test_how_a_worker_ended_is_told(work, status):
    done = drive(work)
    assert f"Worker subprocess exited with return code {status}" in done.stderr


def test_a_copy_that_cannot_print_never_goes_on_as_the_driver():
    done = drive("os.close(1); os.close(2); sys.stdout.write('x')")
    assert done.stdout == ""
    assert "return code" in done.stderr or done.returncode == 0
