"""What a rerun keeps, what it builds anew, and what it refuses."""

from __future__ import annotations

import json
import os

import pytest
from msgspec.structs import replace

from cocoprep.builder.config import SelectConfig
from cocoprep.builder.start import start_build
from cocoprep.errors import BuildError, OutputError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.names import MANIFEST
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.digests import digest_file
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people

CROP = CropConfig(input_size=(32, 32))
SELECT = SelectConfig(shards=5)


class Folder:
    """A data set and the folder built from it, with what changed between two builds."""

    def __init__(self, root):
        self.annotations, self.images = write_people(root / "coco", images=12)
        self.out = root / "out"

    def build(self, **changes):
        options = {"crop": CROP, "select": SELECT, **changes}
        return build_folder(self.out, annotations=self.annotations, images=self.images, **options)

    def stamps(self):
        """Return (inode, modification time) of every shard: a shard that is written again gets another inode."""
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in self.shards()}

    def shards(self):
        return sorted(path for path in self.out.glob("cocoprep-*") if path.suffix != ".json")

    def digests(self):
        return {path.name: digest_file(str(path), LocalFiles()) for path in sorted(self.out.iterdir())}

    def rebuilt(self, **changes):
        """Build again; return the indices of the shards that were written anew."""
        before = self.stamps()
        self.build(**changes)
        after = self.stamps()
        return [index for index, name in enumerate(sorted(after)) if before.get(name) != after[name]]

    def edit(self, change):
        coco = json.loads(self.annotations.read_text())
        change(coco)
        self.annotations.write_text(json.dumps(coco))


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path)
    made.build()
    return made


def shard_of_image(folder, image_id):
    from cocoprep.builder.places import shard_of

    return shard_of(image_id, SELECT.seed, SELECT.shards)


def test_nothing_changed_nothing_is_built(folder):
    before = folder.digests()
    assert folder.rebuilt() == []
    assert folder.digests() == before


def test_a_shuffled_annotation_file_keeps_every_shard(folder):
    folder.edit(lambda coco: (coco["images"].reverse(), coco["annotations"].reverse()))
    before = {path.name: path.read_bytes() for path in folder.shards()}
    assert folder.rebuilt() == []
    assert {path.name: path.read_bytes() for path in folder.shards()} == before


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.update(area=1.5),
        lambda a: a.update(bbox=[1, 1, 30, 30]),
        lambda a: a["keypoints"].__setitem__(0, a["keypoints"][0] + 1),
        lambda a: a["keypoints"].__setitem__(2, 1),
    ],
)
def test_a_corrected_annotation_builds_its_shard_and_no_other(folder, change):
    annotation = {}

    def edit(coco):
        annotation.update(coco["annotations"][4])
        change(coco["annotations"][4])

    folder.edit(edit)
    assert folder.rebuilt() == [shard_of_image(folder, annotation["image_id"])]


def test_a_changed_photograph_builds_its_shard(folder):
    path = folder.images / "000000000003.jpg"
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xdb") + 20] ^= 1  # a number of its tables: the same size; and the old time stays
    stat = path.stat()
    path.write_bytes(bytes(data))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert folder.rebuilt() == [shard_of_image(folder, 3)]


def test_a_photograph_that_was_missing_and_is_there_now(tmp_path):
    folder = Folder(tmp_path)
    photograph = folder.images / "000000000005.jpg"
    content = photograph.read_bytes()
    photograph.unlink()
    lenient = SelectConfig(shards=5, max_bad_fraction=0.5)
    manifest = folder.build(select=lenient)
    assert manifest.counts.dropped["image"] == 2
    photograph.write_bytes(content)
    assert folder.rebuilt(select=lenient) == [shard_of_image(folder, 5)]
    complete = {path.name: path.read_bytes() for path in folder.shards()}
    fresh = Folder(tmp_path / "fresh")
    fresh.build()
    assert {path.name: path.read_bytes() for path in fresh.shards()} == complete


@pytest.mark.parametrize("victim", ["shard", "shard bit", "sidecar", "sidecar bit"])
def test_damage_is_mended(folder, victim):
    before = folder.digests()
    path = folder.out / (folder.shards()[2].name + (".json" if "sidecar" in victim else ""))
    if "bit" in victim:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(bytes(data))
    else:
        path.unlink()
    assert verify_folder(str(folder.out), LocalFiles()).problems
    assert folder.rebuilt() == [2]
    assert folder.digests() == before


