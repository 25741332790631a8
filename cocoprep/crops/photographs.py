"""Photographs: where they come from, a folder or a zip.

Files are not trusted: names may not leave the folder, and no file may exhaust memory.
"""

from __future__ import annotations

import re
import stat
import weakref
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol

from cocoprep.coco.archives import ZIP_METHODS
from cocoprep.errors import ConfigError, ImageError, StoreError
from cocoprep.storage.store import FileStore

MAX_FILE_BYTES = 1 << 28


_ELSEWHERE = re.compile(r"/|[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*://")  # absolute, a drive, a URL


class ImageSource(Protocol):
    """Where photographs come from."""

    def read(self, file_name: str) -> bytes:
        """Return a photograph's file. Raises ImageError where there is none, or none that may be read."""
        ...

    def read_start(self, file_name: str, size: int) -> bytes:
        """Return no more than the first `size` bytes of a photograph's file. Raises as `read`."""
        ...

    def digest(self, file_name: str) -> str | None:
        """Return `photograph_digest` of the file, at the least cost; None where it cannot be read."""
        ...

    def listed(self, file_names: Sequence[str]) -> list[str]:
        """Return those of many names under which something lies, without asking for each."""
        ...


def open_images(path: str, files: FileStore) -> ImageSource:
    """Open a folder or a .zip of photographs.

    Raises:
        ConfigError: neither is there, or the zip cannot be read.
    """
    if files.is_folder(path):
        return ImageFolder(path, files)
    if not files.exists(path):
        raise ConfigError(f"--images: expected a folder or a .zip of photographs, found nothing at {path}.")
    try:
        return ImageZip(path, files)
    except (StoreError, MemoryError):
        raise
    except Exception as error:  # zipfile raises whatever a hostile directory provokes
        raise ConfigError(
            f"--images: {path} is not a zip that can be read ({error}). It may be cut short: compare its size with the "
            "source's and fetch it again."
        ) from error


def photograph_digest(data: bytes) -> str:
    """Return size and CRC-32 of a file's content: what a zip's directory holds, so that it costs no reading there."""
    return _digest(len(data), zlib.crc32(data))


def _digest(size: int, crc32: int) -> str:
    return f"{size}-{crc32:08x}"


def check_file_name(file_name: str) -> None:
    """Raise ImageError where a name from an annotation file could lead out of the image folder."""
    parts = file_name.split("/")
    odd = set(parts) <= {"", "."} or ".." in parts or "\\" in file_name or "\0" in file_name
    if odd or _ELSEWHERE.match(file_name):
        raise ImageError(
            f"file_name {file_name!r}: expected a relative path with forward slashes that stays within the image folder"
        )


class ImageFolder:
    """Photographs as files under one folder."""

    def __init__(self, path: str, files: FileStore) -> None:
        self._path, self._files = path, files

    def read(self, file_name: str) -> bytes:
        """See `ImageSource`."""
        check_file_name(file_name)
        return self._files.read_contained(self._path, file_name, max_bytes=MAX_FILE_BYTES)

    def read_start(self, file_name: str, size: int) -> bytes:
        """See `ImageSource`."""
        check_file_name(file_name)
        return self._files.read_contained(self._path, file_name, max_bytes=MAX_FILE_BYTES, first=size)

    def digest(self, file_name: str) -> str | None:
        """See `ImageSource`."""
        try:
            return photograph_digest(self.read(file_name))
        except ImageError:
            return None

    def listed(self, file_names: Sequence[str]) -> list[str]:
        """See `ImageSource`."""
        there: dict[str, set[str]] = {}
        found = []
        for file_name in file_names:
            folder, _, name = file_name.rpartition("/")
            if folder not in there:
                with suppress(ImageError):
                    check_file_name(file_name)
                    there[folder] = set(self._files.list_names(self._files.join(self._path, folder)))
            if name in there.get(folder, ()):
                found.append(file_name)
        return found


class ImageZip:
    """Photographs as members of one zip, read in place: nothing is unpacked.

    A photograph is found under its own name, under a folder of the zip's name (as in COCO's zips), or under the one
    folder that all members share.
    """

    def __init__(self, path: str, files: FileStore) -> None:
        stream = files.open_read(path)
        weakref.finalize(self, stream.close)  # a ZipFile closes only what it has opened itself
        self._zip = zipfile.ZipFile(stream)
        self._stem = PurePosixPath(path).stem

    @cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo | None]:
        """Index the members by name; a name used twice maps to None."""
        members: dict[str, zipfile.ZipInfo | None] = {}
        for info in self._zip.infolist():
            if not info.filename.endswith("/"):  # not `is_dir`, which fails on an empty name
                members[info.filename] = None if info.filename in members else info
        return members

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        tops = {name.split("/", 1)[0] for name in self._members if "/" in name} - {"__MACOSX"}  # a Mac's own notes
        shared = tops if len(tops) == 1 else set()
        return ("", f"{self._stem}/", *(f"{top}/" for top in shared))

    def _find(self, file_name: str) -> zipfile.ZipInfo:
        check_file_name(file_name)
        name = next((f + file_name for f in self._folders if f + file_name in self._members), None)
        if name is None:
            raise ImageError(f"{file_name!r}: no such member in the zip")
        info = self._members[name]
        if info is None:
            raise ImageError(f"{file_name!r}: the zip holds this name more than once")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ImageError(f"{file_name!r}: a symbolic link in the zip")
        if info.flag_bits & 1:
            raise ImageError(f"{file_name!r}: encrypted in the zip")
        if info.compress_type not in ZIP_METHODS:
            raise ImageError(f"{file_name!r}: zip method {info.compress_type}, expected stored or deflated")
        if info.file_size > MAX_FILE_BYTES:
            raise ImageError(f"{file_name!r}: {info.file_size} bytes, more than the limit of {MAX_FILE_BYTES}")
        return info

    def read(self, file_name: str) -> bytes:
        """See `ImageSource`."""
        return self.read_start(file_name, MAX_FILE_BYTES)

    def read_start(self, file_name: str, size: int) -> bytes:
        """See `ImageSource`."""
        info = self._find(file_name)
        try:
            with self._zip.open(info) as member:
                # No more than is told, whatever the packed data unpack to; at the end it checks the CRC too.
                return member.read(min(size, info.file_size))
        except (StoreError, MemoryError):  # not the photograph's fault
            raise
        except Exception as error:  # zipfile raises whatever a hostile member provokes
            raise ImageError(f"{file_name!r}: damaged in the zip ({error})") from error

    def digest(self, file_name: str) -> str | None:
        """See `ImageSource`. Taken from the zip's directory: no member is read."""
        try:
            info = self._find(file_name)
        except ImageError:
            return None
        return _digest(info.file_size, info.CRC)

    def listed(self, file_names: Sequence[str]) -> list[str]:
        """See `ImageSource`."""
        return [name for name in file_names if any(folder + name in self._members for folder in self._folders)]
