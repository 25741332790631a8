"""COCO's files as they lie on this machine: is what is there what it should be? Nothing that is there is changed.

Of an annotation file no digest is known: it is unpacked from a zip whose digest is, and held against that later.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

from cocoprep.errors import OutputError, RecordError
from cocoprep.storage.sizes import format_bytes
from cocoprep.storage.store import PIECE_BYTES, FileDigest, FileStore

_MAX_JSON_BYTES = 1 << 30
_CURE = "Remove it and run the same command again, or name another folder."

OnBytes = Callable[[int], None]  # told how many more bytes are done


def check_size(path: str, expected: int) -> None:
    """Raise OutputError unless `path` is a file of so many bytes."""
    if not os.path.isfile(path):
        raise OutputError(f"{path}: expected a file, found a folder or a device. {_CURE}")
    found = os.stat(path).st_size
    if found != expected:
        raise OutputError(
            f"{path}: expected {expected} bytes, found {found}. It is cut short, or another file. {_CURE}"
        )


def check_file(path: str, expected: FileDigest, on_bytes: OnBytes) -> None:
    """Read a file. Raises OutputError where its content is not what it should be."""
    check_size(path, expected.bytes)
    sha = sha256()
    for piece in _read(path, on_bytes):
        sha.update(piece)
    if sha.hexdigest() != expected.sha256:
        raise OutputError(
            f"{path}: expected the SHA-256 {expected.sha256}, found {sha.hexdigest()}. It is damaged, or another file. "
            f"{_CURE}"
        )


def check_member(path: str, zip_path: str, name: str, on_bytes: OnBytes) -> None:
    """Read a file and hold its size and CRC-32 against what a zip, known to be good, says of its member.

    Raises:
        OutputError: they differ.
        RecordError: the zip has no such member.
    """
    with _member(zip_path, name) as (_, info):
        expected_bytes, expected_crc = info.file_size, info.CRC
    check_size(path, expected_bytes)
    crc = 0
    for piece in _read(path, on_bytes):
        crc = zlib.crc32(piece, crc)
    if crc != expected_crc:
        raise OutputError(
            f"{path}: expected the CRC-32 {expected_crc:08x}, which {zip_path} says of it, found {crc:08x}. It was "
            f"changed or damaged. {_CURE}"
        )


def extract_member(zip_path: str, name: str, target: str, files: FileStore) -> None:
    """Write one member of a zip, whole or not at all.

    Raises:
        RecordError: it is not there, or cannot be unpacked.
        OutputError: it cannot be written.
    """
    with _member(zip_path, name) as (archive, info), archive.open(info) as packed, files.create(target) as stream:
        left = info.file_size
        while piece := packed.read(min(PIECE_BYTES, left)):
            stream.write(piece)
            left -= len(piece)


@contextmanager
def _member(path: str, name: str) -> Iterator[tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
    """Open a zip at one member; what fails of it in the block is a RecordError."""
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(name)
            if info.compress_type not in ZIP_METHODS or info.file_size > _MAX_JSON_BYTES:
                raise RecordError(f"{path}: {name} takes {format_bytes(info.file_size)} unpacked, which is not COCO's.")
            yield archive, info
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError) as error:
        raise RecordError(f"{path}: {name} cannot be unpacked ({error}). Remove the zip and run this again.") from error


def _read(path: str, on_bytes: OnBytes) -> Iterator[bytes]:
    try:
        with open(path, "rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                on_bytes(len(piece))
                yield piece
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be read ({error.strerror or error}), so it cannot be checked. Mend that, or name another "
            "folder."
        ) from error


ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a limit on memory
