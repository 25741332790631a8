"""Photographs in a tar, read in place: nothing is unpacked."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping

from cocoprep.crops.image_source import MAX_FILE_BYTES, Place, photograph_digest
from cocoprep.crops.members import Members, nothing_in, twice_in
from cocoprep.crops.tar_index import index_tar
from cocoprep.errors import ConfigError, ImageError
from cocoprep.storage.store import FileStore


class ImageTar:
    """Photographs as members of one tar, found as `Members` does.

    A tar has no directory. All of it is walked through once, when a name is first asked for; a process that is told
    by `learn` does not.
    """

    nothing = nothing_in("tar")

    def __init__(self, path: str, files: FileStore) -> None:
        self._stream = files.open_read(path)
        weakref.finalize(self, self._stream.close)
        self._path, self._size = path, files.size(path)
        self._found: Members[Place] | None = None

    @property
    def _members(self) -> Members[Place]:
        if self._found is None:
            try:
                members = index_tar(self._stream, self._size, by_reading="://" in self._path)
                self._found = Members(members, "tar", self._path)
            except (ValueError, OSError) as error:
                raise ConfigError(
                    f"--images: {self._path} is not a tar that can be read ({error}). It may be damaged or cut short: "
                    "compare its size with the source's and fetch it again."
                ) from error
        return self._found

    def read(self, file_name: str) -> bytes:
        """See `ImageSource`."""
        return self.read_start(file_name, MAX_FILE_BYTES)

    def read_start(self, file_name: str, size: int) -> bytes:
        """See `ImageSource`."""
        place = self._members.member(file_name)
        if place.fault is not None:
            raise ImageError(f"{file_name!r}: {place.fault}")
        try:
            self._stream.seek(place.start)
            data = self._stream.read(min(size, place.size))
        except OSError as error:
            raise ImageError(f"{file_name!r}: cannot be read ({error.strerror or error})") from error
        if len(data) < min(size, place.size):
            raise ImageError(f"{file_name!r}: cut short in the tar")
        return data

    def digest(self, file_name: str) -> str | None:
        """See `ImageSource`."""
        try:
            return photograph_digest(self.read(file_name))
        except ImageError:
            return None

    def find(self, file_names: Iterable[str]) -> dict[str, str]:
        """See `ImageSource`."""
        return self._members.find(file_names)

    def names(self) -> Iterator[str]:
        """See `ImageSource`."""
        return self._members.names()

    def places(self, file_names: Iterable[str]) -> dict[str, Place]:
        """See `ImageSource`."""
        found = {}
        for name in self._members.find(file_names):
            try:
                found[name] = self._members.member(name)
            except ImageError:
                found[name] = Place(0, 0, twice_in("tar"))
        return found

    def learn(self, places: Mapping[str, Place]) -> None:
        """See `ImageSource`."""
        self._found = Members(places.items(), "tar")
