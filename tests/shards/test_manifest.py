"""A manifest is not trusted because its digest is right: whoever writes one can seal it."""

from __future__ import annotations

import json
import shutil

import pytest

import cocoprep
from cocoprep.errors import RecordError
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import MANIFEST
from cocoprep.shards.seal import seal
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(images=4, size=(32, 32), shards=2)


def with_split(body, split):
    body["split"] = split
    for number, shard in enumerate(body["shards"]):
        shard["name"] = f"cocoprep-{split}.tfrecord-{number:05d}-of-00002"


CHANGES = {
    "a shard above": (lambda body: body["shards"][0].update(name="../evil"), "shards[0]"),
    "an absolute shard": (lambda body: body["shards"][1].update(name="/tmp/evil"), "shards[1]"),
    "a shard below": (lambda body: body["shards"][0].update(name="a/" + body["shards"][0]["name"]), "shards[0]"),
    "shards exchanged": (lambda body: body["shards"].reverse(), "shards[0]"),
    "a split that leads out": (lambda body: with_split(body, "/../../evil"), "split"),
    "another file": (lambda body: body["files"].update({"../evil": body["files"]["ledger.parquet"]}), "files"),
    "a file less": (lambda body: body["files"].pop("ledger.parquet"), "files"),
    "sizes of another crop": (lambda body: body["crop"].update(stored_size=[90_000, 90_000]), "crop"),
    "no crop": (lambda body: body["crop"].update(input_size=[0, 0]), "--input-size"),
    "more joints outside of crops than there are": (
        lambda body: body["counts"].update(joints=3, joints_outside_crop=4),
        "4 joints outside of their crops, of 3",
    ),
    "joints below 0": (lambda body: body["counts"].update(joints=-3, joints_outside_crop=-4), "joints outside"),
    "photographs that lie otherwise": (lambda body: body.update(exif="sideways"), "$.exif"),
    "a partner that is not there": (lambda body: body["keypoints"]["flip_index"].__setitem__(0, 99), "mirror partners"),
}


@pytest.fixture(params=list(CHANGES))
def hostile(request, built, tmp_path):
    """Return a folder whose manifest is sealed, but says what no build writes, and what the error must name."""
    change, named = CHANGES[request.param]
    folder = tmp_path / "deep" / "out"
    shutil.copytree(built, folder)
    body = json.loads((folder / MANIFEST).read_text())
    del body["digest"]
    change(body)
    (folder / MANIFEST).write_bytes(seal(body))
    return folder, named


def test_what_no_build_writes_is_refused(hostile):
    folder, named = hostile
    for read in (lambda: read_manifest(str(folder), LocalFiles()), lambda: cocoprep.open_dataset(folder)):
        with pytest.raises(RecordError, match="no build has written this") as error:
            read()
        assert named in str(error.value)
        assert MANIFEST in str(error.value)


def test_verify_says_so_too(hostile):
    folder, named = hostile
    (problem,) = verify_folder(str(folder), LocalFiles()).problems
    assert "no build has written this" in problem.what
    assert named in problem.what


def test_the_built_folder_itself_is_read(built):
    assert read_manifest(str(built), LocalFiles()).counts.people == 8
