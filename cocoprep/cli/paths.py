"""Paths as they are given to a command: on this machine, or in a bucket."""

from __future__ import annotations

from collections.abc import Mapping

from cocoprep.errors import ConfigError
from cocoprep.storage.paths import BUCKET_SCHEME


def check_paths(paths: Mapping[str, str | None]) -> None:
    """Refuse paths that lie nowhere we know, which would be taken for odd names of folders here.

    Args:
        paths: by the option that gives them.

    Raises:
        ConfigError: naming the first.
    """
    for option, path in paths.items():
        if path is not None and "://" in path and not path.startswith(BUCKET_SCHEME):
            raise ConfigError(
                f"{option}: expected a path of this machine or one that begins with {BUCKET_SCHEME}, found {path}. "
                "Copy it to either of them first."
            )
