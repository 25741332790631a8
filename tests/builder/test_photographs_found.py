"""Photographs that lie elsewhere than the file says, or not at all: what is built, and what is told of it."""

from __future__ import annotations

import json
import shutil
import tarfile

import pyarrow.parquet as pq
import pytest

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.builder.start import start_build
from cocoprep.errors import BuildError, ConfigError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import MANIFEST
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people

CROP, SELECT = CropConfig(input_size=(32, 32)), SelectConfig(shards=2, max_bad_fraction=1)
IMAGES = 6


@pytest.fixture
def people(tmp_path):
    """Return annotations, to be edited, and photographs."""
    return write_people(tmp_path / "coco", images=IMAGES)


def rename(annotations, new):
    coco = json.loads(annotations.read_text())
    for image in coco["images"]:
        image["file_name"] = new(image["file_name"])
    annotations.write_text(json.dumps(coco))


def build(people, out, **options):
    annotations, images = people
    return build_folder(out, annotations=annotations, images=images, crop=CROP, **{"select": SELECT, **options})


def shards(out):
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if "tfrecord" in path.name}


def ledger(out):
    return pq.read_table(out / "ledger.parquet").to_pylist()


OTHERS = {
    "backslashes": lambda name: f"images\\{name}",
    "a prefix": lambda name: f"images/train/{name}",
    "a drive": lambda name: f"C:\\data\\{name}",
    "an address": lambda name: f"https://host/{name}?token=1",
    "another case": lambda name: name.upper(),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_names_give_the_same_shards_as_the_right_ones(kind, people, tmp_path):
    build(people, tmp_path / "right")
    rename(people[0], OTHERS[kind])
    manifest = build(people, tmp_path / "out")
    assert shards(tmp_path / "out") == shards(tmp_path / "right")
    assert f"{IMAGES} file names are not quite the photographs' own. Found: {IMAGES} " in manifest.notes[-1]
    truth = read_ground_truth(str(tmp_path / "out"), LocalFiles())
    assert [image["file_name"] for image in truth["images"]] == [f"{n:012d}.jpg" for n in range(1, IMAGES + 1)]


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("folder", ["", "train2017", "export/images"])
def test_an_archive_as_an_exporter_packs_it(folder, kind, people, tmp_path):
    build(people, tmp_path / "right")
    inner = tmp_path / "packed" / folder
    shutil.copytree(people[1], inner, dirs_exist_ok=True)
    (tmp_path / "packed" / "result.json").write_text("{}")
    (tmp_path / "packed" / "docs").mkdir()
    (tmp_path / "packed" / "docs" / "read.me").write_text("?")
    archive = shutil.make_archive(str(tmp_path / "project-1"), kind, tmp_path / "packed")
    build((people[0], archive), tmp_path / "out")
    right, found = open_dataset(tmp_path / "right"), open_dataset(tmp_path / "out")
    for number in right.annotation_ids:
        assert (found.person(int(number))["image"] == right.person(int(number))["image"]).all()


def test_a_tar_gives_the_same_shards_as_its_folder_and_they_are_kept(people, tmp_path):
    build(people, tmp_path / "right")
    archive = shutil.make_archive(str(tmp_path / "photos"), "tar", people[1])
    build((people[0], archive), tmp_path / "out")
    assert shards(tmp_path / "out") == shards(tmp_path / "right")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir() if "tfrecord" in path.name}
    build((people[0], archive), tmp_path / "out")
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in before} == before
    with tarfile.open(archive, "a") as stream:  # a second one of that name
        stream.add(people[1] / "000000000001.jpg", "./000000000001.jpg")
    build((people[0], archive), tmp_path / "out")
    assert {line["detail"] for line in ledger(tmp_path / "out") if line["reason"] == "image"} == {
        "'000000000001.jpg': the tar holds this name more than once"
    }


def test_where_two_photographs_fit_neither_is_taken_and_the_ledger_names_both(people, tmp_path):
    for folder in ("x", "y"):
        (people[1] / folder).mkdir()
        shutil.copy(people[1] / "000000000001.jpg", people[1] / folder)
    (people[1] / "000000000001.jpg").unlink()
    manifest = build(people, tmp_path / "out")
    why = "'000000000001.jpg': both 'x/000000000001.jpg' and 'y/000000000001.jpg' fit"
    dropped = [line for line in ledger(tmp_path / "out") if line["reason"] == "image"]
    assert {(line["image_id"], line["detail"]) for line in dropped} == {(1, why)}
    assert any(why in note for note in manifest.notes)
    assert f"photographs with people to crop: {IMAGES - 1} of {IMAGES} are there" in manifest.notes


