"""Objects of Google Cloud Storage as files.

Google's library is loaded with the first path in a bucket, never before; Beam is not needed at all.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO, cast

import google_crc32c

from cocoprep.errors import ConfigError, ImageError, OutputError, StoreError
from cocoprep.storage.digests import check_received, digest_file, digest_stream
from cocoprep.storage.gcs_client import bucket_client, no_bucket, split_path, told
from cocoprep.storage.gcs_parts import PART_BYTES, PARTS, crc_text, cut_pieces, part_bytes, part_prefix
from cocoprep.storage.gcs_reader import ObjectReader
from cocoprep.storage.paths import BUCKET_SCHEME
from cocoprep.storage.store import PATIENCE_S, FileDigest, Pieces

_CONNECT_S, _READ_S = 10.0, 60.0
_SPOOL_BYTES = 16 << 20
_UPLOAD_BYTES = 16 << 20  # of one request of a long upload
_PROBE = ".cocoprep-probe"  # would be the name of what is never written
_SHA256 = "cocoprep-sha256"  # an object's custom metadata


@dataclass(frozen=True)
class BucketFiles:
    """Objects of Google Cloud Storage as files: `gs://bucket/folder/name`. It pickles.

    An object appears whole or not at all, and is read as it was when it was opened, or not at all. A request that fails
    for the moment (503, 429, a lost connection, no answer) is made again, at growing intervals, for `patience_s`; after
    that, and where there are no credentials, no rights or no such bucket, a StoreError says so. What is merely missing
    is an OSError, as it is on a disk.
    """

    patience_s: float = PATIENCE_S

    def open_read(self, path: str) -> BinaryIO:
        """See `FileStore`. Reads by ranges, small where the reader jumps about and large where it reads on."""
        return cast(BinaryIO, io.BufferedReader(self._reader(path), 1 << 16))

    def read_bytes(self, path: str) -> bytes:
        """See `FileStore`."""
        return self._reader(path).readall()

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """See `FileStore`. The one way to read that holds on to no generation: what is read must prove itself."""
        if end <= start:
            return b""
        with told(path):
            return self._download(self._blob(path), start, end - 1)

    @contextmanager
    def create(self, path: str, *, sync: bool = True) -> Iterator[BinaryIO]:
        """See `FileStore`. The object is sent when the block has ended; until then it waits in a temporary file.

        Raises:
            OutputError: the disk for temporary files is full.
            StoreError: the object cannot be written.
        """
        split_path(path)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            try:
                yield cast(BinaryIO, spool)
            except OSError as error:
                raise OutputError(
                    f"cannot write {path}: {error.strerror or error}. It waits in the folder for temporary files, "
                    f"{tempfile.gettempdir()}, until it is sent: free some space there, or set TMPDIR to a folder on "
                    "another disk."
                ) from error
            self._upload(path, cast(BinaryIO, spool), digest_stream(cast(BinaryIO, spool)))

    def put_if(self, path: str, data: bytes, *, found: bytes | None) -> bool:
        """See `FileStore`. By the object's generation: of several at once, one is told that it was."""
        from google.api_core.exceptions import PreconditionFailed

        generation = 0  # stands for: there is none
        if found is not None:
            try:
                blob = self._stat(path)
                if self.read_range(path, 0, len(found) + 1) != found:
                    return False
                generation = blob.generation
            except FileNotFoundError:
                return False
        try:
            with told(path):
                self._blob(path).upload_from_string(
                    data, content_type="application/json", if_generation_match=generation, **self._patiently()
                )
        except StoreError as error:
            if isinstance(error.__cause__, PreconditionFailed):
                return False
            raise
        return True

    def sync(self, path: str) -> None:
        """See `FileStore`. Nothing is to be done: an object that is there stays there."""

    def exists(self, path: str) -> bool:
        """See `FileStore`."""
        if split_path(path)[1] and self._find(path) is not None:
            return True
        return self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """See `FileStore`. A bucket is a folder, and what begins the name of an object and ends at a slash."""
        found, _ = self._list(path, max_results=1)
        return bool(found) or not split_path(path)[1]

    def size(self, path: str) -> int:
        """See `FileStore`."""
        return int(self._stat(path).size)

    def list_names(self, folder: str) -> list[str]:
        """See `FileStore`. Without what is on its way."""
        objects, folders = self._list(folder, delimiter="/")
        start = len(_prefix(folder))
        names = {blob.name[start:] for blob in objects} | {prefix[start:-1] for prefix in folders}
        return sorted(names - {"", PARTS})

    def walk_names(self, folder: str, *, follow_links: bool = False) -> Iterator[str]:
        """See `FileStore`. A bucket has no links."""
        start = len(_prefix(folder))
        names = (blob.name[start:] for blob in self._list(folder)[0])
        return (name for name in names if name and not any(part.startswith(".") for part in name.split("/")))

    def delete(self, path: str) -> None:
        """See `FileStore`."""
        try:
            with told(path):
                self._blob(path).delete(**self._patiently())
        except FileNotFoundError:
            return

    def make_folder(self, path: str) -> None:
        """See `FileStore`. A bucket needs no folders; that it is there and may be written to is found out now."""
        self.is_folder(path)
        with told(path):  # an upload that is begun and never ended leaves nothing
            self._blob(self.join(path, _PROBE)).create_resumable_upload_session(**self._patiently())

    def join(self, folder: str, name: str) -> str:
        """See `FileStore`."""
        return f"{folder.rstrip('/')}/{name}" if folder != BUCKET_SCHEME else folder + name

    def read_contained(
        self, folder: str, name: str, *, max_bytes: int, first: int | None = None, follow_links: bool = False
    ) -> bytes:
        """See `FileStore`. Only what is wrong with this object is an ImageError; all else ends the build."""
        del follow_links  # there are none
        path = self.join(folder, name)
        try:
            with told(path):
                data = self._download(self._blob(path), 0, max_bytes if first is None else first - 1)
        except FileNotFoundError as error:
            raise ImageError(f"{name!r}: no such file in the image folder") from error
        if len(data) > max_bytes:
            raise ImageError(f"{name!r}: {self.size(path)} bytes, more than the limit of {max_bytes}")
        return data

    def receive(self, path: str, digest: FileDigest, pieces: Pieces, *, on_bytes: Callable[[int], None]) -> None:
        """See `FileStore`. A large file goes up in parts, which a later call finds; then they are composed."""
        if digest.bytes <= PART_BYTES:
            data = b"".join(pieces(0))
            check_received(path, digest, FileDigest(len(data), sha256(data).hexdigest()))
            self._upload(path, io.BytesIO(data), digest)
            on_bytes(len(data))
            return
        there = self._parts(path)
        prefix = part_prefix(path, digest)
        sha, crc, names, size = sha256(), 0, list[str](), 0
        for part in cut_pieces(pieces(0), part_bytes(digest)):
            sha.update(part)
            crc = google_crc32c.extend(crc, part)
            names.append(f"{prefix}{len(names):02d}")
            found = there.get(names[-1])
            if found is None or int(found.size) != len(part) or found.crc32c != crc_text(google_crc32c.value(part)):
                self._upload(f"{BUCKET_SCHEME}{split_path(path)[0]}/{names[-1]}", io.BytesIO(part))
            size += len(part)
            on_bytes(len(part))
        try:
            check_received(path, digest, FileDigest(size, sha.hexdigest()))
            self._compose(path, digest, names, crc_text(crc))
        finally:
            for name in {*there, *names}:
                self.delete(f"{BUCKET_SCHEME}{split_path(path)[0]}/{name}")

    def digest(self, path: str) -> FileDigest:
        """See `FileStore`. What was sent with its digest is not read again: the service keeps its own checksums."""
        blob = self._stat(path)
        known = (blob.metadata or {}).get(_SHA256)
        return FileDigest(int(blob.size), known) if known else digest_file(path, self)

    def kept_bytes(self, path: str, digest: FileDigest) -> int:
        """See `FileStore`."""
        prefix = part_prefix(path, digest)
        return sum(int(blob.size) for name, blob in self._parts(path).items() if name.startswith(prefix))

    def free_bytes(self, folder: str) -> int | None:
        """See `FileStore`. A bucket has no end."""
        return None

    # Requests

    def _patiently(self) -> dict[str, Any]:
        from google.cloud.storage.retry import DEFAULT_RETRY

        retry = DEFAULT_RETRY.with_timeout(self.patience_s).with_delay(initial=0.5, maximum=20, multiplier=2)
        return {"retry": retry, "timeout": (min(_CONNECT_S, self.patience_s), min(_READ_S, self.patience_s))}

    def _blob(self, path: str, **options: Any) -> Any:
        bucket, name = split_path(path)
        if not name:
            raise ConfigError(f"{path}: expected {BUCKET_SCHEME}bucket/name, found no name.")
        return bucket_client().bucket(bucket).blob(name, **options)

    def _find(self, path: str) -> Any:
        """Return an object with its metadata; None where there is none."""
        try:
            return self._stat(path)
        except FileNotFoundError:
            return None

    def _stat(self, path: str) -> Any:
        with told(path):
            blob = self._blob(path)
            blob.reload(**self._patiently())
            return blob

    def _reader(self, path: str) -> ObjectReader:
        return ObjectReader(path, self._stat(path), self._download)

    def _list(self, folder: str, **options: Any) -> tuple[list[Any], set[str]]:
        """Return the objects below a folder, and with a delimiter the folders of the first level."""
        try:
            with told(folder):
                prefix = _prefix(folder) or None
                found = bucket_client().list_blobs(split_path(folder)[0], prefix=prefix, **options, **self._patiently())
                return list(found), set(found.prefixes)  # in this order: reading fills the prefixes
        except FileNotFoundError as error:
            raise no_bucket(folder) from error

    def _parts(self, path: str) -> dict[str, Any]:
        """Return all parts of a file that is on its way, of whichever content, by name."""
        folder, _, name = path.rpartition("/")
        parts, _ = self._list(f"{folder}/{PARTS}/{name}")
        return {blob.name: blob for blob in parts}

    def _upload(self, path: str, stream: BinaryIO, digest: FileDigest | None = None) -> None:
        size = stream.seek(0, os.SEEK_END)
        try:
            with told(path):
                blob = self._blob(path, chunk_size=_UPLOAD_BYTES)
                if digest is not None:
                    blob.metadata = {_SHA256: digest.sha256}
                # Made again without a condition: what is sent under one name is always the same.
                blob.upload_from_file(
                    stream, rewind=True, size=size, content_type="application/octet-stream", checksum="crc32c",
                    **self._patiently(),
                )  # fmt: skip
        except FileNotFoundError as error:
            raise no_bucket(path) from error

    def _compose(self, path: str, digest: FileDigest, names: list[str], crc32c: str) -> None:
        with told(path):
            blob = self._blob(path)
            blob.metadata, blob.content_type = {_SHA256: digest.sha256}, "application/octet-stream"
            blob.compose([blob.bucket.blob(name) for name in names], **self._patiently())
            if blob.crc32c != crc32c:
                blob.delete(**self._patiently())
                raise StoreError(f"{path}: the bucket composed other bytes than were sent. Run the same command again.")

    def _download(self, blob: Any, start: int, end: int) -> bytes:
        """Return bytes `start` to `end`, `end` among them, or to the object's end."""
        from google.api_core.exceptions import RequestRangeNotSatisfiable

        try:
            data = blob.download_as_bytes(
                start=start, end=end, raw_download=True, checksum=None, **self._patiently()
            )  # fmt: skip
        except RequestRangeNotSatisfiable:  # an empty object
            return b""
        return bytes(data)


def _prefix(folder: str) -> str:
    name = split_path(folder)[1].rstrip("/")
    return f"{name}/" if name else ""
