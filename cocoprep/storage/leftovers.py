"""What a write leaves whose process was killed: a file under its temporary name, which nobody reads or removes."""

from __future__ import annotations

import os
from collections.abc import Callable

from cocoprep.storage.local import TEMPORARY
from cocoprep.storage.paths import BUCKET_SCHEME
from cocoprep.storage.store import FileStore


def sweep_folder(
    folder: str, files: FileStore, *, ours: Callable[[str], bool] = lambda name: True, alone: bool = False
) -> None:
    """Remove what killed writes have left in a folder, which need not be there.

    What a process of this machine may still be writing stays. In a bucket nothing has a temporary name.

    Args:
        folder: to look in.
        files: where it lies.
        ours: tells of a file's final name whether the caller is to write it.
        alone: nobody else writes there, whatever processes this machine has.

    Raises:
        OutputError: one cannot be removed, or the folder not be listed.
    """
    if folder.startswith(BUCKET_SCHEME):
        return
    for name in files.list_names(folder):
        match = TEMPORARY.fullmatch(name)
        if match and ours(match["name"]) and (alone or not _is_written(int(match["process"]))):
            files.delete(files.join(folder, name))


def sweep_beside(path: str, files: FileStore) -> None:
    """Remove what killed writes of one file have left beside it. Raises as `sweep_folder`."""
    if not path.startswith(BUCKET_SCHEME):
        folder, name = os.path.split(path)
        sweep_folder(folder or os.curdir, files, ours=lambda found: found == name)


def _is_written(process: int) -> bool:
    # In a container each command may have the same number. This process has not begun to write yet.
    if process == os.getpid():
        return False
    import psutil

    return bool(psutil.pid_exists(process))
