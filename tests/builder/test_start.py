"""The first step: everything is judged before anything is written."""

from __future__ import annotations

import json

import pytest

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.builder.start import start_build
from cocoprep.errors import BuildError, ConfigError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.names import GROUND_TRUTH, LEDGER, MANIFEST, PLAN
from cocoprep.shards.plan import unseal_plan
from cocoprep.storage.digests import digest_file
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people

OPTIONS = {"crop": CropConfig(input_size=(32, 32)), "select": SelectConfig(shards=3)}


class NotedFiles(LocalFiles):
    """Files of this machine; notes what is read (r) and what is changed (w), and of which file."""

    def __init__(self):
        self.notes = []

    def create(self, path, *, sync=True):
        self.notes.append(("w", path.rpartition("/")[2]))
        return super().create(path, sync=sync)

    def delete(self, path):
        self.notes.append(("w", path.rpartition("/")[2]))
        super().delete(path)

    def make_folder(self, path):
        self.notes.append(("w", path.rpartition("/")[2]))
        super().make_folder(path)

    def read_bytes(self, path):
        self.notes.append(("r", path.rpartition("/")[2]))
        return super().read_bytes(path)

    def read_contained(self, folder, name, **options):
        self.notes.append(("r", name))
        return super().read_contained(folder, name, **options)


@pytest.fixture
def inputs(tmp_path):
    return write_people(tmp_path / "coco", images=6)


def start(inputs, out, files, **changes):
    annotations, images = inputs
    config = BuildConfig(
        split="train2017", annotations=str(annotations), images=str(images), out=str(out), **{**OPTIONS, **changes}
    )
    return start_build(config, files)


def damage(annotations):
    coco = json.loads(annotations.read_text())
    for annotation in coco["annotations"][::2]:
        annotation["bbox"] = "gone"
    annotations.write_text(json.dumps(coco))


@pytest.mark.parametrize("built_before", [False, True])
def test_nothing_is_read_once_something_was_written(inputs, tmp_path, built_before):
    annotations, images = inputs
    if built_before:
        build_folder(tmp_path / "out", annotations=annotations, images=images, **OPTIONS)
    files = NotedFiles()
    start(inputs, tmp_path / "out", files)
    kinds = "".join(kind for kind, _ in files.notes)
    assert kinds.strip("r").strip("w") == ""
    assert ("r", annotations.name) in files.notes
    assert [name for kind, name in files.notes if kind == "w"][-3:] == [PLAN, LEDGER, GROUND_TRUTH]


def test_a_refused_build_reads_first_too_and_leaves_its_ledger(inputs, tmp_path):
    damage(inputs[0])
    files = NotedFiles()
    with pytest.raises(BuildError, match=r"All are listed in .*ledger.parquet"):
        start(inputs, tmp_path / "out", files)
    assert "".join(kind for kind, _ in files.notes).strip("r").strip("w") == ""
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [PLAN, LEDGER]


def test_a_refused_build_of_a_finished_folder_writes_nothing(inputs, tmp_path):
    annotations, images = inputs
    build_folder(tmp_path / "out", annotations=annotations, images=images, **OPTIONS)
    damage(annotations)
    files = NotedFiles()
    with pytest.raises(BuildError) as caught:
        start(inputs, tmp_path / "out", files)
    assert "listed in" not in str(caught.value)
    assert {kind for kind, _ in files.notes} == {"r"}
    assert (tmp_path / "out" / MANIFEST).exists()


def test_a_refused_build_is_gone_on_with_once_its_annotations_are_mended(inputs, tmp_path):
    annotations, images = inputs
    whole = annotations.read_text()
    damage(annotations)
    with pytest.raises(BuildError):
        start(inputs, tmp_path / "out", LocalFiles())
    annotations.write_text(whole)
    build_folder(tmp_path / "out", annotations=annotations, images=images, **OPTIONS)
    assert (tmp_path / "out" / MANIFEST).exists()


def test_the_plan_holds_the_digests_of_what_was_found_and_written(inputs, tmp_path):
    started, shards = start(inputs, tmp_path / "out", LocalFiles())
    plan = tmp_path / "out" / PLAN
    _, content = unseal_plan(plan.read_bytes(), str(plan))
    assert len(content.annotations) == started.num_shards == len(shards) == 3
    assert content.ledger == digest_file(str(tmp_path / "out" / LEDGER), LocalFiles())
    assert content.ground_truth == digest_file(str(tmp_path / "out" / GROUND_TRUTH), LocalFiles())
    assert {shard.plan for shard in shards} == {digest_file(str(plan), LocalFiles()).sha256}


def test_a_corrected_annotation_changes_the_digest_of_its_shard_alone(inputs, tmp_path):
    def digests():
        start(inputs, tmp_path / "out", LocalFiles())
        return unseal_plan((tmp_path / "out" / PLAN).read_bytes(), PLAN)[1].annotations

    before = digests()
    coco = json.loads(inputs[0].read_text())
    coco["annotations"][1]["area"] += 1
    inputs[0].write_text(json.dumps(coco))
    assert sum(old != new for old, new in zip(before, digests(), strict=True)) == 1


def test_a_small_part_of_the_photographs_is_enough(inputs, tmp_path):
    """A drive that is not mounted has none of them; who has fetched a few has some."""
    annotations, images = write_people(tmp_path / "many", images=80)
    files = LocalFiles()
    kept = sorted(images.iterdir())[41]
    for path in images.iterdir():
        if path != kept:
            path.unlink()
    counts, _ = start((annotations, images), tmp_path / "out", files, select=SelectConfig(shards=3, max_bad_fraction=1))
    assert counts.images == 80
    kept.unlink()
    with pytest.raises(ConfigError, match="none of 80 photographs can be read from"):
        start((annotations, images), tmp_path / "out", files)
