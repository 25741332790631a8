"""`--json FILE`: the option, and what is found out of the file before the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cocoprep.cli.paths import check_apart, check_output_file, check_paths

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
    check_output_file("--json", path, files)
    check_apart("--json", path, reads, which="which is read or built")
    files.make_folder(os.path.dirname(path) or ".")
