"""A Flink cluster on this machine, for tests: a job manager and task managers, each a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pipelines.remote.engines import entry_point, flink_jar

START_S = 90
JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
# Flink's own scripts work these out; a task manager that is started without them wants to be told each part.
MEMORY_MB = {
    "framework.heap.size": 128, "framework.off-heap.size": 128, "task.heap.size": 256, "task.off-heap.size": 0,
    "managed.size": 256, "network.min": 64, "network.max": 64, "jvm-metaspace.size": 256,
    "jvm-overhead.min": 192, "jvm-overhead.max": 192, "process.size": 1280,
}  # fmt: skip


@dataclass
class FlinkCluster:
    """A cluster whose files are in `folder`. Use it as a context manager; task managers have one slot each."""

    folder: Path
    task_managers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> FlinkCluster:
        self._jar = flink_jar()
        self._rpc, self._rest = _free_port(), _free_port()
        (self.folder / "flink-conf.yaml").write_text(
            f"jobmanager.rpc.address: localhost\njobmanager.rpc.port: {self._rpc}\n"
            f"jobmanager.memory.process.size: 768m\nrest.address: localhost\nrest.port: {self._rest}\n"
            f"taskmanager.numberOfTaskSlots: 1\ntaskmanager.cpu.cores: 1\nio.tmp.dirs: {self.folder}\n"
            "heartbeat.interval: 2000\nheartbeat.timeout: 10000\n"  # a machine that is lost is missed soon
            + "".join(f"taskmanager.memory.{name}: {size}m\n" for name, size in MEMORY_MB.items())
        )
        self._start("job-manager", JOB_MANAGER, "-Xmx384m")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def options(self) -> list[str]:
        """Return the Beam options that send a job here."""
        return [
            f"--flink_master=localhost:{self._rest}", f"--flink_job_server_jar={self._jar}",
            f"--parallelism={len(self.task_managers)}", "--environment_type=PROCESS", entry_point(self.folder),
        ]  # fmt: skip

    def start_task_managers(self, number: int) -> None:
        """Start further task managers, and wait until the cluster knows them."""
        for _ in range(number):
            name = f"task-manager-{len(self._processes)}"
            arguments = ("-D", f"taskmanager.resource-id={name}")
            self.task_managers.append(self._start(name, TASK_MANAGER, "-Xmx384m", *arguments))
        deadline = time.monotonic() + START_S
        while self._known() < len(self.task_managers):
            assert time.monotonic() < deadline, f"Flink did not come up: see the logs in {self.folder}"
            time.sleep(0.2)

    def kill_task_manager(self) -> None:
        """End a task manager as a machine that is lost ends."""
        process = self.task_managers.pop()
        process.kill()
        process.wait()

    def ask(self, path: str) -> Any:
        """Ask Flink's own REST interface."""
        with urllib.request.urlopen(f"http://localhost:{self._rest}{path}", timeout=10) as answer:
            return json.load(answer)

    def shards_written(self) -> dict[str, int]:
        """Return how many shards each task manager was given to write in the newest job, by Flink's own account."""
        newest = max(self.ask("/jobs/overview")["jobs"], key=lambda job: job["start-time"])["jid"]
        vertices = self.ask(f"/jobs/{newest}")["vertices"]
        (writing,) = [vertex["id"] for vertex in vertices if "{WriteShards" in vertex["name"]]
        found = self.ask(f"/jobs/{newest}/vertices/{writing}/taskmanagers")["taskmanagers"]
        return {one["taskmanager-id"]: one["metrics"]["read-records"] for one in found}

    def _known(self) -> int:
        try:
            return int(self.ask("/overview")["taskmanagers"])
        except OSError:  # the job manager is not up yet
            return 0

    def _start(self, name: str, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        heap, *more = arguments
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                ["java", heap, "-cp", str(self._jar), main, "--configDir", str(self.folder), *more],
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._processes.append(process)
        return process


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        port: int = taken.getsockname()[1]
        return port
