"""Reading shards into batches: who comes, in which order, in what form, and what is said of bad input."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import pytest
import tensorflow as tf

import cocoprep
from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.input.batches import eval_batches, train_batches, whole_batches
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.dataset import eval_dataset, train_dataset
from cocoprep.model.input.order import BLOCK_RECORDS, Order
from cocoprep.model.input.read_ahead import ReadAhead
from cocoprep.model.input.records import RecordSource
from cocoprep.pose import affine
from cocoprep.pose.boxes import longer_side
from tests.support.reading import assert_same, take

PEOPLE = 60
MEDIUM = ReadConfig(batch_size=8, seed=3, augment=STRENGTHS["medium"])
PLAIN = ReadConfig(batch_size=8, seed=3)
SHIFTED = ReadConfig(batch_size=8, seed=3, augment=AugmentConfig(window_min=1.1, window_max=1.5, shift=0.5))
SPEC = {
    "image": ((64, 48, 3), tf.uint8),
    "heatmaps": ((16, 12, 17), tf.uint8),
    "keypoints": ((17, 2), tf.float32),
    "visibility": ((17,), tf.int32),
    "weights": ((17,), tf.float32),
    "looked_for": ((17,), tf.bool),
    "box_side": ((), tf.float32),
    "annotation_id": ((), tf.int64),
    "image_id": ((), tf.int64),
    "source": ((), tf.int32),
    "crop_window": ((4,), tf.float32),
    "bbox": ((4,), tf.float32),
    "area": ((), tf.float32),
    "valid": ((), tf.bool),
}


@pytest.fixture(scope="module")
def folder(people_folder):
    return str(people_folder(images=PEOPLE // 2))


@pytest.fixture(scope="module")
def people(folder):
    return {person["annotation_id"]: person for person in cocoprep.open_dataset(folder)}


def ids_of(batches):
    return np.concatenate([batch["annotation_id"] for batch in batches]).tolist()


@pytest.mark.parametrize("config", [PLAIN, MEDIUM], ids=["plain", "medium"])
@pytest.mark.parametrize("dataset", [train_dataset, eval_dataset])
def test_the_form_of_a_batch(folder, config, dataset):
    expected = {name: tf.TensorSpec((8, *shape), dtype) for name, (shape, dtype) in SPEC.items()}
    assert dataset(folder, config).element_spec == expected


def test_without_augmentation_people_come_as_stored(folder, people):
    margin = cocoprep.open_dataset(folder).manifest.crop.margin
    for batch in take(train_dataset(folder, PLAIN), 7):
        for n, annotation_id in enumerate(batch["annotation_id"]):
            person = people[annotation_id]
            centre = person["image"][margin:-margin, margin:-margin].astype(int)
            assert np.abs(batch["image"][n] - centre).max() <= 1  # two builds of libjpeg may round apart
            for name in ("heatmaps", "keypoints", "visibility", "crop_window", "bbox", "image_id"):
                np.testing.assert_array_equal(batch[name][n], person[name], err_msg=name)
        assert batch["valid"].all()


@pytest.mark.parametrize("config", [PLAIN, SHIFTED], ids=["plain", "shifted"])
def test_units(folder, config):
    for batch in take(train_dataset(folder, config), 3):
        labelled, inside = batch["visibility"] > 0, affine.inside(batch["keypoints"], (64, 48))
        np.testing.assert_array_equal(batch["weights"], (labelled & inside).astype(np.float32))
        assert (labelled & ~inside).any() == (config is SHIFTED)
        # Distances in the picture are those in the photograph by one scale: the box's side's, too.
        scale = batch["box_side"] / longer_side(batch["bbox"])
        stored = 48 / batch["crop_window"][:, 2]
        if config is PLAIN:
            np.testing.assert_allclose(scale, stored, rtol=1e-6)
        else:
            assert (scale / stored > 1.25 / 1.5 * 0.999).all()
            assert (scale / stored < 1.25 / 1.1 * 1.001).all()


def test_the_box_is_scaled_as_the_joints_are(folder, people):
    for batch in take(train_dataset(folder, MEDIUM), 3):
        for n, annotation_id in enumerate(batch["annotation_id"]):
            before, after = people[annotation_id]["keypoints"], batch["keypoints"][n]
            if (people[annotation_id]["visibility"] > 0).sum() < 2:
                continue
            scale = spread(after[batch["visibility"][n] > 0]) / spread(before[people[annotation_id]["visibility"] > 0])
            stored = 48 / batch["crop_window"][n, 2] * longer_side(batch["bbox"])[n]
            assert batch["box_side"][n] == pytest.approx(stored * scale, rel=1e-3)


def spread(points):
    return np.linalg.norm(points - points.mean(axis=0), axis=1).sum()


def test_an_epoch_takes_whole_batches_of_different_people(folder):
    steps = whole_batches(RecordSource(folder, PLAIN), PLAIN)
    assert steps == PEOPLE // 8
    epochs = [ids_of(take(train_dataset(folder, PLAIN, start_step=n * steps), steps)) for n in range(3)]
    left_out = []
    for ids in epochs:
        assert len(set(ids)) == steps * 8
        left_out.append(set(cocoprep.open_dataset(folder).annotation_ids) - set(ids))
    assert epochs[0] != epochs[1] != epochs[2]
    assert left_out[0] != left_out[1]


@pytest.mark.parametrize("config", [PLAIN, MEDIUM], ids=["plain", "medium"])
def test_the_stream_is_the_same_every_time(folder, config):
    whole = take(train_dataset(folder, config), 10)
    assert_same(take(train_dataset(folder, config), 10), whole)
    for change in ({"cache": False}, {"cache": True}, {"on_bad_record": "skip"}):
        assert_same(take(train_dataset(folder, dataclasses.replace(config, **change)), 10), whole)
    one_core = tf.data.Options()
    one_core.threading.private_threadpool_size = 1
    assert_same(take(train_dataset(folder, config).with_options(one_core), 10), whole)


def test_a_person_is_varied_alike_in_any_batch(folder):
    other = dataclasses.replace(MEDIUM, batch_size=5, shuffle_records=1)
    varied = {}
    for config, steps in ((MEDIUM, 7), (other, 12)):
        for batch in take(train_dataset(folder, config), steps):
            for n, annotation_id in enumerate(batch["annotation_id"].tolist()):
                image = varied.setdefault(annotation_id, batch["image"][n])
                np.testing.assert_array_equal(image, batch["image"][n])
    assert len(varied) == PEOPLE


def test_epochs_and_seeds_vary_people(folder):
    images = {}
    for name, config, start in (("first", MEDIUM, 0), ("second epoch", MEDIUM, 7), ("seed", with_seed(MEDIUM, 4), 0)):
        batches = take(train_dataset(folder, config, start_step=start), 7)
        images[name] = {n: i for b in batches for n, i in zip(b["annotation_id"].tolist(), b["image"], strict=True)}
    for other in ("second epoch", "seed"):
        both = images["first"].keys() & images[other].keys()
        assert len(both) > 40
        assert all((images["first"][n] != images[other][n]).any() for n in both)


def with_seed(config, seed):
    return dataclasses.replace(config, seed=seed)


@pytest.mark.parametrize("config", [PLAIN, MEDIUM], ids=["plain", "medium"])
@pytest.mark.parametrize("start_step", [0, 1, 6, 7, 8, 13, 14, 20])
def test_a_resumed_stream_goes_on_as_the_whole_one(folder, config, start_step):
    whole = take(train_dataset(folder, config), 23)
    assert_same(take(train_dataset(folder, config, start_step=start_step), 23 - start_step), whole[start_step:])


def test_a_resumed_stream_reads_nothing_of_the_past(folder, monkeypatch):
    read = []
    original = RecordSource.read
    monkeypatch.setattr(
        RecordSource, "read", lambda self, places: (read.append(len(places)), original(self, places))[1]
    )
    take(train_dataset(folder, PLAIN, start_step=7_000_003), 1)
    assert sum(read) < 10 * PEOPLE


def test_evaluation_sees_each_person_once_in_stored_order(folder, people):
    batches = take(eval_dataset(folder, dataclasses.replace(MEDIUM, subset=0.5)))
    assert len(batches) == 8 == int(eval_dataset(folder, MEDIUM).cardinality())
    valid = np.concatenate([batch["valid"] for batch in batches])
    assert valid.tolist() == [True] * PEOPLE + [False] * 4
    assert ids_of(batches)[:PEOPLE] == cocoprep.open_dataset(folder).annotation_ids
    for batch in batches:
        for n, annotation_id in enumerate(batch["annotation_id"]):
            if batch["valid"][n]:
                np.testing.assert_array_equal(batch["heatmaps"][n], people[annotation_id]["heatmaps"])
                np.testing.assert_array_equal(batch["keypoints"][n], people[annotation_id]["keypoints"])
            else:
                assert not any(batch[name][n].any() for name in batch)


def test_a_batch_as_large_as_the_folder(folder):
    config = dataclasses.replace(PLAIN, batch_size=PEOPLE)
    assert whole_batches(RecordSource(folder, config), config) == 1
    assert sorted(ids_of(take(train_dataset(folder, config), 1))) == sorted(
        cocoprep.open_dataset(folder).annotation_ids
    )
    assert [batch["valid"].sum() for batch in take(eval_dataset(folder, config))] == [PEOPLE]


def test_subsets_lie_in_one_another(folder):
    def ids(share, seed=0):
        config = ReadConfig(subset=share, seed=seed, batch_size=1)
        return set(RecordSource(folder, config).annotation_ids.tolist())

    assert ids(0.2) < ids(0.6) < ids(1.0)
    assert abs(len(ids(0.6)) / PEOPLE - 0.6) < 0.2
    assert ids(0.6, seed=1) != ids(0.6)
    config = ReadConfig(subset=0.6, batch_size=4)
    seen = ids_of(take(train_dataset(folder, config), 3 * whole_batches(RecordSource(folder, config), config)))
    assert set(seen) <= ids(0.6)


@pytest.mark.parametrize("people_count", [1, 127, 128, 129, 1000, 4999])
@pytest.mark.parametrize("group_records", [1, 128, 500, 4096])
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_order(people_count, group_records, batch):
    if batch > people_count:
        return
    order = Order(people_count, people_count // batch * batch, group_records, seed=1)
    for epoch in (0, 1):
        groups = [order.group(epoch, n) for n in range(order.groups)]
        places = np.concatenate(groups)
        assert len(set(places.tolist())) == len(places) == order.used
        assert places.max() < people_count
        assert max(map(len, groups)) <= max(group_records, BLOCK_RECORDS)
        for record in {0, order.used // 3, order.used // 2, order.used - 1}:
            counter, ahead = order.find(epoch * order.used + record)
            assert divmod(counter, order.groups)[0] == epoch
            assert order.group(*divmod(counter, order.groups))[ahead] == places[record]


def test_a_group_is_shuffled_as_a_whole_from_blocks_all_over_the_folder():
    order = Order(10_000, 10_000, 1024, seed=0)
    first = order.group(0, 0)
    assert np.ptp(first) > 5_000
    assert abs(np.corrcoef(np.arange(len(first)), first)[0, 1]) < 0.1
    assert (order.group(1, 0) != first).any()
    assert (dataclasses.replace(order, seed=1).group(0, 0) != first).any()


@pytest.mark.parametrize("start_step", [0, 5])
def test_batches_are_the_same_without_tensorflow(folder, start_step):
    made = list(islice(train_batches(folder, MEDIUM, start_step=start_step), 9))
    assert_same(made, take(train_dataset(folder, MEDIUM, start_step=start_step), 9))
    assert_same(list(eval_batches(folder, MEDIUM)), take(eval_dataset(folder, MEDIUM)))


def test_what_makes_batches_ends_with_its_user(folder):
    def makers():
        return [thread for thread in threading.enumerate() if thread.name.startswith("cocoprep-batch")]

    batches = train_batches(folder, MEDIUM)
    next(batches)
    assert makers()
    batches.close()
    assert not makers()


def test_any_batch_at_any_time(folder):
    source = RecordSource(folder, PLAIN)
    order = Order(PEOPLE, 56, 128, seed=1)
    whole = [[p.annotation_id for p in ReadAhead(source, order).batch(step, 8)] for step in range(40)]
    people = ReadAhead(source, order)
    steps = np.random.default_rng(0).permutation(40)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda step: [p.annotation_id for p in people.batch(int(step), 8)], steps))
    assert found == [whole[step] for step in steps]


@pytest.mark.long
def test_the_process_ends_well_while_batches_are_read_ahead(folder):
    code = (
        "from cocoprep.model.input.dataset import train_dataset\nfrom cocoprep.model.input.config import ReadConfig\n"
        "from cocoprep.model.augment.config import STRENGTHS\n"
        "config = ReadConfig(batch_size=8, augment=STRENGTHS['medium'])\n"
        f"batches = iter(train_dataset({folder!r}, config))\n"
        "for _ in range(30): next(batches)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_strategy_takes_the_stream(folder):
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    whole = take(train_dataset(folder, MEDIUM), 3)
    batches = iter(strategy.experimental_distribute_dataset(train_dataset(folder, MEDIUM)))
    assert_same([{name: value.numpy() for name, value in next(batches).items()} for _ in range(3)], whole)
