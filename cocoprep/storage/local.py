"""Files of this machine: they appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cocoprep.errors import ImageError, OutputError
from cocoprep.storage.digests import digest_file
from cocoprep.storage.disk_errors import write_failure
from cocoprep.storage.receive import partial_bytes, receive_file
from cocoprep.storage.store import FileDigest, Pieces

TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)-[0-9a-f]{8}\.tmp")  # what `LocalFiles.create` writes to first


class LocalFiles:
    """Files of this machine, mounted drives included.

    Only regular files are read: a pipe would be waited for without end, and a device has none.
    """

    def open_read(self, path: str) -> BinaryIO:
        """See `FileStore`."""
        return _open_regular(path)

    def read_bytes(self, path: str) -> bytes:
        """See `FileStore`."""
        with _open_regular(path) as stream:
            return stream.read()

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """See `FileStore`."""
        with _open_regular(path) as stream:
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

    def put_if(self, path: str, data: bytes, *, found: bytes | None) -> bool:
        """See `FileStore`. Raises OutputError as `create`."""
        if found is None:
            return self._put_new(path, data)
        try:
            if self.read_bytes(path) != found:
                return False
        except FileNotFoundError:
            return False
        with self.create(path, sync=False) as stream:
            stream.write(data)
        return True

    def _put_new(self, path: str, data: bytes) -> bool:
        try:
            with open(path, "xb", buffering=0) as stream:  # a reader may find it empty
                stream.write(data)
        except FileExistsError:
            return False
        except OSError as error:
            raise OutputError(write_failure(path, error)) from error
        return True

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

    def walk_names(self, folder: str, *, follow_links: bool = False) -> Iterator[str]:
        """See `FileStore`. A folder that several links lead to is walked once."""
        waiting, walked = [""], set[tuple[int, int]]()
        while waiting:
            inner = waiting.pop()
            path = os.path.join(folder, inner)
            with suppress(OSError):
                known = os.stat(path)
                if (known.st_dev, known.st_ino) in walked:
                    continue
                walked.add((known.st_dev, known.st_ino))
                folders = []
                with os.scandir(path) as entries:
                    for entry in entries:
                        if entry.name.startswith("."):
                            continue
                        if entry.is_dir(follow_symlinks=follow_links):
                            folders.append(f"{inner}{entry.name}/")
                        else:
                            yield inner + entry.name
                waiting += sorted(folders, reverse=True)  # which of several links comes first must not be by chance

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

    def read_contained(
        self, folder: str, name: str, *, max_bytes: int, first: int | None = None, follow_links: bool = False
    ) -> bytes:
        """See `FileStore`."""
        try:
            with _open_regular(_within(folder, name) if follow_links else _contained(folder, name)) as stream:
                size = os.fstat(stream.fileno()).st_size
                if size > max_bytes:
                    raise ImageError(f"{name!r}: {size} bytes, more than the limit of {max_bytes}")
                # Of what is asked for, all is allocated first.
                return stream.read(size if first is None else min(first, size))
        except FileNotFoundError as error:
            of_link = ", only a link to what is not there" if os.path.islink(os.path.join(folder, name)) else ""
            raise ImageError(f"{name!r}: no such file in the image folder{of_link}") from error
        except OSError as error:  # without its path: what is said of a photograph is the same on every machine
            raise ImageError(f"{name!r}: cannot be read ({error.strerror or error})") from error
        except ValueError as error:
            raise ImageError(f"{name!r}: cannot be read ({error})") from error

    def receive(self, path: str, digest: FileDigest, pieces: Pieces, *, on_bytes: Callable[[int], None]) -> None:
        """See `FileStore`."""
        receive_file(path, digest, pieces, on_bytes=on_bytes)

    def kept_bytes(self, path: str, digest: FileDigest) -> int:
        """See `FileStore`."""
        return partial_bytes(path, digest)

    def digest(self, path: str) -> FileDigest:
        """See `FileStore`."""
        return digest_file(path, self)

    def free_bytes(self, folder: str) -> int | None:
        """See `FileStore`."""
        place = Path(folder).absolute()
        while not os.path.exists(place):  # of a place that may not be looked at, `Path.exists` raises
            place = place.parent
        return shutil.disk_usage(place).free


def _contained(folder: str, name: str) -> str:
    """Return the path of a file in a folder, all links resolved. Raises ImageError where it lies elsewhere."""
    path = os.path.join(folder, name)
    if os.path.basename(name) == name and name != os.pardir and not os.path.islink(path):
        return path  # what is asked next costs a call to the system for every folder on the way
    real, root = os.path.realpath(path), os.path.realpath(folder)
    if os.path.commonpath([real, root]) != root:
        raise ImageError(f"{name!r}: a link that leads out of the image folder; --follow-links has it followed")
    return real


def _within(folder: str, name: str) -> str:
    """Return the path of a file in a folder as it is spelled. Raises ImageError where that leads out."""
    if os.path.isabs(name) or os.pardir in name.split("/"):
        raise ImageError(f"{name!r}: not within the image folder")
    return os.path.join(folder, name)


def _open_regular(path: str) -> BinaryIO:
    """Open a file for reading. Raises OSError for a folder, a pipe, a device or a socket, at once."""
    stream = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - the caller closes it
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "not a regular file", path)
    return stream


def _open_at_once(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a named pipe would wait for ever.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
