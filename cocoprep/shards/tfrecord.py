"""TFRecord framing: length, masked CRC-32C of the length, data, masked CRC-32C of the data.

Source: the format comment in TensorFlow's `tensorflow/core/lib/io/record_writer.h`.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import google_crc32c

from cocoprep.errors import RecordError

HEADER_BYTES = 12
FOOTER_BYTES = 4
OVERHEAD_BYTES = HEADER_BYTES + FOOTER_BYTES
MAX_RECORD_BYTES = 1 << 31

if google_crc32c.implementation != "c":
    logging.getLogger(__name__).warning(
        "google-crc32c runs in pure Python here, some 200 times slower; install a wheel built for this platform"
    )


def masked_crc32c(data: bytes) -> int:
    """Return CRC-32C, rotated and offset, so that a CRC of data that holds CRCs stays a good check."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def write_records(stream: BinaryIO, records: Iterable[bytes]) -> list[int]:
    """Write framed records and return the offset of each frame."""
    offsets, position = [], 0
    for data in records:
        length = struct.pack("<Q", len(data))
        stream.write(length + struct.pack("<I", masked_crc32c(length)))
        stream.write(data)
        stream.write(struct.pack("<I", masked_crc32c(data)))
        offsets.append(position)
        position += len(data) + OVERHEAD_BYTES
    return offsets


def read_record(stream: BinaryIO) -> bytes | None:
    """Read the record at the stream's position; None at the end of the file.

    Raises:
        RecordError: the record is cut short or fails one of its checks.
    """
    header = stream.read(HEADER_BYTES)
    if not header:
        return None
    if len(header) < HEADER_BYTES:
        raise RecordError(f"the file ends within a record's header ({len(header)} of {HEADER_BYTES} bytes)")
    length, length_crc = struct.unpack("<QI", header)
    if masked_crc32c(header[:8]) != length_crc or length > MAX_RECORD_BYTES:
        raise RecordError("the record's length fails its CRC")
    body = stream.read(length + FOOTER_BYTES)
    if len(body) < length + FOOTER_BYTES:
        raise RecordError(f"the file ends within a record ({len(body)} of {length + FOOTER_BYTES} bytes)")
    data = body[:length]
    if masked_crc32c(data) != struct.unpack("<I", body[length:])[0]:
        raise RecordError("the record's data fails its CRC")
    return data


def read_records(stream: BinaryIO) -> Iterator[bytes]:
    """Yield every record from the stream's position on. Raises RecordError as `read_record` does."""
    while (data := read_record(stream)) is not None:
        yield data
