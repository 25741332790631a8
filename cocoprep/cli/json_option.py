"""`--json FILE`: the option, and what is found out of the file before the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cocoprep.cli.paths import check_paths
from cocoprep.errors import ConfigError
from cocoprep.storage.paths import real_path

if TYPE_CHECKING:
    from cocoprep.storage.store import FileStore

_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(what: str) -> Callable[[_Command], _Command]:
    """Return the option; `what` is written, as its help says."""
    return click.option("--json", "json_file", metavar="FILE", help=f"Write {what}.")


def make_room_for_json(path: str | None, files: FileStore, *, reads: Iterable[str] = ()) -> None:
    """Make the folder of the file, and find out before the work whether it can be there.

    Args:
        path: of the file; None where none is asked for.
        files: where it lies.
        reads: files and folders that the command reads or builds, in which it must not lie.

    Raises:
        ConfigError: no file can be there, or it would replace what is read.
        OutputError: the folder cannot be made.
    """
    if path is None:
        return
    check_paths({"--json": path})
    if files.is_folder(path) or path.endswith("/"):
        raise ConfigError(f"--json: expected a file to write, found the folder {path}.")
    if os.path.exists(path) and not os.path.isfile(path):
        raise ConfigError(f"--json: expected a file to write, found the device or pipe {path}.")
    for read in reads:
        if _lies_in(path, read):
            raise ConfigError(f"--json: {path} is, or lies in, {read}, which is read or built. Choose another --json.")
    files.make_folder(os.path.dirname(path) or ".")


def _lies_in(path: str, read: str) -> bool:
    if f"{real_path(path)}/".startswith(f"{real_path(read)}/"):
        return True
    return os.path.isfile(path) and os.path.isfile(read) and os.path.samefile(path, read)  # by a hard link
