from __future__ import annotations

import io

import pytest

from cocoprep.errors import RecordError
from cocoprep.shards.tfrecord import OVERHEAD_BYTES, masked_crc32c, read_record, read_records, write_records

RECORDS = [b"", b"a", b"hello" * 1000, bytes(range(256))]


def framed(records):
    stream = io.BytesIO()
    offsets = write_records(stream, records)
    return stream.getvalue(), offsets


def test_what_is_written_is_read():
    data, offsets = framed(RECORDS)
    assert list(read_records(io.BytesIO(data))) == RECORDS
    for record, offset in zip(RECORDS, offsets, strict=True):
        stream = io.BytesIO(data)
        stream.seek(offset)
        assert read_record(stream) == record
    assert len(data) == sum(map(len, RECORDS)) + OVERHEAD_BYTES * len(RECORDS)


def test_the_masked_crc_of_a_known_string():
    # CRC-32C of "123456789" is 0xE3069283 (RFC 3720, appendix B.4, by its check value).
    crc = 0xE3069283
    assert masked_crc32c(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_tensorflow_writes_the_same_bytes_and_reads_ours(tmp_path):
    tf = pytest.importorskip("tensorflow")
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    with tf.io.TFRecordWriter(str(theirs)) as writer:
        for record in RECORDS:
            writer.write(record)
    ours.write_bytes(framed(RECORDS)[0])
    assert theirs.read_bytes() == ours.read_bytes()
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(ours))] == RECORDS


def test_every_flipped_bit_is_found():
    data, _ = framed([b"some data", b"more"])
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordError):
            list(read_records(io.BytesIO(bytes(damaged))))


@pytest.mark.parametrize("length", range(1, 25))
def test_a_file_cut_short_is_found(length):
    data, _ = framed([b"some data"])
    with pytest.raises(RecordError, match="ends within"):
        list(read_records(io.BytesIO(data[:length])))
