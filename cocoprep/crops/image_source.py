"""What a source of photographs does, and what may be asked of it: no name leads out, and no file exhausts memory."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from cocoprep.errors import ImageError

MAX_FILE_BYTES = 1 << 28
_ELSEWHERE = re.compile(r"/|[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*://")  # absolute, a drive, a URL


class Place(NamedTuple):
    """Where a photograph lies in an archive, in bytes; `fault` says why it is not read all the same."""

    start: int
    size: int
    fault: str | None


class ImageReader(Protocol):
    """What gives photographs by name."""

    def read(self, file_name: str) -> bytes:
        """Return a photograph's file. Raises ImageError where there is none, or none that may be read."""
        ...


class StartReader(ImageReader, Protocol):
    """Photographs of which no more than the header need be read."""

    def read_start(self, file_name: str, size: int) -> bytes:
        """Return no more than the first `size` bytes of a photograph's file. Raises as `read`."""
        ...


class DigestedImages(StartReader, Protocol):
    """Photographs that can be told from those of an earlier build."""

    def digest(self, file_name: str) -> str | None:
        """Return `photograph_digest` of the file, at the least cost; None where it cannot be read."""
        ...


class ImageSource(DigestedImages, Protocol):
    """Where photographs come from. What it calls a photograph itself, its own name, is one of those that it reads."""

    @property
    def nothing(self) -> str:
        """Return what is said of a name under which nothing lies."""
        ...

    def find(self, file_names: Iterable[str]) -> dict[str, str]:
        """Return those of many names under which something lies, each with its own name, without asking for each."""
        ...

    def names(self) -> Iterator[str]:
        """Yield the own names of all that is there."""
        ...

    def places(self, file_names: Iterable[str]) -> dict[str, Place]:
        """Return by name what another process would have to look through all for; nothing where it would not."""
        ...

    def learn(self, places: Mapping[str, Place]) -> None:
        """Take what `places` has returned in another process for all that there is, until told anew."""
        ...


def photograph_digest(data: bytes) -> str:
    """Return size and CRC-32 of a file's content: what a zip's directory holds, so that it costs no reading there."""
    return size_and_crc(len(data), zlib.crc32(data))


def size_and_crc(size: int, crc32: int) -> str:
    """Return the digest of content of which size and CRC-32 are known."""
    return f"{size}-{crc32:08x}"


def check_file_name(file_name: str) -> None:
    """Raise ImageError where a name from an annotation file could lead out of the image folder."""
    parts = file_name.split("/")
    odd = set(parts) <= {"", "."} or ".." in parts or "\\" in file_name or "\0" in file_name
    if odd or _ELSEWHERE.match(file_name):
        raise ImageError(
            f"file_name {file_name!r}: expected a relative path with forward slashes that stays within the image folder"
        )
