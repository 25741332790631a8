"""Where bytes lie: a small file-store protocol and its local implementation.

The core reads and writes through this alone, so that a bucket can stand where a folder does.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from cocoprep.errors import ImageError, OutputError

TEMPORARY = re.compile(r"\.(?P<name>.+)\.\d+-[0-9a-f]{8}\.tmp")  # what `LocalFiles.create` writes to first


class LocalFiles:
    """Files of this machine, mounted drives included."""

    def open_read(self, path: str) -> BinaryIO:
        """See `FileStore`."""
        return open(path, "rb")

    def read_bytes(self, path: str) -> bytes:
        """See `FileStore`."""
        with open(path, "rb") as stream:
            return stream.read()

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """See `FileStore`."""
        with open(path, "rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    @contextmanager
    def create(self, path: str, *, sync: bool = True) -> Iterator[BinaryIO]:
        """See `FileStore`. Raises OutputError where the disk is full, or the folder or what is there is not for it."""
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            # Renamed over, /dev/null would be a file from then on, for everybody.
            raise OutputError(f"cannot write {path}: expected a file or nothing there, found a device or a pipe.")
        folder, name = os.path.split(path)
        # Unique, because an engine may run a bundle twice at once; hidden, so that readers pass over it.
        temporary = os.path.join(folder, f".{name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
        try:
            with open(temporary, "xb") as stream:
                yield stream
                stream.flush()
                if sync:
                    os.fsync(stream.fileno())
            os.replace(temporary, path)
        except OSError as error:
            raise OutputError(write_failure(path, error)) from error
        finally:
            with suppress(OSError):
                os.unlink(temporary)

    def sync(self, path: str) -> None:
        """See `FileStore`. Raises OutputError where the disk fails."""
        try:
            with open(path, "rb") as stream:
                os.fsync(stream.fileno())
        except OSError as error:
            raise OutputError(write_failure(path, error)) from error

    def exists(self, path: str) -> bool:
        """See `FileStore`."""
        return os.path.exists(path)

    def is_folder(self, path: str) -> bool:
        """See `FileStore`."""
        return os.path.isdir(path)

    def size(self, path: str) -> int:
        """See `FileStore`."""
        return os.stat(path).st_size

    def list_names(self, folder: str) -> list[str]:
        """See `FileStore`."""
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"cannot list {folder}: {error.strerror or error}. Expected a folder.") from error

    def delete(self, path: str) -> None:
        """See `FileStore`. Raises OutputError where that cannot be done."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError(f"cannot remove {path}: {error.strerror or error}. Remove it by hand.") from error

    def make_folder(self, path: str) -> None:
        """See `FileStore`. Raises OutputError where that cannot be done."""
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            raise OutputError(write_failure(path, error)) from error

    def join(self, folder: str, name: str) -> str:
        """See `FileStore`."""
        return os.path.join(folder, name)

    def read_contained(self, folder: str, name: str, *, max_bytes: int) -> bytes:
        """See `FileStore`."""
        try:
            with open(_contained(folder, name), "rb", opener=_open_at_once) as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise ImageError(f"{name!r}: not a regular file")
                if status.st_size > max_bytes:
                    raise ImageError(f"{name!r}: {status.st_size} bytes, more than the limit of {max_bytes}")
                return stream.read(status.st_size)  # of what is asked for, all is allocated first
        except FileNotFoundError as error:
            raise ImageError(f"{name!r}: no such file in the image folder") from error
        except OSError as error:  # without its path: what is said of a photograph is the same on every machine
            raise ImageError(f"{name!r}: cannot be read ({error.strerror or error})") from error
        except ValueError as error:
            raise ImageError(f"{name!r}: cannot be read ({error})") from error


def _contained(folder: str, name: str) -> str:
    """Return the path of a file in a folder, all links resolved. Raises ImageError where it lies elsewhere."""
    path = os.path.join(folder, name)
    if os.path.basename(name) == name and name != os.pardir and not os.path.islink(path):
        return path  # what is asked next costs a call to the system for every folder on the way
    real, root = os.path.realpath(path), os.path.realpath(folder)
    if os.path.commonpath([real, root]) != root:
        raise ImageError(f"{name!r}: a link that leads out of the image folder")
    return real


def real_path(path: str) -> str:
    """Return the one spelling that two paths of the same thing share: links resolved, where there are links."""
    return path.rstrip("/") if "://" in path else os.path.realpath(path)


def _open_at_once(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a named pipe would wait for ever.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def no_temporary(error: OSError) -> OutputError:
    """Return the error of a temporary file that cannot be written."""
    return OutputError(
        f"cannot write to the folder for temporary files, {tempfile.gettempdir()}: {error.strerror or error}. Free "
        "some space there, or set TMPDIR to a folder on another disk."
    )


def write_failure(path: str, error: OSError) -> str:
    """Say that a file cannot be written, why, and the cure, in words that fit whatever command it was."""
    cure = {
        errno.ENOSPC: "The disk is full: free some space, then run the same command again.",
        errno.EDQUOT: "The quota is used up: free some space, then run the same command again.",
        errno.EFBIG: "Files may not be so large here (ulimit -f, or the disk): raise that, or let a build make more "
        "shards.",
        errno.EACCES: "Choose a folder that you may write to.",
        errno.EROFS: "The file system is read-only: choose a folder on another one.",
        errno.ENOENT: "The folder went away, or the file's temporary name: where another build is at work, let it end, "
        "then run the same command again.",
        errno.ENOTDIR: "A part of this path is a file: choose another folder.",
    }.get(error.errno or 0, "Check the folder and the disk, then run the same command again.")
    return f"cannot write {path}: {error.strerror or error}. {cure}"
