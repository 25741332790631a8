"""A folder for temporary files that goes away with its process: the next one removes what a kill has left.

Its process holds it by a lock, which the kernel lets go of however the process ends. So one that is still in use is
never taken for one that was left, also where containers share a disk and numbers of processes mean nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_TRIES = 20
_NO_LOCKS = -1  # some mounted drives know none: there nothing is swept


@contextmanager
def held_folder(within: str | None = None, *, prefix: str = "cocoprep-") -> Iterator[str]:
    """Give a new folder, and remove it in the end; before that, those that killed processes have left beside it.

    Args:
        within: where it is to lie; by default, where temporary files belong.
        prefix: begins its name, and those of the folders that are removed.

    Raises:
        OSError: it cannot be made.
    """
    place = tempfile.gettempdir() if within is None else within
    _sweep(place, prefix)
    path, held = _new_folder(place, prefix)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)  # what a process that is just ending still adds, the next sweep takes
        if held != _NO_LOCKS:
            os.close(held)


@contextmanager
def temporaries_in(folder: str) -> Iterator[None]:
    """Have what libraries write to temporary files go into a held folder: of their own, a kill leaves some for good."""
    before, tempfile.tempdir = tempfile.tempdir, folder
    try:
        yield
    finally:
        tempfile.tempdir = before


def _new_folder(place: str, prefix: str) -> tuple[str, int]:
    for _ in range(_TRIES):
        path = os.path.join(place, f"{prefix}{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
        os.mkdir(path, 0o700)
        with suppress(FileNotFoundError, BlockingIOError):  # swept by another process before it was held
            held = _hold(path)
            if os.path.exists(path):
                return path, held
    raise OSError(errno.EBUSY, "others remove what is made there", place)


def _hold(path: str) -> int:
    """Lock a folder; return what to close. Raises BlockingIOError where another process holds it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return _NO_LOCKS
    return descriptor


def _sweep(place: str, prefix: str) -> None:
    """Remove this user's folders that nobody holds. What keeps it from that is not told: nobody waits for it."""
    ours = re.compile(rf"{re.escape(prefix)}\d+-[0-9a-f]{{8}}\.tmp")
    with suppress(OSError):
        for name in filter(ours.fullmatch, os.listdir(place)):
            with suppress(OSError):
                _remove_unheld(os.path.join(place, name))


def _remove_unheld(path: str) -> None:
    held = _hold(path)
    if held == _NO_LOCKS:
        return
    try:
        if os.fstat(held).st_uid == os.geteuid():
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(held)
