"""Paths as they are given to a command: on this machine, or in a bucket."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cocoprep.errors import ConfigError, OutputError
from cocoprep.storage.store import FileStore


def check_paths(paths: Mapping[str, str | None]) -> None:
    """Refuse paths that lie nowhere we know, which would be taken for odd names of folders here.

    Args:
        paths: by the option that gives them.

    Raises:
        ConfigError: naming the first.
    """
    for option, path in paths.items():
        if path is not None and "://" in path and not path.startswith("gs://"):
            raise ConfigError(
                f"{option}: expected a path of this machine or one that begins with gs://, found {path}. Copy it to "
                "either of them first."
            )


def check_folder(path: str, files: FileStore) -> None:
    """Refuse a file where --out is to be a folder.

    Raises:
        OutputError: there is one.
    """
    if (files.exists(path) or os.path.lexists(path)) and not files.is_folder(path):
        raise OutputError(f"--out: expected a folder at {path}, found a file. Choose another --out.")