def test_an_interrupted_build_goes_on(folder):
    """What a kill leaves: some shards, no manifest, a temporary file."""
    before = folder.digests()
    (folder.out / MANIFEST).unlink()
    folder.shards()[0].unlink()
    (folder.out / f".{folder.shards()[1].name}.123-0123abcd.tmp").write_bytes(b"half")
    assert folder.rebuilt() == [0]
    assert folder.digests() == before


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"crop": CropConfig(input_size=(48, 48))}, r"crop input_size was \[32, 32\], is now \[48, 48\]"),
        ({"crop": CropConfig(input_size=(32, 32), jpeg_quality=50)}, "jpeg_quality was 90, is now 50"),
        ({"select": SelectConfig(shards=6)}, "num_shards was 5, is now 6"),
        ({"select": SelectConfig(shards=5, seed=1)}, "seed was 0, is now 1"),
        ({"select": SelectConfig(shards=5, min_keypoints=3)}, "min_keypoints was 1, is now 3"),
    ],
)
def test_a_folder_of_another_config_is_refused_and_left_alone(folder, changes, says):
    before = folder.digests()
    with pytest.raises(OutputError, match=says):
        folder.build(**changes)
    assert folder.digests() == before
    folder.build(**changes, force=True)
    assert not verify_folder(str(folder.out), LocalFiles()).problems


def test_other_library_versions_are_refused(folder, monkeypatch):
    from cocoprep.builder import fingerprint

    versions = {**fingerprint.library_versions(), "pillow": "99.0"}
    monkeypatch.setattr(fingerprint, "library_versions", lambda: versions)
    with pytest.raises(OutputError, match="versions pillow was"):
        folder.build()


def test_shards_of_unknown_origin_are_refused(folder):
    (folder.out / "build.json").unlink()
    with pytest.raises(OutputError, match="not known"):
        folder.build()


def test_files_of_others_are_left_alone(folder):
    note = folder.out / "notes.txt"
    note.write_text("mine")
    folder.build(select=SelectConfig(shards=3), force=True)
    assert note.read_text() == "mine"
    assert len(folder.shards()) == 3


def test_too_many_faults_leave_a_ledger_and_no_manifest(tmp_path):
    import pyarrow.parquet as pq

    folder = Folder(tmp_path)
    (folder.images / "000000000005.jpg").unlink()
    with pytest.raises(BuildError, match=r"2 of 36 annotations are faulty \(2 image\).*--max-bad-fraction"):
        folder.build()
    assert not (folder.out / MANIFEST).exists()
    ledger = pq.read_table(folder.out / "ledger.parquet").to_pylist()
    assert sum(line["reason"] == "image" for line in ledger) == 2
    assert len(ledger) == 36


def test_a_drive_that_is_not_mounted_costs_nothing(folder, tmp_path):
    from cocoprep.errors import ConfigError

    before = folder.digests()
    folder.images = tmp_path / "empty"
    folder.images.mkdir()
    with pytest.raises(ConfigError, match=r"--images: none of 12 photographs can be read from .* Is the drive mounted"):
        folder.build()
    assert folder.digests() == before


def test_a_refused_annotation_file_leaves_a_finished_build_as_it_is(folder):
    before = folder.digests()
    folder.edit(lambda coco: [annotation.update(bbox="gone") for annotation in coco["annotations"][::3]])
    with pytest.raises(BuildError, match=r"12 of 36 annotations are faulty \(12 malformed\)"):
        folder.build()
    assert folder.digests() == before


def test_another_split_is_refused_even_by_force(folder):
    before = folder.digests()
    with pytest.raises(OutputError, match="holds another split: split was train2017, is now other"):
        folder.build(split="other", force=True)
    assert folder.digests() == before


def test_shards_that_two_builds_wrote_are_not_called_complete(folder, monkeypatch):
    from tests.support import building

    def start(config, files):
        counts, shards = start_build(config, files)
        return counts, [replace(shard, fingerprint="of another build") for shard in shards]

    monkeypatch.setattr(building, "start_build", start)
    with pytest.raises(BuildError, match="another build wrote into this folder"):
        folder.build()
    assert not (folder.out / MANIFEST).exists()
