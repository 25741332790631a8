"""The mark of a build under way: whoever starts a second one into the same folder is told by whom, and since when.

A courtesy: that no folder mixes two builds rests on digests alone. So a mark counts only as long as it is refreshed,
and what a killed build leaves behind blocks nobody.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from cocoprep.errors import BuildError, CocoprepError
from cocoprep.shards.names import UNDER_WAY
from cocoprep.storage.store import FileStore

REFRESH_S = 5.0
WATCH_S = 12.0  # how long a mark is watched: two refreshes, and some time for a slow disk
STALE_S = 600.0  # how old a mark is that need not be watched, as long as clocks agree
_POLL_S = 0.5
_TRIES = 3
_MAX_BYTES = 4096
_MAX_NAME = 100


class BuildMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who builds into a folder.

    Attributes:
        build: 32 hexadecimal digits, anew for each build.
        host: the machine that started it.
        process: that machine's number of the process that started it.
        started: when it was started, in seconds of the epoch.
        refreshed: when it was last heard of, in seconds of the epoch.
    """

    build: str
    host: str
    process: int
    started: float
    refreshed: float


def new_mark() -> BuildMark:
    """Return the mark of a build that this process starts now."""
    now = time.time()
    return BuildMark(uuid.uuid4().hex, socket.gethostname(), os.getpid(), now, now)


def make_way(folder: str, mark: BuildMark | None, files: FileStore) -> None:
    """Make sure that nobody else builds into a folder, which need not be there; remove the mark of a build that died.

    Where somebody may, this watches for up to `WATCH_S`. Raises BuildError where somebody does.
    """
    path = files.join(folder, UNDER_WAY)
    found = _read(path, files)
    if found is None or (mark is not None and found.build == mark.build):
        return
    if not _is_dead(found) and _moves(path, found, files):
        raise _under_way(folder, found)
    files.delete(path)


def claim_folder(folder: str, mark: BuildMark | None, files: FileStore) -> None:
    """Mark a folder as that of a build under way, and make it where it does not exist. None leaves no mark.

    Raises:
        BuildError: somebody else builds into it.
        OutputError, StoreError: it cannot be written.
    """
    make_way(folder, mark, files)
    if mark is None:
        return
    files.make_folder(folder)
    for _ in range(_TRIES):
        if files.put_if(files.join(folder, UNDER_WAY), msgspec.json.encode(mark), found=None):
            return
        make_way(folder, mark, files)


@contextmanager
def kept_fresh(folder: str, mark: BuildMark, files: FileStore) -> Iterator[None]:
    """Refresh a build's mark as long as the block runs, from when it is there; remove it in the end."""
    path, ended = files.join(folder, UNDER_WAY), threading.Event()

    def refresh() -> None:
        while not ended.wait(REFRESH_S):
            with suppress(CocoprepError, OSError):  # a courtesy: what is wrong with the folder, the build tells
                _refresh(path, mark, files)

    thread = threading.Thread(target=refresh, daemon=True)
    with suppress(RuntimeError):  # no thread to be had: then nobody is told
        thread.start()
    try:
        yield
    finally:
        ended.set()
        with suppress(CocoprepError, OSError):
            found = _read(path, files)
            if found is not None and found.build == mark.build:
                files.delete(path)


def _refresh(path: str, mark: BuildMark, files: FileStore) -> None:
    there = files.read_range(path, 0, _MAX_BYTES)
    if _decode(there, mark.build):
        anew = msgspec.structs.replace(mark, refreshed=time.time())
        files.put_if(path, msgspec.json.encode(anew), found=there)


def _decode(data: bytes, build: str | None = None) -> BuildMark | None:
    """Return a mark, None where that is none or not that of `build`."""
    try:
        mark = msgspec.json.decode(data, type=BuildMark)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return mark if build in (None, mark.build) else None


def _read(path: str, files: FileStore) -> BuildMark | None:
    with suppress(OSError):
        return _decode(files.read_range(path, 0, _MAX_BYTES))
    return None


def _is_dead(mark: BuildMark) -> bool:
    if not abs(time.time() - mark.refreshed) < STALE_S:
        return True
    if mark.host != socket.gethostname():
        return False
    try:
        os.kill(mark.process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:  # somebody else's process
        return False
    return False


def _moves(path: str, mark: BuildMark, files: FileStore) -> bool:
    """Watch a mark. Tell whether it is refreshed; one that goes away is not."""
    deadline = time.monotonic() + WATCH_S
    while time.monotonic() < deadline:
        time.sleep(_POLL_S)
        now = _read(path, files)
        if now != mark:
            return now is not None
    return False


def _under_way(folder: str, mark: BuildMark) -> BuildError:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(mark.started))
    return BuildError(
        f"{folder}: a build into this folder is under way: process {mark.process} of {mark.host[:_MAX_NAME]}, since "
        f"{since}. Wait for its end, or choose another --out."
    )
