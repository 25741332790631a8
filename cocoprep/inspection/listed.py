"""The photographs of a data set: those that its annotation file lists and that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cocoprep.coco.annotations import ImageInfo, parse_annotation_file
from cocoprep.coco.sources import Source
from cocoprep.crops.file_names import find_names
from cocoprep.errors import ConfigError
from cocoprep.inspection.opened import Opener
from cocoprep.storage.user_file import read_user_file


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph of a data set.

    Attributes:
        source: the place of its data set among those that are looked at.
        info: its entry in the annotation file.
        own_id: of an image whose own id is no number, that id.
        name: the photograph's own name, which may be another than the file's.
    """

    source: int
    info: ImageInfo
    own_id: str | None
    name: str

    @property
    def image_id(self) -> int:
        """Return the id of its image."""
        return self.info.image_id


@dataclass(frozen=True)
class Listed:
    """A data set's photographs.

    Attributes:
        source: the data set.
        photographs: in the order of their images' ids.
        missing: of those that are listed and not there, or whose name means no one: why.
        notes: what was guessed of their names, in sentences.
    """

    source: Source
    photographs: tuple[Photograph, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def list_photographs(sources: Sequence[Source], opener: Opener) -> list[Listed]:
    """List the photographs of data sets, each with or without people.

    Args:
        sources: the data sets.
        opener: opens photographs.

    Raises:
        ConfigError: an annotation file or photographs are not there, or none of the photographs is.
        AnnotationError: an annotation file as a whole cannot be used.
    """
    return [_list(place, source, opener) for place, source in enumerate(sources)]


def _list(place: int, source: Source, opener: Opener) -> Listed:
    path = source.annotations
    data = read_user_file(path, opener.files, "a COCO keypoints file", refusal=ConfigError, option="--source")
    file = parse_annotation_file(data, path, category=source.category)
    names = find_names((info.file_name for info in file.images.values()), opener.open(source.images))
    why = names.absent | names.refused
    there = [info for _, info in sorted(file.images.items()) if info.file_name not in why]
    missing = [why[info.file_name] for info in file.images.values() if info.file_name in why]
    if not there:
        raise ConfigError(
            f"--source: none of the {len(missing)} photographs that {path} lists is in {source.images} "
            f"({next(iter(missing), 'it lists none')}). Give the folder, zip or tar that belongs to the file: "
            "NAME=ANNOTATIONS,PHOTOGRAPHS."
        )
    photographs = tuple(
        Photograph(place, info, file.source_ids.get(info.image_id), names.own.get(info.file_name, info.file_name))
        for info in there
    )
    return Listed(source, photographs, tuple(missing), names.notes)
