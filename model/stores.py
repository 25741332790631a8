"""Which file store reads a folder of shards where nobody names one."""

from __future__ import annotations

from cocoprep.files import FileStore, LocalFiles


def files_of(folder: str) -> FileStore:
    """Return what reads a folder where nobody says so: TensorFlow for one with a scheme, else the local file system."""
    if "://" in folder:
        from model.gfile import GFiles  # loads TensorFlow, which reading local files does without

        return GFiles()
    return LocalFiles()
