"""Batches of a folder in a bucket, by its path alone: those of a disk; and a clear end where it cannot be read."""

from __future__ import annotations

import sys
from itertools import islice

import pytest

from cocoprep.errors import ConfigError, StoreError
from cocoprep.model.input.batches import eval_batches, people_to_evaluate, train_batches
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.records import RecordSource
from tests.support.buckets import put
from tests.support.reading import assert_same, take

CONFIG = ReadConfig(batch_size=4, cache=False)
READERS = {
    "train_batches": lambda folder: next(train_batches(folder, CONFIG)),
    "eval_batches": lambda folder: next(eval_batches(folder, CONFIG)),
    "people_to_evaluate": lambda folder: people_to_evaluate(folder, CONFIG),
    "RecordSource": lambda folder: RecordSource(folder, CONFIG),
    "train_dataset": lambda folder: graph_readers().train_dataset(folder, CONFIG),
    "eval_dataset": lambda folder: graph_readers().eval_dataset(folder, CONFIG),
}


def graph_readers():
    pytest.importorskip("tensorflow")
    from cocoprep.model.input import dataset

    return dataset


@pytest.fixture(scope="module")
def near(people_folder):
    return people_folder(images=6, size=(32, 32))


@pytest.fixture
def far(near, bucket):
    return put(near, f"{bucket}/shards")


def test_batches(near, far):
    assert_same(list(eval_batches(far, CONFIG)), list(eval_batches(str(near), CONFIG)))
    ours, theirs = (list(islice(train_batches(folder, CONFIG), 5)) for folder in (far, str(near)))
    assert_same(ours, theirs)


def test_batches_of_the_graph(near, far):
    for read, count in ((graph_readers().eval_dataset, None), (graph_readers().train_dataset, 5)):
        assert_same(take(read(far, CONFIG), count), take(read(str(near), CONFIG), count))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("folder", ["s3://bucket/shards", "hdfs://host/shards", "file:///tmp/shards"])
def test_a_scheme_that_is_not_known(reader, folder):
    with pytest.raises(ConfigError, match="expected a path of this machine or one that begins with gs://"):
        READERS[reader](folder)


@pytest.mark.parametrize("reader", READERS)
def test_a_bucket_without_googles_libraries(reader, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")  # for which no client was made yet
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    with pytest.raises(StoreError, match=r"pip install 'cocoprep\[gcp\]'"):
        READERS[reader]("gs://bucket/shards")
