"""Planted copies are found, each for what it is; others are not."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter

import pytest
from PIL import Image

from cocoprep.coco.source_file import parse_source
from cocoprep.inspection import likeness, reading
from cocoprep.inspection.fingerprint_folder import FingerprintFolder
from cocoprep.inspection.leaks import find_leaks
from cocoprep.inspection.listed import list_photographs
from cocoprep.inspection.opened import Opener, close_all
from cocoprep.inspection.reading import see_photographs
from cocoprep.shards.leak_list import LeakKind
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.copies import FOUND, NOT_PROMISED, as_jpeg, mirrored, resized, write_photographs

FILES = AnyFiles()


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_all()


def leaks_in(tmp_path, across=False, workers=1, **sources):
    """Return what is found in data sets, given by what `--source NAME=` takes."""
    opener = Opener(FILES)
    listed = list_photographs([parse_source(f"{k}={v}", "train2017", FILES) for k, v in sources.items()], opener)
    folder = FingerprintFolder(str(tmp_path / "fingerprints"), FILES)
    seen = see_photographs(listed, folder, opener, workers=workers)
    return find_leaks(listed, seen, opener, across=across, workers=workers)


def pairs(found):
    return {(f"{leak.kept.source}/{leak.kept.file_name}", f"{leak.dropped.source}/{leak.dropped.file_name}"): leak.kind
            for leak in found.leaks}  # fmt: skip


@pytest.mark.parametrize("kind", FOUND)
def test_copies_are_found(kind, drawn, tmp_path):
    originals = {path.name: path.read_bytes() for path in drawn}
    copies = {f"copy of {path.name}": FOUND[kind](Image.open(path).convert("RGB")) for path in drawn[::4]}
    found = leaks_in(
        tmp_path,
        val=write_photographs(tmp_path / "val", originals),
        train=write_photographs(tmp_path / "train", copies),
    )
    expected = LeakKind.MIRRORED if "mirrored" in kind else LeakKind.NEARLY_EQUAL
    assert pairs(found) == {(f"val/{name.removeprefix('copy of ')}", f"train/{name}"): expected for name in copies}


def test_photographs_of_their_own_are_not_found(drawn, tmp_path):
    ours = write_photographs(tmp_path / "a", {path.name: path.read_bytes() for path in drawn})
    assert leaks_in(tmp_path, a=ours).leaks == []


def test_equal_files_and_equal_pixels_are_told_apart(drawn, tmp_path):
    picture, data = Image.open(drawn[0]).convert("RGB"), drawn[0].read_bytes()
    picture.save(tmp_path / "x.png")
    copies = {"same.jpg": data, "a/renamed.jpg": data, "b.png": (tmp_path / "x.png").read_bytes()}
    found = leaks_in(
        tmp_path, a=write_photographs(tmp_path / "a", {"same.jpg": data}), b=write_photographs(tmp_path / "b", copies)
    )
    assert pairs(found) == {
        ("a/same.jpg", "b/same.jpg"): LeakKind.SAME_FILE,
        ("a/same.jpg", "b/a/renamed.jpg"): LeakKind.SAME_FILE,
        ("b/same.jpg", "b/a/renamed.jpg"): LeakKind.SAME_FILE,
        ("a/same.jpg", "b/b.png"): LeakKind.SAME_PIXELS,
        ("b/same.jpg", "b/b.png"): LeakKind.SAME_PIXELS,
    }
    assert all(leak.alike == 1 for leak in found.leaks)


def test_the_first_source_and_the_smaller_id_keep_theirs(drawn, tmp_path):
    one, two, other = drawn[:3]
    first = write_photographs(tmp_path / "1", {"x": other.read_bytes(), "b": one.read_bytes()})
    second = write_photographs(tmp_path / "2", {"a": one.read_bytes(), "y": two.read_bytes(), "z": two.read_bytes()})
    found = leaks_in(tmp_path, second=second, first=first)
    assert pairs(found) == {("second/a", "first/b"): "same file", ("second/y", "second/z"): "same file"}
    across = leaks_in(tmp_path, across=True, second=second, first=first)
    assert pairs(across) == {("second/a", "first/b"): "same file"}


def test_a_copy_of_a_copy_is_dropped_for_each_source_before_it(drawn, tmp_path):
    data = drawn[0].read_bytes()
    small = as_jpeg(resized(Image.open(drawn[0]), 0.6))
    sets = {
        name: write_photographs(tmp_path / name, files)
        for name, files in (("a", {"1": data}), ("b", {"2": small, "3": small}), ("c", {"4": data}))
    }
    assert pairs(leaks_in(tmp_path, **sets)) == {
        ("a/1", "b/2"): "nearly equal",
        ("a/1", "b/3"): "nearly equal",
        ("b/2", "b/3"): "same file",
        ("a/1", "c/4"): "same file",
        ("b/2", "c/4"): "nearly equal",
    }


def test_folder_zip_and_tar_give_the_same(drawn, tmp_path, monkeypatch):
    for module in (reading, likeness):
        monkeypatch.setattr(module, "_FEW", 0)
        monkeypatch.setattr(module, "TOGETHER", 5)
    val = write_photographs(tmp_path / "val", {path.name: path.read_bytes() for path in drawn})
    copies = {f"{n}/{path.name}": as_jpeg(mirrored(Image.open(path))) for n, path in enumerate(drawn)}
    train = write_photographs(tmp_path / "train", copies)
    labels, folder = train.split(",")
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for name, data in copies.items():
            archive.writestr(name, data)
    shutil.make_archive(str(tmp_path / "t"), "tar", folder, ".")
    expected = leaks_in(tmp_path / "x", val=val, train=train).leaks
    assert len(expected) == len(copies)
    for number, (archive, workers) in enumerate((("t.zip", 2), ("t.tar", 2), ("t.tar", 1))):
        found = leaks_in(tmp_path / str(number), workers=workers, val=val, train=f"{labels},{tmp_path / archive}")
        assert found.leaks == expected


def test_many_that_are_all_alike_are_each_dropped_once(drawn, tmp_path):
    # As successive frames of a video.
    picture = Image.open(drawn[0])
    frames = {f"{n:03}.jpg": as_jpeg(picture, 60 + n % 36) for n in range(70)}
    found = leaks_in(tmp_path, video=write_photographs(tmp_path / "v", frames))
    assert len(found.leaks) == len(frames) - 1
    assert sorted(leak.dropped.file_name for leak in found.leaks) == sorted(frames)[1:]


def test_flat_and_damaged_photographs_are_told(drawn, tmp_path):
    flat = [as_jpeg(Image.new("RGB", size, "white")) for size in ((60, 60), (90, 60))]
    files = {"1": flat[0], "2": flat[1], "3": flat[0], "4": b"none", "5": b"none", "6": drawn[0].read_bytes()}
    opener = Opener(FILES)
    source = parse_source(f"a={write_photographs(tmp_path / 'a', files)}", "", FILES)
    (tmp_path / "a/photographs/6").unlink()
    listed = list_photographs([source], opener)
    assert [fault for one in listed for fault in one.missing] == ["'6': no such file in the image folder"]
    seen = see_photographs(listed, FingerprintFolder(str(tmp_path / "f"), FILES), opener)
    assert list(seen.faults) == [3, 4]
    assert "'4': expected a JPEG, PNG, WebP or BMP picture" in seen.faults[3]
    found = find_leaks(listed, seen, opener)
    assert found.flat == 3
    assert pairs(found) == {("a/1", "a/3"): "same file", ("a/4", "a/5"): "same file"}


def test_a_pair_that_cannot_be_decoded_is_told(drawn, tmp_path):
    sets = [write_photographs(tmp_path / n, {n: as_jpeg(Image.open(drawn[0]), q)}) for n, q in (("a", 90), ("b", 60))]
    opener = Opener(FILES)
    listed = list_photographs([parse_source(f"{s[-1]}{n}={s}", "", FILES) for n, s in enumerate(sets)], opener)
    seen = see_photographs(listed, FingerprintFolder(str(tmp_path / "f"), FILES), opener)
    (tmp_path / "b/photographs/b").write_bytes(b"changed")
    found = find_leaks(listed, seen, opener)
    assert found.leaks == []
    assert "expected a JPEG" in found.faults[0]


def test_copies_of_real_photographs_are_found(coco_mini, tmp_path):
    paths = sorted(coco_mini.glob("*2017/*.jpg"))
    val = write_photographs(tmp_path / "val", {path.name: path.read_bytes() for path in paths})
    assert leaks_in(tmp_path, val=val).leaks == []
    kinds = list(FOUND)
    copies = {
        f"{n:03} {path.name}": FOUND[kinds[n % len(kinds)]](Image.open(path).convert("RGB"))
        for n, path in enumerate(paths)
    }
    found = leaks_in(tmp_path, val=val, train=write_photographs(tmp_path / "train", copies))
    assert all(leak.dropped.file_name.endswith(leak.kept.file_name) for leak in found.leaks)
    dropped = {leak.dropped.file_name for leak in found.leaks}
    missed = Counter(kinds[int(name[:3]) % len(kinds)] for name in set(copies) - dropped)
    assert sum(missed.values()) <= 1, missed


def test_what_is_not_promised_is_seldom_taken_for_another_photograph(drawn, tmp_path):
    originals = {path.name: path.read_bytes() for path in drawn}
    copies = {
        f"{kind} {path.name}": make(Image.open(path).convert("RGB"))
        for kind, make in NOT_PROMISED.items()
        for path in drawn[:2]
    }
    found = leaks_in(
        tmp_path, across=True, val=write_photographs(tmp_path / "v", originals),
        train=write_photographs(tmp_path / "t", copies),
    )  # fmt: skip
    assert all(leak.dropped.file_name.endswith(leak.kept.file_name) for leak in found.leaks)
