"""What workers tell the process that watches them: small files in one temporary folder of this machine.

Beam reports counters only when a job has ended, and hands errors on as text. These files carry the workload, live
progress, whether a worker has work of ours in hand, and the first expected error with its class.
"""

from __future__ import annotations

import json
import os
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import psutil

from cocoprep import errors
from cocoprep.errors import CocoprepError

_PROGRESS = struct.Struct("<5q")  # the counts of `Progress`, and how much work is in hand
_INTERVAL_S = 0.2
_RESERVE = "reserve"


def reserve_space(folder: str) -> None:
    """Keep some room for the first error, in case that it is a full disk."""
    (Path(folder) / _RESERVE).write_bytes(bytes(1 << 15))


@dataclass(frozen=True, slots=True)
class Workload:
    """What a build is about to do."""

    images: int
    people: int
    shards: int
    category: str = "person"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a build has done so far; what an earlier run had finished is in the counts, and told apart."""

    images: int = 0
    crops: int = 0
    reused_crops: int = 0
    reused_shards: int = 0

    def __add__(self, other: Progress) -> Progress:
        """Return the sum, count by count."""
        return Progress(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


class Monitor:
    """The workers' side. Without a folder every call does nothing, as on a cluster."""

    def __init__(self, folder: str | None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._lock = threading.Lock()
        self._progress = Progress()
        self._in_hand = 0
        self._counters = Counter[str]()
        self._written_at = 0.0

    def start(self) -> None:
        """Begin to count for this process."""
        self._write_progress()

    def announce(self, workload: Workload) -> None:
        """Say what is about to be done."""
        with suppress(OSError):  # what is told of a build must not end it
            self._write("workload.json", json.dumps(asdict(workload)).encode())

    def advance(self, done: Progress) -> None:
        """Count work done by this process."""
        if self._folder is None:
            return
        with self._lock:
            self._progress += done
            if time.monotonic() - self._written_at >= _INTERVAL_S:
                self._write_progress()

    @contextmanager
    def work_in_hand(self) -> Iterator[None]:
        """Say so for as long as this process does work of ours: it may take any time, and the engine is not stuck."""
        self._take_in_hand(1)
        try:
            yield
        finally:
            self._take_in_hand(-1)

    def _take_in_hand(self, change: int) -> None:
        with self._lock:
            self._in_hand += change
            self._write_progress()

    def count(self, name: str, amount: int) -> None:
        """Add to a counter of this process."""
        with self._lock:
            self._counters[name] += amount

    def flush(self) -> None:
        """Write the counts now."""
        with self._lock:
            self._write_progress()
            with suppress(OSError):
                self._write(f"counters-{os.getpid()}", json.dumps(self._counters).encode())

    def error(self, error: CocoprepError) -> None:
        """Hand on an expected failure; the first one counts."""
        if self._folder is not None and not (self._folder / "error.json").exists():
            with suppress(OSError):  # a full disk must not hide the error that it caused
                (self._folder / _RESERVE).unlink(missing_ok=True)
                self._write("error.json", json.dumps([type(error).__name__, str(error)]).encode())

    def finished(self) -> None:
        """Say that the last step is done: from now on workers may end."""
        if self._folder is not None:
            (self._folder / _RESERVE).unlink(missing_ok=True)
        self._write("finished", b"")

    def _write_progress(self) -> None:
        self._written_at = time.monotonic()
        if self._folder is None:
            return
        with suppress(OSError):  # what is told of a build must not end it
            # In place: a rename over a file makes ext4 write it to the disk at once, five times a second.
            path = self._folder / f"progress-{os.getpid()}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(descriptor, _PROGRESS.pack(*astuple(self._progress), self._in_hand), 0)
            finally:
                os.close(descriptor)

    def _write(self, name: str, data: bytes) -> None:
        if self._folder is not None:
            temporary = self._folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
            temporary.write_bytes(data)
            temporary.rename(self._folder / name)


class MonitorReader:
    """The watcher's side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def workload(self) -> Workload | None:
        """Return what is about to be done, once that is known."""
        data = self._read("workload.json")
        return Workload(**json.loads(data)) if data else None

    def progress(self) -> Progress:
        """Return what all workers have done together."""
        return sum((Progress(*counts) for _, (*counts, _) in self._told()), start=Progress())

    def work_in_hand(self) -> bool:
        """Tell whether any process that still lives has work of ours in hand."""
        return any(in_hand and psutil.pid_exists(pid) for pid, (*_, in_hand) in self._told())

    def _told(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        for path in self._folder.glob("progress-*"):
            data = path.read_bytes()
            if len(data) == _PROGRESS.size:
                yield int(path.name.removeprefix("progress-")), _PROGRESS.unpack(data)

    def counters(self) -> dict[str, int]:
        """Return what all workers have counted together."""
        counters = Counter[str]()
        for path in self._folder.glob("counters-*"):
            counters.update(json.loads(path.read_bytes()))
        return dict(sorted(counters.items()))

    def error(self) -> CocoprepError | None:
        """Return the first expected failure of a worker, as the class it was."""
        data = self._read("error.json")
        if data is None:
            return None
        name, text = json.loads(data)
        kind = getattr(errors, name, CocoprepError)
        return kind(text) if issubclass(kind, CocoprepError) else CocoprepError(text)

    def finished(self) -> bool:
        """Tell whether the last step is done."""
        return self._read("finished") is not None

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
