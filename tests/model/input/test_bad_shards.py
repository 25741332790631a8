"""What is wrong with a folder is said in one clear line, before training or at the record."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
import tensorflow as tf

import cocoprep
from cocoprep.errors import CocoprepError, ConfigError, RecordError, StoreError
from cocoprep.model.input.batches import whole_batches
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.dataset import eval_dataset, train_dataset
from cocoprep.model.input.failures import readable_errors
from cocoprep.model.input.records import RecordSource
from cocoprep.shards.names import MANIFEST
from cocoprep.shards.seal import seal
from cocoprep.shards.tfrecord import read_record, write_records
from tests.support.reading import copy_folder, take

PEOPLE = 40
CONFIG = ReadConfig(batch_size=8)
SKIP = ReadConfig(batch_size=8, on_bad_record="skip")


@pytest.fixture(scope="module")
def good(people_folder):
    return people_folder(images=PEOPLE // 2)


@pytest.fixture
def folder(good, tmp_path):
    return copy_folder(good, tmp_path / "shards")


def shards_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("cocoprep-*-of-*[0-9]") if path.stat().st_size)


def remove_manifest(folder):
    (folder / MANIFEST).unlink()


def damage_manifest(folder):
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes().replace(b"train2017", b"train2018", 1))


def newer_manifest(folder):
    body = msgspec.json.decode((folder / MANIFEST).read_bytes())
    del body["digest"]
    (folder / MANIFEST).write_bytes(seal(body | {"schema_version": 99}))


def remove_shard(folder):
    shards_of(folder)[1].unlink()


def cut_shard(folder):
    os.truncate(shards_of(folder)[0], 1000)


def cut_all_shards(folder):
    for path in shards_of(folder):
        os.truncate(path, 0)


def remove_sidecar(folder):
    Path(f"{shards_of(folder)[0]}.json").unlink()


def damage_sidecar(folder):
    Path(f"{shards_of(folder)[0]}.json").write_bytes(b"{]")


def shorten_sidecar(folder):
    path = Path(f"{shards_of(folder)[0]}.json")
    body = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(body | {"annotation_ids": [], "offsets": []}))


def remove_all(folder):
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (remove_all, ["shards: no manifest.json", "`cocoprep build` has finished"]),
        (remove_manifest, ["shards: no manifest.json", "run the same command again"]),
        (damage_manifest, ["manifest.json", "does not match its digest", "Build again"]),
        (newer_manifest, ["manifest.json", "expected schema version 1, found 99"]),
        (remove_shard, ["1 of 4 shards are missing or half-written", "-00001-of-00004 (expected", "Copy the folder"]),
        (cut_shard, ["1 of 4 shards", "-00000-of-00004 (expected", "bytes, found 1000"]),
        (cut_all_shards, ["4 of 4 shards", "bytes, found 0"]),
        (remove_sidecar, ["-00000-of-00004.json", "cannot be read", "cocoprep verify"]),
        (damage_sidecar, ["-00000-of-00004.json", "cannot be read", "cocoprep verify"]),
        (shorten_sidecar, ["-00000-of-00004.json", "annotations and offsets, found 0 and 0", "cocoprep verify"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_bad_folder_is_refused_at_once(folder, spoil, said):
    spoil(folder)
    for read in (train_dataset, eval_dataset, RecordSource):
        with pytest.raises(RecordError) as error:
            read(str(folder), CONFIG)
        message = str(error.value)
        assert str(folder) in message
        assert "\n" not in message
        for part in said:
            assert part in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(folder):
    folder.chmod(0)
    try:
        with pytest.raises(RecordError, match="manifest"):
            train_dataset(str(folder), CONFIG)
    finally:
        folder.chmod(0o755)


def test_a_file_where_a_folder_should_be(tmp_path):
    path = tmp_path / "shards"
    path.write_bytes(b"no folder")
    with pytest.raises(CocoprepError, match="manifest"):
        train_dataset(str(path), CONFIG)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (ReadConfig(batch_size=PEOPLE + 1), f"expected at least one batch of {PEOPLE + 1} people, found {PEOPLE}"),
        (ReadConfig(batch_size=30, subset=0.5), "smaller batch_size, or a larger subset"),
        (ReadConfig(subset=1e-9), "no people to read"),
    ],
)
def test_too_few_people(good, config, said):
    with pytest.raises(ConfigError, match=said):
        train_dataset(str(good), config)


def spoil_records(folder: Path, which: list[int], *, at: int = 200) -> list[int]:
    """Flip a byte in records by place in stored order, `at` bytes into their frames; return their annotation ids."""
    dataset = cocoprep.open_dataset(folder)
    for place in which:
        _, shard, offset = dataset.places[place]
        with (folder / shard).open("r+b") as stream:
            stream.seek(offset + at)
            byte = stream.read(1)
            stream.seek(offset + at)
            stream.write(bytes([byte[0] ^ 4]))
    return [dataset.places[place][0] for place in which]


@pytest.mark.parametrize(("at", "said"), [(2, "length fails its CRC"), (200, "data fails its CRC")])
@pytest.mark.parametrize("read", [train_dataset, eval_dataset])
@pytest.mark.parametrize("cache", [True, False])
def test_a_damaged_record_is_named(folder, at, said, read, cache):
    (annotation_id,) = spoil_records(folder, [12], at=at)
    shard = cocoprep.open_dataset(folder).places[12][1]
    number = 12 - [name for _, name, _ in cocoprep.open_dataset(folder).places].index(shard)
    batches = read(str(folder), ReadConfig(batch_size=8, cache=cache))
    with pytest.raises(RecordError) as error, readable_errors():
        take(batches, 20)
    message = str(error.value)
    assert message.startswith(f"{folder / shard}, record {number}, annotation {annotation_id}: ")
    assert said in message
    assert "or begin a run with --on-bad-record skip" in message
    assert "\n" not in message


@pytest.mark.parametrize("which", [[0], [12], [PEOPLE - 1], [3, 4, 5], list(range(1, PEOPLE, 2))], ids=str)
@pytest.mark.parametrize("at", [2, 200])
def test_damaged_records_are_counted_and_skipped(folder, which, at, caplog):
    bad = spoil_records(folder, which, at=at)
    expected = [n for n in cocoprep.open_dataset(folder).annotation_ids if n not in bad]
    with caplog.at_level(logging.WARNING):
        source = RecordSource(str(folder), SKIP)
    assert source.annotation_ids.tolist() == expected
    assert len(source.skipped) == len(bad)
    assert f"{len(bad)} of {PEOPLE} records are damaged" in caplog.text
    batches = take(eval_dataset(str(folder), SKIP))
    found = np.concatenate([batch["annotation_id"][batch["valid"]] for batch in batches])
    assert found.tolist() == expected
    steps = whole_batches(RecordSource(str(folder), SKIP), SKIP)
    assert steps == len(expected) // 8
    seen = np.concatenate([batch["annotation_id"] for batch in take(train_dataset(str(folder), SKIP), 4 * steps)])
    assert set(seen.tolist()) == set(expected)


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        (b"\xff\xd8", "feature 'image': expected a JPEG of (78, 62), found something else"),
        (b"\x78\x01", "feature 'heatmaps': not zlib data"),
    ],
    ids=["image", "heatmaps"],
)
def test_a_record_that_is_framed_well_but_cannot_be_decoded(folder, feature, said):
    """By another program, or by memory that failed while it was built: its CRC is right."""
    dataset = cocoprep.open_dataset(folder)
    annotation_id, shard, start = dataset.places[12]
    with (folder / shard).open("r+b") as stream:
        stream.seek(start)
        record = read_record(stream)
        assert feature in record
        stream.seek(start)
        write_records(stream, [record.replace(feature, b"\x00\x00", 1)])
    named = rf"annotation {annotation_id}: {re.escape(said)}.*--on-bad-record skip"
    with pytest.raises(RecordError, match=named), readable_errors():
        take(eval_dataset(str(folder), CONFIG))
    source = RecordSource(str(folder), SKIP)
    assert list(source.skipped) == [annotation_id]
    assert f"annotation {annotation_id}: {said}" in source.skipped[annotation_id]
    take(eval_dataset(str(folder), SKIP))


def test_a_folder_of_nothing_but_damage(folder):
    spoil_records(folder, list(range(PEOPLE)))
    with pytest.raises(ConfigError, match="no people to read"):
        train_dataset(str(folder), SKIP)


def test_errors_of_others_pass():
    with pytest.raises(tf.errors.InvalidArgumentError), readable_errors():
        tf.reshape(tf.zeros(3), [2])


def test_a_bucket_that_fails_is_not_taken_for_damage():
    def fail(step):
        raise StoreError("gs://a/b: no answer (the last:\nnothing). Run it again.")

    batches = tf.data.Dataset.range(3).map(lambda step: tf.numpy_function(fail, [step], tf.int64))
    with (
        pytest.raises(StoreError, match=r"^gs://a/b: no answer \(the last:\nnothing\)\. Run it again\.$"),
        readable_errors(),
    ):
        take(batches)


def test_a_shard_that_goes_while_it_is_read(folder):
    batches = train_dataset(str(folder), CONFIG)
    shards_of(folder)[0].unlink()
    with pytest.raises(RecordError, match=r"cannot be read .No such file.*Check the disk"), readable_errors():
        take(batches, 20)
