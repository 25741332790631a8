"""Folders that TensorFlow itself reads, as a file store to read from.

It is for those who read shards in Python without naming a store. The command line names one, which knows `gs://` too:
that one is tested, and it tells a bucket that does not answer from a damaged record.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO, NoReturn, cast

import tensorflow as tf

from cocoprep.errors import OutputError


class GFiles:
    """The reading half of `FileStore`, by `tf.io.gfile`; its faults are OSErrors as those of local files are."""

    def open_read(self, path: str) -> BinaryIO:
        """See `FileStore`."""
        return cast(BinaryIO, _Stream(path))

    def read_bytes(self, path: str) -> bytes:
        """See `FileStore`."""
        with self.open_read(path) as stream:
            return stream.read()

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """See `FileStore`."""
        with self.open_read(path) as stream:
            stream.seek(start)
            return stream.read(end - start)

    def exists(self, path: str) -> bool:
        """See `FileStore`."""
        with _as_os_errors(path):
            return bool(tf.io.gfile.exists(path))

    def is_folder(self, path: str) -> bool:
        """See `FileStore`."""
        with _as_os_errors(path):
            return bool(tf.io.gfile.isdir(path))

    def size(self, path: str) -> int:
        """See `FileStore`."""
        with _as_os_errors(path):
            return int(tf.io.gfile.stat(path).length)

    def list_names(self, folder: str) -> list[str]:
        """See `FileStore`."""
        if not self.is_folder(folder):
            return []
        with _as_os_errors(folder):
            return sorted(name.rstrip("/") for name in tf.io.gfile.listdir(folder))

    def join(self, folder: str, name: str) -> str:
        """See `FileStore`."""
        return f"{folder.rstrip('/')}/{name}"

    def read_contained(self, folder: str, name: str, *, max_bytes: int) -> bytes:
        """See `FileStore`. Not here: photographs are for the build alone."""
        _refuse(self.join(folder, name))

    def create(self, path: str, *, sync: bool = True) -> AbstractContextManager[BinaryIO]:
        """See `FileStore`. Not here: this store only reads."""
        _refuse(path)

    def sync(self, path: str) -> None:
        """See `FileStore`. Not here: this store only reads."""
        _refuse(path)

    def delete(self, path: str) -> None:
        """See `FileStore`. Not here: this store only reads."""
        _refuse(path)

    def make_folder(self, path: str) -> None:
        """See `FileStore`. Not here: this store only reads."""
        _refuse(path)


class _Stream:
    """A file open for reading at any position."""

    def __init__(self, path: str) -> None:
        self._path, self._file = path, tf.io.gfile.GFile(path, "rb")

    def read(self, count: int = -1) -> bytes:
        with _as_os_errors(self._path):
            return bytes(self._file.read(count))

    def seek(self, position: int) -> int:
        with _as_os_errors(self._path):
            self._file.seek(position)
            return position

    def tell(self) -> int:
        with _as_os_errors(self._path):
            return int(self._file.tell())

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()


@contextmanager
def _as_os_errors(path: str) -> Iterator[None]:
    try:
        yield
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "no such file or folder", path) from error
    except tf.errors.OpError as error:
        raise OSError(errno.EIO, error.message, path) from error


def _refuse(path: str) -> NoReturn:
    raise OutputError(f"{path}: folders on a remote store are read here, never written. Name a local one.")
