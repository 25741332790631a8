"""Photographs in a zip, read in place: nothing is unpacked."""

from __future__ import annotations

import stat
import weakref
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from cocoprep.coco.archives import ZIP_METHODS
from cocoprep.crops.image_source import MAX_FILE_BYTES, Place, size_and_crc
from cocoprep.crops.members import Members, nothing_in
from cocoprep.errors import ImageError, StoreError
from cocoprep.storage.store import FileStore

_SAYS_UTF8 = 0x800  # APPNOTE 4.4.4, bit 11


class ImageZip:
    """Photographs as members of one zip, found as `Members` does."""

    nothing = nothing_in("zip")

    def __init__(self, path: str, files: FileStore) -> None:
        stream = files.open_read(path)
        weakref.finalize(self, stream.close)  # a ZipFile closes only what it has opened itself
        self._zip = zipfile.ZipFile(stream)
        self._path = path

    @cached_property
    def _members(self) -> Members[zipfile.ZipInfo]:
        # Some tools on Windows write backslashes, against the format.
        named = ((_name(info).replace("\\", "/"), info) for info in self._zip.infolist())
        return Members(named, "zip", self._path)

    def _find(self, file_name: str) -> zipfile.ZipInfo:
        info = self._members.member(file_name)
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
        return size_and_crc(info.file_size, info.CRC)

    def find(self, file_names: Iterable[str]) -> dict[str, str]:
        """See `ImageSource`."""
        return self._members.find(file_names)

    def names(self) -> Iterator[str]:
        """See `ImageSource`."""
        return self._members.names()

    def places(self, file_names: Iterable[str]) -> dict[str, Place]:
        """See `ImageSource`. A zip's directory is read at once."""
        del file_names
        return {}

    def learn(self, places: Mapping[str, Place]) -> None:
        """See `ImageSource`."""


def _name(info: zipfile.ZipInfo) -> str:
    """Return a member's name, also where it is UTF-8 and the zip does not say so, as those of Macs and of `zip`."""
    if info.filename.isascii() or info.flag_bits & _SAYS_UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename
