"""The parts in which a large file goes up: as many as one request can compose, and all of the file."""

from __future__ import annotations

import base64

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.storage.gcs_parts import PART_BYTES, crc_text, cut_pieces, part_bytes, part_prefix
from cocoprep.storage.store import FileDigest

COMPOSED_AT_ONCE = 32  # https://cloud.google.com/storage/docs/composite-objects


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(1, 50))
def test_pieces_are_joined_and_cut_to_one_size(pieces, size):
    parts = list(cut_pieces(iter(pieces), size))
    assert b"".join(parts) == b"".join(pieces)
    assert all(len(part) == size for part in parts[:-1])
    assert all(0 < len(part) <= size for part in parts)


@pytest.mark.parametrize("size", [1, PART_BYTES, PART_BYTES + 1, 32 * PART_BYTES, 32 * PART_BYTES + 1, 10**12])
def test_no_file_has_more_parts_than_can_be_composed(size):
    part = part_bytes(FileDigest(size, ""))
    assert part >= PART_BYTES
    assert -(-size // part) <= COMPOSED_AT_ONCE


def test_parts_of_other_content_have_other_names():
    one, other = (part_prefix("gs://bucket/folder/file", FileDigest(1, sha)) for sha in ("a" * 64, "b" * 64))
    assert one != other
    assert one.startswith("folder/.cocoprep-parts/file/")
    assert part_prefix("gs://bucket/file", FileDigest(1, "a" * 64)).startswith(".cocoprep-parts/file/")


def test_a_checksum_is_written_as_the_service_does():
    text = crc_text(google_crc32c.value(b"123456789"))
    assert base64.b64decode(text).hex() == "e3069283"  # the check value of CRC-32C, RFC 3720 B.4
