"""Files and folders that a user has named: used, or told what is wrong with them."""

from __future__ import annotations

import os

from cocoprep.errors import CocoprepError, OutputError
from cocoprep.storage.store import FileStore
from cocoprep.storage.unpack import unpack_text


def read_user_file(
    path: str,
    files: FileStore,
    expected: str,
    *,
    refusal: type[CocoprepError],
    option: str | None = None,
    cure: str = "",
) -> bytes:
    """Return the content of a text file that a user has named, out of its gzip or zip, as `unpack_text` does.

    Args:
        path: of the file.
        files: where it lies.
        expected: what it should be, such as "a JSON file of COCO results".
        refusal: raised where there is no such file, or it cannot be read.
        option: the option that names it, where there is one.
        cure: said at the end of the message: how to name the right one.
    """
    where = path if option is None else f"{option}: {path}"
    cure = f" {cure}" if cure else ""
    is_folder = files.is_folder(path)
    if is_folder or not files.exists(path):
        raise refusal(f"{where}: expected {expected}, found {'a folder' if is_folder else 'nothing'}.{cure}")
    try:
        return unpack_text(files.read_bytes(path))
    except OSError as error:
        raise refusal(
            f"{where}: expected {expected}, which cannot be read ({error.strerror or error}).{cure}"
        ) from error
    except ValueError as error:
        raise refusal(f"{where}: expected {expected}, found {error}.{cure}") from error


def check_output_folder(path: str, files: FileStore, *, option: str = "--out") -> None:
    """Refuse a file where an option's value is to be a folder to write into.

    Raises:
        OutputError: there is one.
    """
    if (files.exists(path) or os.path.lexists(path)) and not files.is_folder(path):
        raise OutputError(f"{option}: expected a folder at {path}, found a file. Choose another {option}.")
