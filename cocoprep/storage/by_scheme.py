"""Where bytes lie, by a path's scheme: on this machine, or in a bucket of Google Cloud Storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from cocoprep.errors import ConfigError
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.paths import BUCKET_SCHEME
from cocoprep.storage.store import PATIENCE_S, FileDigest, FileStore, Pieces


@dataclass(frozen=True)
class AnyFiles:
    """Files of this machine and objects in buckets side by side: each path's scheme says which. It pickles.

    Attributes:
        patience_s: how long a bucket that does not answer is asked again before that is an error.
    """

    patience_s: float = PATIENCE_S

    def store_of(self, path: str) -> FileStore:
        """Return the store of one path. Raises ConfigError for a scheme that is not known."""
        if path.startswith(BUCKET_SCHEME):
            from cocoprep.storage.gcs import BucketFiles  # which loads much, and is seldom needed

            return BucketFiles(self.patience_s)
        if "://" in path:
            raise ConfigError(f"{path}: expected a path of this machine or one that begins with {BUCKET_SCHEME}.")
        return LocalFiles()

    def open_read(self, path: str) -> BinaryIO:
        """See `FileStore`."""
        return self.store_of(path).open_read(path)

    def read_bytes(self, path: str) -> bytes:
        """See `FileStore`."""
        return self.store_of(path).read_bytes(path)

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """See `FileStore`."""
        return self.store_of(path).read_range(path, start, end)

    def create(self, path: str, *, sync: bool = True) -> AbstractContextManager[BinaryIO]:
        """See `FileStore`."""
        return self.store_of(path).create(path, sync=sync)

    def put_if(self, path: str, data: bytes, *, found: bytes | None) -> bool:
        """See `FileStore`."""
        return self.store_of(path).put_if(path, data, found=found)

    def sync(self, path: str) -> None:
        """See `FileStore`."""
        self.store_of(path).sync(path)

    def exists(self, path: str) -> bool:
        """See `FileStore`."""
        return self.store_of(path).exists(path)

    def is_folder(self, path: str) -> bool:
        """See `FileStore`."""
        return self.store_of(path).is_folder(path)

    def size(self, path: str) -> int:
        """See `FileStore`."""
        return self.store_of(path).size(path)

    def list_names(self, folder: str) -> list[str]:
        """See `FileStore`."""
        return self.store_of(folder).list_names(folder)

    def walk_names(self, folder: str, *, follow_links: bool = False) -> Iterator[str]:
        """See `FileStore`."""
        return self.store_of(folder).walk_names(folder, follow_links=follow_links)

    def delete(self, path: str) -> None:
        """See `FileStore`."""
        self.store_of(path).delete(path)

    def make_folder(self, path: str) -> None:
        """See `FileStore`."""
        self.store_of(path).make_folder(path)

    def join(self, folder: str, name: str) -> str:
        """See `FileStore`."""
        return self.store_of(folder).join(folder, name)

    def read_contained(
        self, folder: str, name: str, *, max_bytes: int, first: int | None = None, follow_links: bool = False
    ) -> bytes:
        """See `FileStore`."""
        store = self.store_of(folder)
        return store.read_contained(folder, name, max_bytes=max_bytes, first=first, follow_links=follow_links)

    def receive(self, path: str, digest: FileDigest, pieces: Pieces, *, on_bytes: Callable[[int], None]) -> None:
        """See `FileStore`."""
        self.store_of(path).receive(path, digest, pieces, on_bytes=on_bytes)

    def digest(self, path: str) -> FileDigest:
        """See `FileStore`."""
        return self.store_of(path).digest(path)

    def kept_bytes(self, path: str, digest: FileDigest) -> int:
        """See `FileStore`."""
        return self.store_of(path).kept_bytes(path, digest)

    def free_bytes(self, folder: str) -> int | None:
        """See `FileStore`."""
        return self.store_of(folder).free_bytes(folder)
