"""Data sets from annotation files and from built folders, read as a build reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from cocoprep.errors import ConfigError
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.read_file import Reading, read_file
from cocoprep.storage.store import FileStore

MOST_BESIDE = 6  # data sets side by side: more do not fit a screen
_AS_LISTED = Reading()


def check_paths_beside(paths: Sequence[str]) -> None:
    """Raise ConfigError where paths are too many to stand side by side, or one is given twice."""
    if len(paths) > MOST_BESIDE:
        raise ConfigError(f"PATH: expected {MOST_BESIDE} at most, found {len(paths)}. Look at some of them at a time.")
    if len(set(paths)) < len(paths):
        raise ConfigError("PATH: expected each once, found one of them twice. Leave one out.")


def short_names(paths: Sequence[str]) -> list[str]:
    """Return short names by which paths can be told apart: of a file or folder, or of the nearest that holds it."""
    stems = [_stem(path) or path for path in paths]
    names = [_name_among(path, [p for p, s in zip(paths, stems, strict=True) if s == _stem(path)]) for path in paths]
    return names if len(set(names)) == len(paths) else list(paths)


def _stem(path: str) -> str:
    return PurePosixPath(path).name.removesuffix(".json").removeprefix("person_keypoints_")


def _name_among(path: str, alike: Sequence[str]) -> str:
    """Return what a path is called among those whose file has the same name: by the first folder that is its own."""
    if len(alike) <= 1:
        return _stem(path) or path
    ways = [PurePosixPath(one).parts[::-1] for one in alike]
    for n in range(1, min(map(len, ways))):
        if len({way[n] for way in ways}) == len(ways):
            return PurePosixPath(path).parts[::-1][n]
    return path


def read_data_set(path: str, name: str, files: FileStore, reading: Reading = _AS_LISTED) -> DataSet:
    """Read an annotation file, or a built folder.

    Args:
        path: of the file or folder.
        name: that it is to have.
        files: where it lies.
        reading: how an annotation file is read; a built folder says that itself.

    Raises:
        AnnotationError: there is nothing at the path, or it is no COCO keypoints file.
        RecordError: the built folder is damaged.
    """
    if files.is_folder(path):
        from cocoprep.inspection.read_folder import read_folder  # what reads a ledger takes long to load

        return read_folder(path, name, files)
    return read_file(path, name, files, reading)
