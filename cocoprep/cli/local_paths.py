"""Paths of commands that work on this machine alone."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cocoprep.errors import ConfigError, OutputError


def check_local(paths: Mapping[str, str | None]) -> None:
    """Refuse paths in a bucket, which would be taken for odd names of folders here.

    Args:
        paths: by the option that gives them.

    Raises:
        ConfigError: naming the first.
    """
    for option, path in paths.items():
        if path is not None and "://" in path:
            raise ConfigError(
                f"{option}: expected a path on this machine, found {path}. `cocoprep stage` copies built folders from "
                "buckets; copy other files with the bucket's own tool."
            )


def check_folder(path: str) -> None:
    """Refuse a file where --out is to be a folder.

    Raises:
        OutputError: there is one.
    """
    if os.path.lexists(path) and not os.path.isdir(path):
        raise OutputError(f"--out: expected a folder at {path}, found a file. Choose another --out.")
