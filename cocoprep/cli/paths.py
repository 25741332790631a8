"""Paths as they are given to a command: on this machine, or in a bucket."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from cocoprep.cli.say import say
from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.storage.paths import BUCKET_SCHEME
from cocoprep.storage.sizes import format_bytes

if TYPE_CHECKING:
    from cocoprep.storage.store import FileStore

_LARGE_TAR = 1 << 30


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


def tell_of_tar(path: str, files: FileStore) -> None:
    """Say what will take its time before anything is seen of it: a large tar has to be looked through."""
    if not path.endswith(".tar"):
        return
    with suppress(OSError, CocoprepError):  # will be told where it is opened
        if not files.is_folder(path) and (size := files.size(path)) >= _LARGE_TAR:
            say(f"looking through {path}, {format_bytes(size)}: a tar has no list of what it holds", err=True)
