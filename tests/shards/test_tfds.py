"""A built folder as TensorFlow Datasets opens it, with nothing of ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import msgspec
import numpy as np
import pytest

from cocoprep.coco.sources import Source
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import named_table
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import MANIFEST, TFDS_FILES
from cocoprep.shards.seal import seal
from cocoprep.shards.stage import stage_folder
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.any_joints import write
from tests.support.building import build_folder
from tests.support.people import write_people

needs_tfds = pytest.mark.skipif(
    find_spec("tensorflow_datasets") is None, reason="no TensorFlow Datasets: pip install tensorflow-datasets"
)
# In one process that has neither Beam nor a module of ours. Of each folder, every array goes into one file.
READ = """
import sys
import numpy as np
import tensorflow_datasets as tfds
for folder, out in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    builder = tfds.builder_from_directory(folder)
    (split,) = builder.info.splits
    assert builder.info.splits[split].num_examples == sum(builder.info.splits[split].shard_lengths)
    people = list(tfds.as_numpy(builder.as_dataset(split=split)))
    np.savez(out, **{f"{n}/{name}": value for n, person in enumerate(people) for name, value in person.items()})
    print("read", builder.info.full_name, split, len(people), sorted(builder.info.features))
assert not any(name.partition(".")[0] in ("cocoprep", "apache_beam") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(images=6, size=(64, 48), shards=3)


@pytest.fixture(scope="module")
def of_sources(tmp_path_factory):
    root = tmp_path_factory.mktemp("sources")
    annotations, images = write_people(root / "coco", images=2)
    lsp = write(root / "lsp", named_table("lsp-14"))
    sources = [
        Source(name="a", annotations=str(annotations), images=str(images)),
        Source(name="b", annotations=str(lsp["annotations"]), images=str(lsp["images"])),
    ]
    build_folder(root / "out", sources=sources, table="shared", crop=CropConfig(input_size=(64, 48)))
    return root / "out"


@pytest.fixture(scope="module")
def by_tfds(built, of_sources, tmp_path_factory):
    """Return of either folder what TFDS says of it, and its people by annotation id."""
    out = tmp_path_factory.mktemp("by-tfds")
    done = subprocess.run(
        [sys.executable, "-c", READ, built, out / "built.npz", of_sources, out / "of_sources.npz"],
        capture_output=True, text=True, check=False, cwd=out,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    said = [line for line in done.stdout.splitlines() if line.startswith("read ")]
    found = {}
    for name, line in zip(("built", "of_sources"), said, strict=True):
        people = {}
        for key, value in np.load(out / f"{name}.npz").items():
            number, feature = key.split("/")
            people.setdefault(number, {})[feature] = value
        found[name] = line, {int(person["annotation_id"]): person for person in people.values()}
    return found


@needs_tfds
@pytest.mark.parametrize("which", ["built", "of_sources"])
def test_tfds_reads_what_our_reader_reads(which, by_tfds, request):
    folder = request.getfixturevalue(which)
    ours = open_dataset(folder)
    names = sorted(feature.name for feature in ours.manifest.features)
    said, people = by_tfds[which]
    assert said == f"read cocoprep/1.0.0 {ours.manifest.split} {len(ours)} {names}"
    assert ("source" in names) == (which == "of_sources")
    for person in ours:
        theirs = people.pop(person["annotation_id"])
        assert sorted(theirs) == names
        assert bytes(theirs.pop("file_name")).decode() == person.pop("file_name")
        # TensorFlow's decoder rounds otherwise than Pillow's.
        picture = theirs.pop("image")
        assert (picture.dtype, picture.shape) == (np.uint8, person["image"].shape)
        assert np.abs(picture.astype(int) - person.pop("image")).mean() < 3
        for name, value in person.items():
            expected = np.asarray(value, None if isinstance(value, np.ndarray) else theirs[name].dtype)
            assert (theirs[name].dtype, theirs[name].shape) == (expected.dtype, expected.shape), name
            assert np.array_equal(theirs[name], expected), name
    assert people == {}


def test_the_files_say_what_the_manifest_says(built):
    manifest = read_manifest(str(built), LocalFiles())
    features = json.loads((built / "features.json").read_text())["featuresDict"]["features"]
    assert list(features) == [feature.name for feature in manifest.features]
    assert [one["description"] for one in features.values()] == [feature.meaning for feature in manifest.features]
    assert features["heatmaps"]["tensor"] == {
        "dtype": "uint8", "encoding": "zlib", "shape": {"dimensions": ["16", "12", "17"]}
    }  # fmt: skip
    assert features["keypoints"]["tensor"]["shape"] == {"dimensions": ["17", "2"]}
    assert (features["area"]["tensor"]["dtype"], features["area"]["tensor"]["shape"]) == ("float32", {})
    (split,) = json.loads((built / "dataset_info.json").read_text())["splits"]
    assert split["name"] == manifest.split
    assert list(map(int, split["shardLengths"])) == [shard.examples for shard in manifest.shards]
    assert int(split["numBytes"]) == sum(shard.bytes for shard in manifest.shards)
    named = {"DATASET": "cocoprep", "SPLIT": manifest.split, "FILEFORMAT": "tfrecord"}
    for n, shard in enumerate(manifest.shards):
        of = {**named, "SHARD_X_OF_Y": f"{n:05d}-of-{len(manifest.shards):05d}"}
        assert split["filepathTemplate"].format(**of) == shard.name


def test_they_are_the_same_again_listed_verified_and_staged(built, people_folder, tmp_path):
    again = people_folder(images=6, size=(64, 48), shards=4)
    assert (again / "features.json").read_bytes() == (built / "features.json").read_bytes()
    copy = tmp_path / "copy"
    stage_folder(str(built), str(copy), LocalFiles())
    assert all((copy / name).read_bytes() == (built / name).read_bytes() for name in TFDS_FILES)
    for name in TFDS_FILES:
        data = (copy / name).read_bytes()
        (copy / name).write_bytes(data.replace(b"1", b"2", 1))
        (problem,) = verify_folder(str(copy), LocalFiles()).problems
        assert problem.file == name
        (copy / name).write_bytes(data)
    assert verify_folder(str(copy), LocalFiles()).problems == []


def test_a_folder_without_them_is_read_as_before_and_one_alone_is_no_builds(built, tmp_path):
    copy = shutil.copytree(built, tmp_path / "copy")
    body = json.loads((copy / MANIFEST).read_text())
    del body["digest"]
    one, other = TFDS_FILES
    for name, whole in ((one, False), (other, True)):
        (copy / name).unlink()
        del body["files"][name]
        (copy / MANIFEST).write_bytes(seal(body))
        problems = verify_folder(str(copy), LocalFiles()).problems
        assert (problems == []) == whole
        assert whole or "no build has written this" in problems[0].what
    assert msgspec.to_builtins(read_manifest(str(copy), LocalFiles()))["files"].keys() == body["files"].keys()