def test_two_names_never_get_one_photograph(people, tmp_path):
    coco = json.loads(people[0].read_text())
    coco["images"][0]["file_name"], coco["images"][1]["file_name"] = "a/1.jpg", "b/1.jpg"
    people[0].write_text(json.dumps(coco))
    (people[1] / "000000000001.jpg").rename(people[1] / "1.jpg")
    build(people, tmp_path / "out")
    assert {line["detail"] for line in ledger(tmp_path / "out") if line["reason"] == "image"} == {
        "'a/1.jpg': '1.jpg' fits, but fits 'b/1.jpg' too",
        "'b/1.jpg': '1.jpg' fits, but fits 'a/1.jpg' too",
    }


def test_links_are_followed_on_the_users_word(people, tmp_path):
    build(people, tmp_path / "right")
    links = tmp_path / "links"
    links.mkdir()
    for path in people[1].iterdir():
        (links / path.name).symlink_to(path)
    with pytest.raises(ConfigError, match=r"none of 6 tried can be read .*leads out .*--follow-links has it followed"):
        build((people[0], links), tmp_path / "out")
    build((people[0], links), tmp_path / "out", follow_links=True)
    assert read_manifest(str(tmp_path / "out"), LocalFiles()).follow_links is True
    assert b"follow_links" not in (tmp_path / "right" / MANIFEST).read_bytes()
    assert shards(tmp_path / "out") == shards(tmp_path / "right")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        path.name for path in (tmp_path / "right").iterdir()
    }


def test_photographs_that_are_missing_are_told_before_the_work(people, tmp_path):
    for number in (1, 2):
        (people[1] / f"{number:012d}.jpg").unlink()
    annotations, images = people
    config = BuildConfig(
        split="train2017", annotations=str(annotations), images=str(images), out=str(tmp_path / "out"), crop=CROP,
        select=SelectConfig(shards=2),
    )  # fmt: skip
    with pytest.raises(BuildError) as caught:
        start_build(config, LocalFiles())
    assert "4 of 18 annotations are faulty (4 image)" in str(caught.value)
    assert "'000000000001.jpg': no such file in the image folder" in str(caught.value)
    assert str(caught.value).endswith("Photographs with people to crop: 4 of 6 are there.")
    assert sum(line["reason"] == "image" for line in ledger(tmp_path / "out")) == 4
    manifest = build(people, tmp_path / "out")
    assert manifest.notes[-1] == "photographs with people to crop: 4 of 6 are there"
    assert manifest.counts.people == 8


def test_what_is_there_instead_is_told(people, tmp_path):
    other = tmp_path / "other"
    (other / "val").mkdir(parents=True)
    (other / "val" / "else.jpg").write_bytes(b"1")
    with pytest.raises(ConfigError) as caught:
        build((people[0], other), tmp_path / "out")
    assert "none of 6 photographs can be read from" in str(caught.value)
    assert "What is there: 'val/else.jpg'. Is it the folder, zip or tar" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_may_not_be_listed_is_read_all_the_same(people, tmp_path):
    """Its owner has let others pass through, not look."""

    class NotListed(LocalFiles):
        def list_names(self, folder):
            from cocoprep.errors import OutputError

            if folder == str(people[1]):
                raise OutputError("no")
            return super().list_names(folder)

    config = BuildConfig(
        split="train2017", annotations=str(people[0]), images=str(people[1]), out=str(tmp_path / "out"), crop=CROP,
    )  # fmt: skip
    (people[1] / "000000000001.jpg").unlink()
    with pytest.raises(BuildError, match=r"2 of 18 annotations are faulty \(2 image\)"):
        start_build(config, NotListed())


def test_faults_that_are_not_the_photographs_are_told_without_their_names(people, tmp_path):
    rename(people[0], OTHERS["a prefix"])
    coco = json.loads(people[0].read_text())
    coco["annotations"][0] |= {"id": "first", "area": -1}
    people[0].write_text(json.dumps(coco))
    with pytest.raises(BuildError) as error:
        build(people, tmp_path / "out", select=SelectConfig(shards=2))
    assert "row 0, annotation 'first': malformed: area -1" in str(error.value)
    assert "photographs' own" not in str(error.value)
