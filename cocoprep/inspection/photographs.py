"""The photographs of a data set, to show its annotations in: where they are, and what of them cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.exif_rule import Exif
from cocoprep.crops.named_images import NamedImages
from cocoprep.crops.pixels import decode_image
from cocoprep.crops.sourced_images import open_all_images
from cocoprep.errors import ImageError
from cocoprep.inspection.data_set import DataSet
from cocoprep.shards.manifest import photograph_paths
from cocoprep.storage.store import FileStore


@dataclass
class Photographs:
    """The photographs of a data set.

    Attributes:
        images: where they are read from.
        exif: what their labels are of.
        why_not: of those that could not be read, why, by the name that the file has of them.
    """

    images: NamedImages
    exif: Exif
    why_not: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """Return why photographs could not be read, a sentence for each."""
        return list(self.why_not.values())

    def read(self, info: ImageInfo) -> Image.Image | None:
        """Return one, or None where it cannot be read."""
        if info.file_name in self.why_not:
            return None
        try:
            return decode_image(self.images.read(info.file_name), info, self.exif)
        except ImageError as error:
            self.why_not[info.file_name] = str(error)
            return None


def photographs_of(data_set: DataSet, images: str | None) -> Mapping[str, str]:
    """Return the paths of photographs: where they are said to be, or where a build has found them; or none."""
    if data_set.manifest is not None:
        return photograph_paths(data_set.manifest, images)
    return {} if images is None else {"": images}


def open_photographs(
    data_set: DataSet, paths: Mapping[str, str], files: FileStore, *, follow_links: bool = False
) -> Photographs:
    """Open the photographs of a data set.

    Args:
        data_set: whose annotations are shown.
        paths: of its photographs, as `photographs_of`.
        files: where the paths lie.
        follow_links: links within a folder of photographs may lead out of it.

    Raises:
        ConfigError: there are no photographs at a path.
    """
    source = open_all_images(paths, files, follow_links=follow_links)
    exif: Exif = "auto" if data_set.manifest is None else data_set.manifest.exif
    return Photographs(NamedImages(source, [image.file_name for image in data_set.images]), exif)
