"""Photographs: where they come from, a folder, a zip or a tar.

Files are not trusted: names may not leave the folder, and no file may exhaust memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cocoprep.crops.image_source import MAX_FILE_BYTES, ImageSource, Place, check_file_name, photograph_digest
from cocoprep.crops.image_tar import ImageTar
from cocoprep.crops.image_zip import ImageZip
from cocoprep.crops.tar_index import BLOCK_BYTES, is_tar_head
from cocoprep.errors import ConfigError, ImageError, OutputError, StoreError
from cocoprep.storage.store import FileStore

# What packs a whole file, so that nothing can be read from its middle: how it begins, and what unpacks it.
_PACKED = {
    b"\x1f\x8b": "gunzip",
    b"BZh": "bunzip2",
    b"\xfd7zXZ\x00": "unxz",
    b"\x28\xb5\x2f\xfd": "unzstd",
}


def open_images(path: str, files: FileStore, *, follow_links: bool = False, option: str = "--images") -> ImageSource:
    """Open a folder, a zip or a tar of photographs.

    Args:
        path: of the folder, or of the archive, known by what it holds.
        files: where it lies.
        follow_links: links within a folder may lead out of it.
        option: named in messages.

    Raises:
        ConfigError: none is there, or the archive cannot be read.
    """
    if files.is_folder(path):
        return ImageFolder(path, files, follow_links=follow_links)
    if not files.exists(path):
        raise ConfigError(f"{option}: expected a folder, a .zip or a .tar of photographs, found nothing at {path}.")
    try:
        head = files.read_range(path, 0, BLOCK_BYTES)
        if is_tar_head(head):
            return ImageTar(path, files)
        _refuse_packed(path, head, option)
        return ImageZip(path, files)
    except (StoreError, ConfigError, MemoryError):
        raise
    except Exception as error:  # zipfile raises whatever a hostile directory provokes
        raise ConfigError(
            f"{option}: {path} is not a zip that can be read ({error}). It may be cut short: compare its size with the "
            "source's and fetch it again."
        ) from error


def _refuse_packed(path: str, head: bytes, option: str) -> None:
    tool = next((tool for mark, tool in _PACKED.items() if head.startswith(mark)), None)
    if tool is not None:
        raise ConfigError(
            f"{option}: {path} is packed as a whole, so that no photograph can be read without all before it. Unpack "
            f"it once, to a plain .tar that can be given here: {tool} {path}"
        )


class ImageFolder:
    """Photographs as files below one folder."""

    nothing = "no such file in the image folder"

    def __init__(self, path: str, files: FileStore, *, follow_links: bool = False) -> None:
        """Take the folder's path, where it lies, and whether links within it may lead out."""
        self._path, self._files, self._follow_links = path, files, follow_links

    def read(self, file_name: str) -> bytes:
        """See `ImageSource`."""
        return self._contained(file_name, None)

    def read_start(self, file_name: str, size: int) -> bytes:
        """See `ImageSource`."""
        return self._contained(file_name, size)

    def _contained(self, file_name: str, first: int | None) -> bytes:
        check_file_name(file_name)
        return self._files.read_contained(
            self._path, file_name, max_bytes=MAX_FILE_BYTES, first=first, follow_links=self._follow_links
        )

    def digest(self, file_name: str) -> str | None:
        """See `ImageSource`."""
        try:
            return photograph_digest(self.read(file_name))
        except ImageError:
            return None

    def find(self, file_names: Iterable[str]) -> dict[str, str]:
        """See `ImageSource`. Each folder that the names name is listed once, and one at a time is held."""
        wanted: dict[str, list[str]] = {}
        for file_name in file_names:
            # With its slash, which tells what is in the first folder from what is at the root of all.
            wanted.setdefault(file_name[: file_name.rfind("/") + 1], []).append(file_name)
        found: dict[str, str] = {}
        for folder, within in wanted.items():
            names = self._listed(folder)
            if names is None:
                there = [name for name in within if self._files.exists(self._files.join(self._path, name))]
            else:
                there = [name for name in within if name[len(folder) :] in names]
            found.update((name, _plain_path(name) if folder else name) for name in there)
        return found

    def _listed(self, folder: str) -> set[str] | None:
        """Return what lies in a folder that a name names, "" for the first; None where that cannot be listed."""
        try:
            if folder:
                check_file_name(f"{folder}x")
            return set(self._files.list_names(self._files.join(self._path, folder[:-1]) if folder else self._path))
        except (ImageError, ConfigError):  # it leads out, or a folder's name makes it look like an address
            return set()
        except OutputError:
            return None

    def names(self) -> Iterator[str]:
        """See `ImageSource`. Hidden files and folders are left out."""
        return self._files.walk_names(self._path, follow_links=self._follow_links)

    def places(self, file_names: Iterable[str]) -> dict[str, Place]:
        """See `ImageSource`. A folder need not be looked through."""
        del file_names
        return {}

    def learn(self, places: Mapping[str, Place]) -> None:
        """See `ImageSource`."""


def _plain_path(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))
