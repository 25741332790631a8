"""What is seen of workers from outside: how they end, and that nothing moves."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cocoprep.pipelines.local.process_tree import Stillness, lost_workers
from cocoprep.pipelines.local.run import STUCK_LOOKS, _stuck
from cocoprep.pipelines.local.worker import started_workers, worker_command
from cocoprep.pipelines.monitor import Monitor, MonitorReader

WORKER = "-P -m cocoprep.pipelines.local.worker"


def shell(folder, work):
    """Start the shell of a worker that does some other work."""
    command = worker_command(str(folder))
    assert WORKER in command
    return subprocess.Popen(command.replace(WORKER, f"-c '{work}'"), shell=True, stderr=subprocess.DEVNULL)


def lost(folder, work):
    started = shell(folder, work)
    return started.wait(timeout=60), lost_workers(Path(folder))


@pytest.mark.parametrize(
    ("work", "returns", "told"),
    [
        ("", 0, []),
        ("raise SystemExit(3)", 3, ["3"]),
        ("import os; os.kill(os.getpid(), 9)", 137, ["-9"]),
        ("import os; os.abort()", 134, ["-6"]),
        ("import os; os._exit(255)", 255, ["255"]),
    ],
)
def test_how_a_worker_ended_is_told(work, returns, told, tmp_path):
    assert lost(tmp_path, work) == (returns, told)


def test_a_folder_with_a_space(tmp_path):
    folder = tmp_path / "a space"
    folder.mkdir()
    assert lost(folder, "raise SystemExit(3)") == (3, ["3"])


def test_a_worker_that_runs_is_not_lost_and_a_killed_shell_is(tmp_path):
    started = shell(tmp_path, "import sys; sys.stdin.read()")
    deadline = time.monotonic() + 60
    while not started_workers(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [worker.shell for worker in started_workers(tmp_path)] == [started.pid]
    assert lost_workers(tmp_path) == []
    started.kill()
    started.wait()
    assert lost_workers(tmp_path) == ["unknown"]


@pytest.fixture
def process():
    """Return what starts a process below a shell."""
    started = []

    def start(work):
        command = f"{sys.executable} -c {work!r}; true"
        started.append(subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, start_new_session=True))
        time.sleep(0.5)
        return started[0].pid

    yield start
    subprocess.run(["pkill", "-9", "-s", str(started[0].pid)], check=False)
    started[0].communicate()


def looks(pid, count, every_s):
    stillness, seen = Stillness(pid), []
    for _ in range(count):
        time.sleep(every_s)
        stillness.look()
        seen.append(stillness.looks)
    return seen


def test_processes_that_only_wait_stand_still(process):
    pid = process("import sys; sys.stdin.read()")
    assert looks(pid, 4, 0.3)[-1] >= 2  # the first looks may see it start


def test_a_child_at_work_is_seen(process):
    pid = process("while True: pass")
    assert looks(pid, 4, 0.3) == [0, 0, 0, 0]


def test_work_in_hand_may_take_as_long_as_it_takes(process, tmp_path):
    stillness, monitor, reader = Stillness(process("input()")), Monitor(str(tmp_path)), MonitorReader(tmp_path)
    with monitor.work_in_hand():
        assert [_stuck(stillness, reader) for _ in range(3 * STUCK_LOOKS)] == [None] * 3 * STUCK_LOOKS
    found = [_stuck(stillness, reader) for _ in range(3 * STUCK_LOOKS)]
    assert found[: STUCK_LOOKS - 1] == [None] * (STUCK_LOOKS - 1)
    assert "the build is stuck: for 20 s" in found[-1]
