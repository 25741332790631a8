"""TensorFlow reads the shards as the NumPy reader does."""

from __future__ import annotations

import numpy as np
import pytest

import cocoprep

tf = pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(images=6)


@pytest.mark.parametrize("how", ["mapped", "eager"])
def test_both_readers_agree(built, how):
    from cocoprep.model.input.features import parse_record

    dataset = cocoprep.open_dataset(built)
    records = tf.data.TFRecordDataset([str(built / shard.name) for shard in dataset.manifest.shards])
    if how == "mapped":
        people = list(records.map(lambda record: parse_record(record, dataset.manifest)))
    else:
        people = [parse_record(record, dataset.manifest) for record in records]
    assert len(people) == len(dataset)
    for ours, theirs in zip(dataset, people, strict=True):
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            found = theirs[name].numpy()
            if name == "image":  # two builds of libjpeg may round apart
                assert np.abs(found.astype(int) - value).max() <= 1
            elif name == "file_name":
                assert found.decode() == value
            else:
                np.testing.assert_array_equal(found, value)
