"""The list of shared photographs: what is written is read back, and what is not of a data set is refused."""

from __future__ import annotations

import io

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cocoprep.coco.annotations import ImageInfo
from cocoprep.errors import ConfigError, RecordError
from cocoprep.shards.leak_list import SCHEMA, Leak, Leaked, LeakKind, LeakSource, encode_leaks, read_leaks
from cocoprep.storage.by_scheme import AnyFiles

FILES = AnyFiles()
SOURCES = [LeakSource("val", "/d/val.json", "/d/val"), LeakSource("train", "/d/train.json", "/d/train")]


def one(source, number, own_id=None):
    return Leaked(source, number, own_id, f"{number}.jpg", f"{number:064x}")


LEAKS = [
    Leak(LeakKind.SAME_FILE, one("val", 1), one("val", 2)),
    Leak(LeakKind.NEARLY_EQUAL, one("val", 1), one("train", 7, "seven"), 0.98, 3),
    Leak(LeakKind.MIRRORED, one("train", 5), one("train", 7, "seven"), 0.99, 1),
    Leak(LeakKind.SAME_PIXELS, one("train", 5), one("train", 9)),
]
TRAIN = {number: ImageInfo(number, f"{number}.jpg", 0, 0) for number in (5, 7, 9)}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "leaks.parquet"
    path.write_bytes(encode_leaks(LEAKS, SOURCES))
    return path


def read(path):
    return read_leaks(str(path), FILES)


def test_it_is_read_back(path):
    leaks = read(path)
    assert leaks.sources == tuple(SOURCES)
    assert leaks.table.schema == SCHEMA
    assert leaks.table["kind"].to_pylist() == [leak.kind for leak in LEAKS]
    assert leaks.dropped_of("train", TRAIN) == {7: "nearly equal: '1.jpg' of val", 9: "same pixels: '5.jpg' of train"}
    assert leaks.dropped_of("train", TRAIN, within=False) == {7: "nearly equal: '1.jpg' of val"}
    assert encode_leaks(LEAKS, SOURCES) == path.read_bytes()


def test_none_is_a_list_too(path):
    path.write_bytes(encode_leaks([], SOURCES))
    assert read(path).dropped_of("train", {}) == {}


def test_a_single_annotation_file_names_its_data_set(path, tmp_path):
    leaks = read(path)
    assert leaks.source_of("/d/x/../train.json") == "train"
    with pytest.raises(ConfigError, match=r"is of val \(/d/val.json\), train .*lists nothing"):
        leaks.source_of("/d/other.json")
    path.write_bytes(encode_leaks([], [*SOURCES, LeakSource("again", "/d/train.json", "/d/x")]))
    with pytest.raises(ConfigError, match="two under other names"):
        read(path).source_of("/d/train.json")


def test_what_is_of_another_data_set_is_refused(path):
    leaks = read(path)
    with pytest.raises(ConfigError, match="is of val, train, and not of crowdpose"):
        leaks.dropped_of("crowdpose", {})
    other = {**TRAIN, 7: ImageInfo(7, "8.jpg", 0, 0)}
    with pytest.raises(ConfigError, match=r"another annotation file of train: 2 of .*\(image 7, '7.jpg', image 7"):
        leaks.dropped_of("train", other)


@pytest.mark.parametrize("name", ["gone.parquet", ""])
def test_what_is_not_there_is_told(name, tmp_path):
    with pytest.raises(ConfigError, match=r"expected the leaks.parquet of `cocoprep leaks`"):
        read(tmp_path / name)


def write(table):
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def changed(**columns):
    table = pq.read_table(io.BytesIO(encode_leaks(LEAKS, SOURCES)))
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), pa.array(values))
    return write(table)


def with_metadata(text):
    return write(pq.read_table(io.BytesIO(encode_leaks(LEAKS, SOURCES))).replace_schema_metadata(text))


def said(**what):
    return with_metadata({"cocoprep.leaks": msgspec.json.encode(what)})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            said(sources=SOURCES, version=2),
            r"leaks.parquet: expected a list of version 1, found 2\. Run `cocoprep leaks`",
        ),
        (said(version=-1, others=3), "expected a list of version 1, found -1"),
        (with_metadata({}), "it does not say which data sets it is of: no metadata 'cocoprep.leaks'"),
    ],
)
def test_what_is_no_such_list_is_told_as_what_it_is(data, message, path):
    path.write_bytes(data)
    with pytest.raises(RecordError, match=message):
        read(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"none",
        encode_leaks(LEAKS, SOURCES)[:-20],
        write(pa.table({"kind": ["x"]})),
        changed(kind=["other"] * 4),
        changed(kept_source=["other"] * 4),
        changed(dropped_sha256=["0" * 64 + "\n"] * 4),
        with_metadata({"cocoprep.leaks": "{"}),
        said(sources=SOURCES),
        said(sources=[], version=1),
        said(sources=[*SOURCES, SOURCES[0]], version=1),
        said(sources=[LeakSource("\x1b", "", ""), *SOURCES], version=1),
    ],
)
def test_what_is_no_list_is_refused(data, path):
    path.write_bytes(data)
    with pytest.raises(RecordError, match="Run `cocoprep leaks` again"):
        read(path)
