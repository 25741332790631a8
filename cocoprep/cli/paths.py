"""Paths as they are given to a command: on this machine, or in a bucket."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from cocoprep.cli.say import say
from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.storage.paths import BUCKET_SCHEME, real_path
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


def check_output_file(option: str, path: str, files: FileStore) -> None:
    """Refuse what cannot be a file to write: a folder, a device, a pipe, or "-", which elsewhere means one.

    Raises:
        ConfigError: naming the option and what is there.
    """
    if files.is_folder(path) or path.endswith("/"):
        raise ConfigError(f"{option}: expected a file to write, found the folder {path}.")
    if path == "-":
        raise ConfigError(f"{option}: expected a file to write, found -, and a table is printed already. Name a file.")
    if os.path.exists(path) and not os.path.isfile(path):
        raise ConfigError(f"{option}: expected a file to write, found the device or pipe {path}.")


def check_apart(option: str, path: str, others: Iterable[str], *, which: str) -> None:
    """Refuse to write what is, or lies in, one of the paths that must stay as they are.

    Args:
        option: that gives the path.
        path: a file or folder to write.
        others: files and folders.
        which: says of one of these why it must stay.

    Raises:
        ConfigError: naming both.
    """
    for other in others:
        if _lies_in(path, other):
            raise ConfigError(f"{option}: {path} is, or lies in, {other}, {which}. Choose another {option}.")


def _lies_in(path: str, other: str) -> bool:
    if f"{real_path(path)}/".startswith(f"{real_path(other)}/"):
        return True
    return os.path.isfile(path) and os.path.isfile(other) and os.path.samefile(path, other)  # by a hard link


def tell_of_tar(path: str, files: FileStore) -> None:
    """Say what will take its time before anything is seen of it: a large tar has to be looked through."""
    if not path.endswith(".tar"):
        return
    with suppress(OSError, CocoprepError):  # will be told where it is opened
        if not files.is_folder(path) and (size := files.size(path)) >= _LARGE_TAR:
            say(f"looking through {path}, {format_bytes(size)}: a tar has no list of what it holds", err=True)
