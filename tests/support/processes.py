"""The processes of a command under test, found by way of /proc."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes by way of /proc")


def processes() -> list[tuple[int, int, int]]:
    """Return (pid, parent, session) of every process that still runs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent, _, session = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state != "Z":
                found.append((int(entry.name), int(parent), int(session)))
    return found


def driver_of(build: int) -> int | None:
    """Return the process that drives a build."""
    return next((pid for pid, parent, session in processes() if parent == build and session == pid), None)


def workers_of(driver: int) -> list[int]:
    """Return the processes that are not the driver: workers, their shells, the one that reads the annotations."""
    return [pid for pid in session_of(driver) if pid != driver]


def session_of(leader: int) -> list[int]:
    """Return the processes of a session."""
    return [pid for pid, _, session in processes() if session == leader]


def wait_for(found: Callable[[], T], of: str) -> T:
    """Return what `found` finds, once there is anything."""
    deadline = time.monotonic() + 60
    while not (there := found()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert there, f"{of}: none in 60 s"
    return there


def wait_until_gone(leader: int) -> None:
    """Return once no process of a session is left."""
    deadline = time.monotonic() + 10
    while session_of(leader) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert session_of(leader) == []
