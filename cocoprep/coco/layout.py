"""Where the files of a split lie in COCO's official layout."""

from __future__ import annotations

import os
import re

from cocoprep.errors import ConfigError
from cocoprep.storage.store import FileStore


def annotations_path(data_dir: str, split: str, files: FileStore) -> str:
    """Return the path of a split's keypoint annotations."""
    return files.join(files.join(data_dir, "annotations"), f"person_keypoints_{split}.json")


def split_of_file(path: str) -> str:
    """Return what a split is called of which only the annotation file is known: its name without what all have."""
    stem = re.sub(r"\.json(\.gz|\.zip)?$|\.zip$", "", os.path.basename(path))
    return as_split(stem.removeprefix("person_keypoints_"))


def as_split(name: str) -> str:
    """Return a name that can be a split's."""
    return re.sub(r"[^A-Za-z0-9._]", "_", name)[:100].lstrip("._") or "data"


_CURE = "Say where they are with --data-dir or --images."


def find_photographs(
    data_dir: str, split: str, files: FileStore, *, option: str = "--data-dir", cure: str = _CURE
) -> str:
    """Return the folder of a split's photographs, or where there is none the zip or the tar.

    Args:
        data_dir: of COCO's layout.
        split: such as val2017.
        files: where it lies.
        option: named in the message.
        cure: said at its end.

    Raises:
        ConfigError: none is there.
    """
    folder = files.join(data_dir, split)
    if files.is_folder(folder):
        return folder
    archives = [f"{folder}.zip", f"{folder}.tar"]
    for archive in archives:
        if files.exists(archive):
            return archive
    raise ConfigError(f"{option}: expected photographs in {folder}, {archives[0]} or {archives[1]}, found none. {cure}")
