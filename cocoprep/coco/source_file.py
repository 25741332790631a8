"""Sources as they are named on a command line, or listed in a TOML file."""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cocoprep.coco.layout import annotations_path, find_photographs
from cocoprep.coco.sources import NAME, VISIBILITY, Source
from cocoprep.errors import ConfigError
from cocoprep.storage.paths import BUCKET_SCHEME
from cocoprep.storage.store import FileStore

_NAMED = re.compile(rf"({NAME.pattern})=(.+)", re.DOTALL)
_EXPECTED = "NAME=FOLDER, NAME=ANNOTATIONS,PHOTOGRAPHS, or a .toml file of sources"
_Path = Annotated[str, Meta(min_length=1, max_length=1000)]
_Name = Annotated[str, Meta(max_length=100)]


class _SourceLines(msgspec.Struct, forbid_unknown_fields=True):
    annotations: _Path
    images: _Path
    category: _Name | None = None
    joints: dict[_Name, _Name] = {}
    visibility: dict[str, int] = {}
    weight: float = 1.0


def parse_source(text: str, split: str, files: FileStore) -> Source:
    """Return the source that `NAME=FOLDER` or `NAME=ANNOTATIONS,PHOTOGRAPHS` names.

    Args:
        text: as given.
        split: of a folder in COCO's official layout.
        files: where paths lie.

    Raises:
        ConfigError: it is of no such form, or the folder has no photographs of the split.
    """
    match = _NAMED.fullmatch(text)
    if match is None:
        raise ConfigError(f"--source: expected {_EXPECTED}, found {text!r:.300}.")
    name, where = match.groups()
    annotations, comma, images = where.partition(",")
    if not comma and files.exists(where) and not files.is_folder(where):
        raise ConfigError(
            f"--source {name}: expected a folder in COCO's layout, or an annotation file and its photographs, found "
            f"the file {where!r:.1000} alone. Name both, a comma between: --source {name}=ANNOTATIONS,PHOTOGRAPHS."
        )
    if not comma:
        cure = f"Say which split with --split, or which files: --source {name}=ANNOTATIONS,PHOTOGRAPHS."
        found = find_photographs(where, split, files, option=f"--source {name}", cure=cure)
        return Source(name=name, annotations=annotations_path(where, split, files), images=found)
    if not annotations or not images:
        raise ConfigError(f"--source: expected {_EXPECTED}, found {text!r:.300}.")
    return Source(name=name, annotations=annotations, images=images)


def parse_sources(data: bytes, path: str, files: FileStore) -> list[Source]:
    """Return the sources that a TOML file lists, a table each; its paths are from the folder that it lies in.

    Raises:
        ConfigError: it lists none; says where and what.
    """
    try:
        found = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # a UnicodeDecodeError is one
        raise ConfigError(f"{path}: not TOML in UTF-8 ({error!s:.300}).") from error
    folder = path.rpartition("/")[0]
    return [_listed(name, lines, path, folder, files) for name, lines in found.items()]


def _listed(name: str, lines: Any, path: str, folder: str, files: FileStore) -> Source:
    try:
        found = msgspec.convert(lines, _SourceLines)
        visibility = _meanings(found.visibility)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(
            f"{path}: {name!r:.100} is no source ({error!s:.300}). Expected a table such as [{name:.40}] with "
            'annotations = "FILE" and images = "FOLDER".'
        ) from error
    return Source(
        name=name,
        annotations=_from(folder, found.annotations, files),
        images=_from(folder, found.images, files),
        category=found.category,
        joints=found.joints,
        visibility=visibility,
        weight=found.weight,
    )


def _meanings(lines: dict[str, int]) -> dict[float, int]:
    """Return what visibilities of a file mean. Raises ValueError where one is no number, or there twice."""
    found: dict[float, int] = {}
    for theirs, ours in lines.items():
        if VISIBILITY.fullmatch(theirs) is None or ours not in (0, 1, 2):
            raise ValueError(
                f"visibility: expected a file's number and one of COCO's, 0, 1 or 2, such as 3 = 1, found "
                f"{theirs!r:.100} = {ours}"
            )
        if float(theirs) in found:
            raise ValueError(f"visibility: expected one meaning for each number, found two for {float(theirs):g}")
        found[float(theirs)] = ours
    return found


def _from(folder: str, path: str, files: FileStore) -> str:
    elsewhere = path.startswith(("/", BUCKET_SCHEME)) or not folder
    return path if elsewhere else files.join(folder, path)
