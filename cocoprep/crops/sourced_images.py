"""The photographs of several sources, each below the name of its own: `coco/000000000139.jpg`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cocoprep.crops.image_source import ImageSource, Place, check_file_name
from cocoprep.crops.photographs import open_images
from cocoprep.errors import ImageError
from cocoprep.storage.store import FileStore


def open_all_images(paths: Mapping[str, str], files: FileStore, *, follow_links: bool = False) -> ImageSource:
    """Open the photographs of several sources, or those of one, whose name is empty.

    Args:
        paths: of a folder, zip or tar, by the source's name.
        files: where they lie.
        follow_links: links within a folder may lead out of it.

    Raises:
        ConfigError: none is there, or an archive cannot be read.
    """
    opened = {name: open_images(path, files, follow_links=follow_links) for name, path in paths.items()}
    return together(opened)


def together(images: Mapping[str, ImageSource]) -> ImageSource:
    """Return the photographs of several sources as one; those of one without a name as they are."""
    return images[""] if "" in images else SourcedImages(images)


class SourcedImages:
    """Photographs as one source of photographs; what stands before the first slash says whose they are."""

    nothing = "no such file among the photographs of its source"

    def __init__(self, sources: Mapping[str, ImageSource]) -> None:
        """Take the photographs of each source, by its name."""
        self._sources = dict(sources)

    def read(self, file_name: str) -> bytes:
        """See `ImageSource`."""
        source, within = self._split(file_name)
        return source.read(within)

    def read_start(self, file_name: str, size: int) -> bytes:
        """See `ImageSource`."""
        source, within = self._split(file_name)
        return source.read_start(within, size)

    def digest(self, file_name: str) -> str | None:
        """See `ImageSource`."""
        try:
            source, within = self._split(file_name)
        except ImageError:
            return None
        return source.digest(within)

    def find(self, file_names: Iterable[str]) -> dict[str, str]:
        """See `ImageSource`."""
        wanted = self._by_source(file_names)
        return {
            f"{name}/{within}": f"{name}/{own}"
            for name, names in wanted.items()
            for within, own in self._sources[name].find(names).items()
        }

    def names(self) -> Iterator[str]:
        """See `ImageSource`."""
        for name, source in self._sources.items():
            yield from (f"{name}/{own}" for own in source.names())

    def places(self, file_names: Iterable[str]) -> dict[str, Place]:
        """See `ImageSource`."""
        wanted = self._by_source(file_names)
        return {
            f"{name}/{within}": place
            for name, names in wanted.items()
            for within, place in self._sources[name].places(names).items()
        }

    def learn(self, places: Mapping[str, Place]) -> None:
        """See `ImageSource`."""
        for name, names in self._by_source(places).items():
            self._sources[name].learn({within: places[f"{name}/{within}"] for within in names})

    def _split(self, file_name: str) -> tuple[ImageSource, str]:
        check_file_name(file_name)
        name, _, within = file_name.partition("/")
        if name not in self._sources:
            raise ImageError(f"file_name {file_name!r}: expected to begin with a source, {', '.join(self._sources)}")
        return self._sources[name], within

    def _by_source(self, file_names: Iterable[str]) -> dict[str, list[str]]:
        wanted: dict[str, list[str]] = {}
        for file_name in file_names:
            name, slash, within = file_name.partition("/")
            if slash and name in self._sources:
                wanted.setdefault(name, []).append(within)
        return wanted
