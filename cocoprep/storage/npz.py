"""Arrays from an `.npz` that somebody else may have made: read within bounds, or refused.

NumPy's own reader takes a member's shape at its word and reserves the memory for it before it looks at the data.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cocoprep.errors import RecordError

_ENDING = ".npy"


def decode_npz(data: bytes, path: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of an uncompressed `.npz`, as `numpy.savez` writes it, by name.

    No object is ever unpickled, and no array takes more memory than the file has bytes.

    Raises:
        RecordError: it is damaged, compressed, or no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_nothing_is_hidden(archive, data)
            return {
                member.filename.removesuffix(_ENDING): _decode(_content(archive, member, len(data)))
                for member in archive.infolist()
            }
    except MemoryError:
        raise
    except Exception as error:  # zipfile, struct and NumPy raise whatever damage provokes
        raise RecordError(f"{path}: damaged ({str(error) or type(error).__name__:.200}).") from error


def _check_nothing_is_hidden(archive: zipfile.ZipFile, data: bytes) -> None:
    """Raise ValueError where the directory does not list all that the file holds: one flipped bit in it can do that."""
    end = 0
    for member in sorted(archive.infolist(), key=lambda member: member.header_offset):
        if member.header_offset != end:
            break
        # APPNOTE 4.3.7: the lengths of name and extra field, which are not those in the directory.
        name, extra = struct.unpack_from("<HH", data, end + 26)
        end += 30 + name + extra + member.compress_size
    if end != archive.start_dir:
        raise ValueError(f"its directory lists nothing from byte {end} on")


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > most:
        raise ValueError(f"{member.filename!r:.100} is compressed, or of another size than it says")
    return archive.read(member)  # which compares the CRC-32


def _decode(content: bytes) -> NDArray[Any]:
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"format {version} of NumPy's, expected (1, 0)")
    shape, fortran_order, dtype = npy.read_array_header_1_0(stream)
    expected, found = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if dtype.hasobject or dtype.itemsize == 0 or any(n < 0 for n in shape) or expected != found:
        raise ValueError(f"{found} bytes for an array of {shape} {dtype}")
    array = np.frombuffer(content, dtype, offset=stream.tell()).copy()
    return array.reshape(shape, order="F" if fortran_order else "C")
