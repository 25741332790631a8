"""What a disk refuses, in words of ours and with the cure."""

from __future__ import annotations

import errno
import tempfile

from cocoprep.errors import OutputError


def no_temporary(error: OSError) -> OutputError:
    """Return the error of a temporary file that cannot be written."""
    return OutputError(
        f"cannot write to the folder for temporary files, {tempfile.gettempdir()}: {error.strerror or error}. Free "
        "some space there, or set TMPDIR to a folder on another disk."
    )


def write_failure(path: str, error: OSError) -> str:
    """Say that a file cannot be written, why, and the cure, in words that fit whatever command it was."""
    cure = {
        errno.ENOSPC: "The disk is full: free some space, then run the same command again.",
        errno.EDQUOT: "The quota is used up: free some space, then run the same command again.",
        errno.EFBIG: "Files may not be so large here (ulimit -f, or the disk): raise that, or let a build make more "
        "shards.",
        errno.EACCES: "Choose a folder that you may write to.",
        errno.EROFS: "The file system is read-only: choose a folder on another one.",
        errno.ENOENT: "The folder went away, or the file's temporary name: where another build is at work, let it end, "
        "then run the same command again.",
        errno.ENOTDIR: "A part of this path is a file: choose another folder.",
    }.get(error.errno or 0, "Check the folder and the disk, then run the same command again.")
    return f"cannot write {path}: {error.strerror or error}. {cure}"
