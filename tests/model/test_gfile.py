"""Folders read through TensorFlow are read as local ones are."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.errors import OutputError, RecordError
from cocoprep.files import LocalFiles
from cocoprep.manifest import MANIFEST, read_manifest
from model.augment_config import STRENGTHS
from model.dataset import eval_dataset, train_dataset
from model.gfile import GFiles
from model.read_config import ReadConfig
from model.stores import files_of
from tests.model.reading import assert_same, build_people, take


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_people(tmp_path_factory.mktemp("gfile"), images=10)


def test_who_reads_a_path():
    assert isinstance(files_of("gs://bucket/shards"), GFiles)
    assert isinstance(files_of("/data/shards"), LocalFiles)
    assert isinstance(files_of("data/shards"), LocalFiles)


def test_batches_are_the_same(folder):
    config = ReadConfig(batch_size=8, augment=STRENGTHS["medium"], cache=False)
    for read in (train_dataset, eval_dataset):
        assert_same(take(read(f"file://{folder}", config), 2), take(read(str(folder), config), 2))


def test_the_store_answers_as_the_local_one(folder):
    ours, local, path = GFiles(), LocalFiles(), f"file://{folder}"
    assert ours.list_names(path) == local.list_names(str(folder))
    assert ours.list_names(path + "/none") == local.list_names(f"{folder}/none") == []
    assert ours.join(path, MANIFEST) == f"{path}/{MANIFEST}" == ours.join(path + "/", MANIFEST)
    name = ours.join(path, MANIFEST)
    content = (folder / MANIFEST).read_bytes()
    assert ours.read_bytes(name) == content
    assert ours.size(name) == len(content)
    assert ours.exists(name)
    assert not ours.exists(name + "x")
    assert ours.is_folder(path)
    assert not ours.is_folder(name)
    assert read_manifest(path, ours) == read_manifest(str(folder), local)
    with ours.open_read(name) as stream:
        stream.seek(5)
        assert stream.read(7) == content[5:12]
        assert stream.tell() == 12
        assert stream.read() == content[12:]
    for part in ((0, 7), (5, 12), (len(content) - 3, len(content) + 9)):
        assert ours.read_range(name, *part) == content[slice(*part)]


def test_what_is_missing_is_an_os_error(folder):
    with pytest.raises(FileNotFoundError, match="no such file"):
        GFiles().read_bytes(f"file://{folder}/none")
    with pytest.raises(FileNotFoundError):
        GFiles().size(f"file://{folder}/none")
    with pytest.raises(OSError, match="none"):
        GFiles().read_bytes("nosuchscheme://bucket/none")
    with pytest.raises(RecordError, match="no manifest"):
        train_dataset(f"file://{folder}/none", ReadConfig())


@pytest.mark.parametrize(
    "write",
    [
        lambda files: files.create("gs://b/x"),
        lambda files: files.delete("gs://b/x"),
        lambda files: files.make_folder("gs://b/x"),
        lambda files: files.read_contained("gs://b", "x", max_bytes=1),
    ],
)
def test_it_only_reads(write):
    with pytest.raises(OutputError, match="read here, never written"):
        write(GFiles())


def test_large_reads(tmp_path):
    data = np.random.default_rng(0).bytes(3_000_000)
    (tmp_path / "large").write_bytes(data)
    with GFiles().open_read(f"file://{tmp_path}/large") as stream:
        stream.seek(1_000_000)
        assert stream.read(1_500_000) == data[1_000_000:2_500_000]
