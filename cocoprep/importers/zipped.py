"""One file of a zip that an export is, its photographs beside it, without unpacking the others."""

from __future__ import annotations

import zipfile

from cocoprep.coco.archives import ZIP_METHODS
from cocoprep.errors import AnnotationError, StoreError
from cocoprep.storage.store import FileStore

MOST_BYTES = 1 << 30
_FREE_BYTES, _MOST_TIMES = 64 << 20, 100


def is_zip(path: str, files: FileStore) -> bool:
    """Tell whether a path is a file that begins as a zip does."""
    return not files.is_folder(path) and files.exists(path) and files.read_range(path, 0, 4) == b"PK\x03\x04"


def read_member(path: str, name: str, files: FileStore) -> bytes:
    """Return the content of one file of a zip.

    Args:
        path: of the zip.
        name: of the file, at the top of the zip.
        files: where the zip lies.

    Raises:
        AnnotationError: it has no such file, or one that is damaged, encrypted or unpacks to absurdly much.
    """
    try:
        with files.open_read(path) as stream, zipfile.ZipFile(stream) as archive:
            info = archive.getinfo(name)
            most = min(MOST_BYTES, max(_FREE_BYTES, _MOST_TIMES * info.compress_size))
            if info.compress_type not in ZIP_METHODS:
                raise AnnotationError(
                    f"{path}: {name} is packed by method {info.compress_type}; only stored and deflated files are "
                    "read. Unpack the zip, and name the folder instead."
                )
            if info.file_size > most:
                raise AnnotationError(
                    f"{path}: {name} is said to have {info.file_size} bytes, packed as {info.compress_size}; expected "
                    f"{most} at most. Where that is right, unpack the zip, and name the folder instead."
                )
            with archive.open(info) as member:
                return member.read(info.file_size)
    except KeyError as error:
        raise AnnotationError(f"{path}: a zip without {name}. Expected an export that has it.") from error
    except (AnnotationError, StoreError, MemoryError):
        raise
    except Exception as error:  # zipfile raises whatever a hostile archive provokes
        raise AnnotationError(f"{path}: a zip that cannot be read ({error!s:.200}). Export it again.") from error
