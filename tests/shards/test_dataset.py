from __future__ import annotations

import os
import pickle
import shutil
import sys

import numpy as np
import pytest

import cocoprep
from cocoprep.errors import ConfigError, RecordError, StoreError
from tests.support.buckets import put


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(images=6, size=(32, 24), shards=4)


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def test_a_person(built):
    dataset = cocoprep.open_dataset(built)
    person = dataset[0]
    assert person["image"].shape == (*dataset.manifest.crop.stored_size, 3)
    assert person["image"].dtype == np.uint8
    assert person["heatmaps"].shape == (8, 6, 17)
    assert person["keypoints"].shape == (17, 2)
    assert person["keypoints"].dtype == np.float32
    assert person["visibility"].dtype == np.int64
    assert dataset.canonical(person["image"]).shape == (32, 24, 3)
    assert person["file_name"].endswith(".jpg")


def test_iteration_places_and_ids_agree(built):
    dataset = cocoprep.open_dataset(built)
    people = list(dataset)
    assert len(people) == len(dataset) == dataset.manifest.counts.people == 12
    assert [person["annotation_id"] for person in people] == dataset.annotation_ids
    for place, person in enumerate(people):
        assert equal(person, dataset[place])
        assert equal(person, dataset.person(person["annotation_id"]))
    assert equal(dataset[-1], people[-1])


def test_what_is_not_there(built):
    dataset = cocoprep.open_dataset(built)
    assert 101 not in dataset  # the first person of the first image has no labelled joint
    assert 102 in dataset
    with pytest.raises(KeyError):
        dataset.person(101)
    with pytest.raises(IndexError):
        dataset[12]


def test_arrays_are_the_callers_own(built):
    dataset = cocoprep.open_dataset(built)
    person = dataset[0]
    for value in person.values():
        if isinstance(value, np.ndarray):
            value[:] = 7  # neither read-only nor shared
    assert not equal(person, dataset[0])


def test_it_goes_to_a_worker_process(built):
    """As PyTorch's DataLoader sends it."""
    dataset = cocoprep.open_dataset(built)
    assert equal(dataset[3], pickle.loads(pickle.dumps(dataset))[3])


def test_a_damaged_record_is_named(built, tmp_path):
    import shutil

    copy = shutil.copytree(built, tmp_path / "copy")
    shard = max(copy.glob("*-of-00004"), key=lambda path: path.stat().st_size)
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(bytes(data))
    with pytest.raises(RecordError, match=f"{shard.name}, offset 0: .*CRC.*cocoprep verify"):
        list(cocoprep.open_dataset(copy))


def test_a_folder_that_is_not_complete(tmp_path):
    with pytest.raises(RecordError, match=r"no manifest\.json"):
        cocoprep.open_dataset(tmp_path)


def test_a_shard_that_was_replaced_gives_nobody_elses_record(built):
    dataset = cocoprep.open_dataset(built)
    first, second = dataset.places[:2]
    dataset.places[0] = (second[0], *first[1:])
    with pytest.raises(RecordError, match=f"expected annotation {second[0]} at byte 0, found {first[0]}"):
        dataset[0]


def test_a_folder_in_a_bucket_is_read_by_its_path_alone(built, bucket):
    near, far = cocoprep.open_dataset(built), cocoprep.open_dataset(put(built, f"{bucket}/shards"))
    assert far.manifest == near.manifest
    assert far.annotation_ids == near.annotation_ids
    assert all(equal(*pair) for pair in zip(far, near, strict=True))
    assert equal(far.person(102), near.person(102))
    assert equal(pickle.loads(pickle.dumps(far))[3], near[3])


def test_a_bucket_without_googles_libraries(monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")  # for which no client was made yet
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    with pytest.raises(StoreError, match=r"pip install 'cocoprep\[gcp\]'"):
        cocoprep.open_dataset("gs://bucket/shards")


@pytest.mark.parametrize("folder", ["s3://bucket/shards", "hdfs://host/shards", "file:///tmp/shards"])
def test_a_folder_that_lies_nowhere_we_know(folder):
    with pytest.raises(ConfigError, match="expected a path of this machine or one that begins with gs://"):
        cocoprep.open_dataset(folder)


NESTED = b'{"a":' * 100_000


@pytest.mark.parametrize(
    "name", ["manifest.json", "ceiling.json", "build.json", "ground_truth.json", "cocoprep-train2017.tfrecord-{}.json"]
)
@pytest.mark.parametrize("command", ["verify", "info", "contact-sheet", "stage", "show"])
def test_what_is_nested_deeply_is_damaged_for_every_command(people_folder, tmp_path, run, name, command):
    folder = shutil.copytree(people_folder(size=(32, 32), shards=3), tmp_path / "built")
    number = cocoprep.open_dataset(folder).annotation_ids[0]
    (folder / name.format("00000-of-00003")).write_bytes(NESTED)
    picture = ["--out", tmp_path / "a.png"]
    more = {"contact-sheet": picture, "stage": [tmp_path / "copy"], "show": [number, *picture]}
    code, _, err = run(command, folder, *more.get(command, []))
    assert code in (0, 1)
    assert "a fault of ours" not in err
    assert len(err) < 2000


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
@pytest.mark.parametrize("command", ["verify", "contact-sheet", "stage", "show"])
def test_what_is_no_file_is_told_by_every_command(people_folder, tmp_path, run, make, command):
    built = people_folder(size=(32, 32), shards=3)
    number = cocoprep.open_dataset(built).annotation_ids[0]
    picture = ["--out", tmp_path / "a.png"]
    more = {"contact-sheet": picture, "stage": [tmp_path / "copy"], "show": [number, *picture]}
    for name in sorted(path.name for path in built.iterdir()):
        folder = shutil.copytree(built, tmp_path / f"with-{name}")
        (folder / name).unlink()
        make(folder / name)
        code, _, err = run(command, folder, *more.get(command, []))
        assert code in (0, 1), (name, err)
        assert "a fault of ours" not in err, (name, err)
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
