"""All that can be wrong with input, at once and through the command line: each fault costs only itself."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile

import pyarrow.parquet as pq
import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.cli import main
from cocoprep.coco.truth import read_truth
from cocoprep.errors import BuildError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.builder.bad_input import (
    BAD_ANNOTATIONS,
    BAD_CONTENT,
    BAD_FILES,
    BAD_NAMES,
    CATEGORY,
    JPEG,
    KEYPOINTS,
    ODD_ANNOTATIONS,
    ODD_CONTENT,
    coco_bytes,
    image_entry,
    person_entry,
    raw_person,
)
from tests.support.building import build_folder

GOOD = 10  # photographs
REFUSED_NAMES = {"expected a relative path", "with forward slashes"}


class Everything:
    """A data set with every kind of fault in it, and what its ledger must say, row by row."""

    def __init__(self, folder):
        self.photographs = folder / "train2017"
        self.photographs.mkdir(parents=True)
        (self.photographs / "good.jpg").write_bytes(JPEG)
        (folder / "outside.jpg").write_bytes(JPEG)
        self.images, self.annotations, self.expected = [], [], []
        self._add_good()
        self._add_annotations()
        self._add_images()
        self.path = folder / "annotations" / "person_keypoints_train2017.json"
        self.path.parent.mkdir()
        self.path.write_bytes(b"\xef\xbb\xbf" + coco_bytes(self.annotations, self.images))

    def _expect(self, annotation, ids, reason, says):
        self.annotations.append(annotation)
        self.expected.append((*ids, reason, says))

    def _add_good(self):
        for image_id in range(1, GOOD + 1):
            self._add_image(image_entry(image_id), JPEG)
            self._expect(person_entry(100 + image_id, image_id), (100 + image_id, image_id), None, "")

    def _add_annotations(self):
        for number, (entry, ids, reason, says) in enumerate(BAD_ANNOTATIONS.values(), start=1000):
            if isinstance(entry, bytes):
                renamed = entry.replace(b'"id": 50,', b'"id": %d,' % number)
            else:
                renamed = {**entry, "id": number} if entry.get("id") == 50 else entry
            self._expect(renamed, (number if ids[0] == 50 else ids[0], ids[1]), reason, says)
        odd = [entry for entry in ODD_ANNOTATIONS.values() if isinstance(entry, dict)]
        for free, entry in enumerate(odd, start=2000):
            number = free if entry["id"] in (50, "50") else entry["id"]
            self._expect({**entry, "id": number}, (number, 1), None, "")
        self._expect(person_entry(101), (101, 1), "duplicate", "")

    def _add_images(self):
        for data, says in BAD_CONTENT.values():
            self._add_person(self._add_image({}, data), "image", says)
        for data in ODD_CONTENT.values():
            self._add_person(self._add_image({}, data), None, "")
        for plant, says in BAD_FILES.values():
            image_id = self._add_image({}, None)
            plant(self.photographs, f"{image_id}.jpg")
            self._add_person(image_id, "image", says)
        for kind, (name, says) in BAD_NAMES.items():
            # What follows the step up is the end of a name that is there: it is found, though never opened, by that.
            found = kind == "down, up and in"
            image_id = self._add_image({"file_name": name}, None)
            self._add_person(image_id, None if found else "image", "" if found else says)
        for changes, says in (
            ({"width": -1}, "is malformed: Expected `int` >= 0 - at `$.width`"),
            ({"height": 10**9}, "pixels, but the annotation file says 64 x 1000000000"),
            ({"file_name": None}, "is malformed: Expected `str`, got `null` - at `$.file_name`"),
        ):
            reason = "image" if "height" in changes else "malformed"
            self._add_person(self._add_image(changes, JPEG), reason, says)
        self._add_person(self._add_image({"width": 0}, JPEG), None, "")
        self._add_person(self._add_image({"width": None, "height": None}, None), "image", "no such ")
        self._add_person(self._add_image({"height": None}, JPEG[:40]), "image", "'1")
        twice = self._add_image({}, JPEG)
        self.images.append(image_entry(twice, width=65))
        self._add_person(twice, "malformed", "lists this id more than once")

    def _add_image(self, changes, data):
        image_id = changes.get("id", 1000 + len(self.images))
        self.images.append({**image_entry(image_id), **changes})
        if data is not None:
            (self.photographs / f"{image_id}.jpg").write_bytes(data)
        return image_id

    def _add_person(self, image_id, reason, says):
        annotation_id = 5000 + image_id
        self._expect(person_entry(annotation_id, image_id), (annotation_id, image_id), reason, says)


def check_ledger(out, expected):
    """Hold a built folder against the (annotation id, image id, reason, part of the detail) of every row."""
    ledger = pq.read_table(out / "ledger.parquet").to_pylist()
    assert [line["row"] for line in ledger] == list(range(len(expected)))
    for line, (annotation_id, image_id, reason, says) in zip(ledger, expected, strict=True):
        assert (line["annotation_id"], line["image_id"], line["reason"]) == (annotation_id, image_id, reason), line
        assert line["kept"] is (reason is None) is (line["shard"] is not None), line
        assert says in line["detail"], line
    kept = {e[0] for e in expected if e[2] is None}
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert (manifest["counts"]["annotations"], manifest["counts"]["people"]) == (len(ledger), len(kept))
    found = verify_folder(str(out), LocalFiles())
    assert (found.problems, found.records) == ([], len(kept))


def everything_in(folder):
    """Return all there is to know of a folder: names, types, times, link targets, contents."""
    state = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else ""
        if path.is_file() and not path.is_symlink():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        state[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ino, content)
    return state


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return Everything(tmp_path_factory.mktemp("everything") / "coco")


def test_every_fault_at_once_through_the_command_line(everything, tmp_path):
    root, out = everything.photographs.parent, tmp_path / "out"
    before = everything_in(root)
    options = [
        "--data-dir",
        str(root),
        "--split",
        "train2017",
        "--out",
        str(out),
        "--input-size",
        "64",
        "--shards",
        "4",
    ]
    built = command("build", *options, "--max-bad-fraction", "1")
    assert built.returncode == 0, built.stderr
    assert everything_in(root) == before
    check_ledger(out, everything.expected)
    verified = command("verify", str(out))
    assert verified.returncode == 0, verified.stderr
    assert "all good" in verified.stdout
    # What a build has taken, an evaluation takes too.
    people = read_truth(str(out / "ground_truth.json"), LocalFiles(), COCO_17).annotation_ids
    assert {n for n, _, reason, _ in everything.expected if reason is None} <= set(people.tolist())
    for said in (built.stdout, built.stderr, verified.stdout, verified.stderr):
        assert "Traceback" not in said
        assert "Warning" not in said


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "cocoprep", *arguments], check=False, capture_output=True, text=True, timeout=100
    )


def test_every_fault_at_once_from_a_zip(everything, tmp_path):
    """What only a folder can hold is missing in the zip; the rest comes out the same, hostile members or not."""
    archive = tmp_path / "train2017.zip"
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("../../escaped.jpg", JPEG)
        members.writestr("/escaped.jpg", JPEG)
        for path in sorted(everything.photographs.iterdir()):
            if path.is_file() and not path.is_symlink():
                members.write(path, f"train2017/{path.name}")
    build_folder(
        tmp_path / "out", annotations=everything.path, images=archive,
        crop=CropConfig(input_size=(32, 32)), select=SelectConfig(shards=2, max_bad_fraction=1),
    )  # fmt: skip
    of_a_folder = {says for _, says in BAD_FILES.values()} | {says for _, says in BAD_NAMES.values()} - REFUSED_NAMES
    expected = [
        (*line, reason, "no such member in the zip" if reason == "image" and says in of_a_folder else says)
        for *line, reason, says in everything.expected
    ]
    check_ledger(tmp_path / "out", expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "train2017.zip"]


def test_photographs_that_are_all_unusable_leave_a_ledger_and_no_manifest(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(b"not a picture")
    path, out = tmp_path / "people.json", tmp_path / "out"
    path.write_bytes(coco_bytes([person_entry(1), person_entry(2), 0]))
    with pytest.raises(BuildError, match="no photograph was usable"):
        build_folder(out, annotations=path, images=tmp_path / "images", select=SelectConfig(max_bad_fraction=1))
    assert [line["reason"] for line in pq.read_table(out / "ledger.parquet").to_pylist()] == ["image"] * 2 + [
        "malformed"
    ]
    assert not (out / "manifest.json").exists()


# One clear fatal error


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    (folder / "images").mkdir()
    (folder / "images" / "1.jpg").write_bytes(JPEG)
    (folder / "people.json").write_bytes(coco_bytes())
    return folder


def dry_run(capsys, *options):
    """Run `cocoprep build --dry-run`; return exit code, what it printed, and its errors."""
    with pytest.raises(SystemExit) as ended:
        main(["build", "--dry-run", *map(str, options)])
    return ended.value.code, *capsys.readouterr()


def test_a_good_file_is_none(good, capsys):
    code, said, errors = dry_run(capsys, "--annotations", good / "people.json", "--images", good / "images")
    assert (code, errors) == (0, "")
    assert "would build" in said


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: data.decode().encode("utf-16")], ids=["gzip", "utf-16"])
def test_a_packed_file_is_as_good(pack, good, tmp_path, capsys):
    path = tmp_path / "people.json.gz"
    path.write_bytes(pack(coco_bytes()))
    code, said, errors = dry_run(capsys, "--annotations", path, "--images", good / "images")
    assert (code, errors) == (0, "")
    assert "people " in said


@pytest.mark.parametrize(
    "data", [b"PK\3\4 this is a zip", gzip.compress(coco_bytes())[:-9], b"\xff\xfe["], ids=["zip", "gzip", "utf-16"]
)
def test_what_cannot_be_unpacked_is_told_with_the_option(data, good, tmp_path, capsys):
    path = tmp_path / "people.json"
    path.write_bytes(data)
    code, _, errors = dry_run(capsys, "--annotations", path, "--images", good / "images")
    assert code == 1
    assert errors.startswith(f"error: --annotations: {path}: expected a COCO keypoints file, found ")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not valid JSON at byte 0 of 0"),
        (coco_bytes()[:400], "not valid JSON at byte 400 of 400"),
        (coco_bytes([raw_person(1, "area", "NaN")]), "NaN and Infinity are not JSON"),
        (coco_bytes([raw_person(1, "bbox", "[0, 0, Infinity, 9]")]), "not valid JSON at byte"),
        (coco_bytes().replace(b"1.jpg", b"caf\xe9.jpg"), "not UTF-8 text at byte"),
        (b"[" * 100_000, "not a COCO keypoints file"),
        (b'{"images":' * 100_000, "got `object`"),
        (b'{"x":' * 100_000, "nested"),
        (coco_bytes(images=[]), "'images' is empty"),
        (coco_bytes([]), "'annotations' is empty"),
        (coco_bytes(categories=[]), "expected a category 'person'"),
        (coco_bytes(categories=[{**CATEGORY, "keypoints": ["head"]}]), "expected 3 numbers, found 51"),
        (coco_bytes([person_entry(1, keypoints=...)], categories=[{"id": 1, "name": "person"}]), "instances file"),
        (coco_bytes([person_entry(1, keypoints=[0] * 51)]), "no annotation is kept of 1 read (1 zero_keypoints)"),
        (coco_bytes([person_entry(1, image_id=7)]), "row 0: image_id 7: no such image"),
        (coco_bytes([person_entry(1), 0]), "1 of 2 annotations are faulty (1 malformed), more than the share of 0.01"),
        (coco_bytes([person_entry(1), person_entry(2, keypoints=KEYPOINTS[:-1])]), "expected 51 numbers, found 50"),
    ],
)
def test_an_annotation_file_that_cannot_be_used(data, says, good, tmp_path, capsys):
    path = tmp_path / "people.json"
    path.write_bytes(data)
    code, said, errors = dry_run(capsys, "--annotations", path, "--images", good / "images")
    assert (code, said) == (1, "")
    assert errors.startswith(f"error: {path}: ")
    assert says in errors
    assert "Traceback" not in errors
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--annotations", "{0}/nowhere.json"],
            "--annotations: {0}/nowhere.json: expected a COCO keypoints file, found nothing",
        ),
        (["--annotations", "{0}"], "--annotations: {0}: expected a COCO keypoints file, found a folder"),
        (["--images", "{}/nowhere"], "--images: expected a folder, a .zip or a .tar of photographs"),
        (["--images", "{}/people.json"], "not a zip that can be read"),
        (["--split", "a/b"], "--split: expected"),
        (["--out", "{}/caf\udce9"], "--out: expected a path in UTF-8, found"),
        (["--input-size", "3"], "--input-size: expected"),
    ],
)
def test_options_that_cannot_work(options, says, good, capsys):
    name, value = (part.format(good) for part in options)
    given = {"--annotations": good / "people.json", "--images": good / "images", name: value}
    code, said, errors = dry_run(capsys, *(part for pair in given.items() for part in pair))
    assert (code, said) == (1, "")
    assert errors.startswith("error: ")
    assert says.format(good) in errors


def test_a_name_cannot_write_control_characters_to_the_terminal(good, tmp_path):
    """What an annotation file says is printed, never obeyed."""
    path, images = tmp_path / "people.json", tmp_path / "images"
    shutil.copytree(good / "images", images)
    evil = image_entry(2, file_name="\x1b[2J\x1b]0;owned\x07\n.jpg")
    path.write_bytes(coco_bytes([person_entry(1), person_entry(2, 2)], [image_entry(1), evil]))
    found = command(
        "build", "--annotations", str(path), "--images", str(images), "--out", str(tmp_path / "out"), "--workers", "1"
    )
    assert found.returncode == 1
    assert r"'\x1b[2J\x1b]0;owned\x07\n.jpg': no such file in the image folder" in found.stderr
    assert "owned\x07" not in found.stdout + found.stderr
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert pq.read_table(tmp_path / "out" / "ledger.parquet").num_rows == 2
