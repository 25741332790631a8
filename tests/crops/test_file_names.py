"""File names as tools write them, and the photographs that they mean; or none, where that could be doubted."""

from __future__ import annotations

import tarfile
import time
import tracemalloc
import zipfile
from unicodedata import normalize

import pytest

from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops import file_names
from cocoprep.crops.file_names import find_names
from cocoprep.crops.named_images import NamedImages, Refusing
from cocoprep.crops.photographs import open_images
from cocoprep.errors import ImageError
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.local import LocalFiles

NFC, NFD = normalize("NFC", "café.jpg"), normalize("NFD", "café.jpg")


def write_folder(root, names):
    for name in names:
        path = root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return str(root / "images")


def write_zip(root, names):
    with zipfile.ZipFile(root / "images.zip", "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return str(root / "images.zip")


def write_tar(root, names):
    folder = write_folder(root, names)
    with tarfile.open(root / "images.tar", "w") as archive:
        for name in names:
            archive.add(f"{folder}/{name}", name)
    return str(root / "images.tar")


SOURCES = {"folder": write_folder, "zip": write_zip, "tar": write_tar}


@pytest.fixture(params=SOURCES)
def source_of(request, tmp_path):
    """Return what makes a source of files, each of which holds its own name."""
    return lambda *names: open_images(SOURCES[request.param](tmp_path, names), AnyFiles())


# file name, what is there, which of it is meant (None: none), what is said of it
TABLE = [
    ("images/train/a.jpg", ("a.jpg", "b.jpg"), "a.jpg", "without what stands before it"),
    ("images/train/a.jpg", ("train/a.jpg", "val/a.jpg"), "train/a.jpg", "without what stands before it"),
    ("images/train/a.jpg", ("x/images/train/a.jpg", "y/b.jpg"), "x/images/train/a.jpg", "in a folder"),
    ("a.jpg", ("x/deep/down/a.jpg", "y/b.jpg"), "x/deep/down/a.jpg", "in a folder that the name leaves out"),
    ("/home/u/data/a.jpg", ("a.jpg",), "a.jpg", "without what stands before it"),
    ("/a.jpg", ("a.jpg",), "a.jpg", "without what stands before it"),
    ("C:/data/a.jpg", ("a.jpg",), "a.jpg", "without what stands before it"),
    ("c:a.jpg", ("a.jpg",), "a.jpg", "without what stands before it"),
    ("../../media/a.jpg", ("media/a.jpg", "x/b.jpg"), "media/a.jpg", "without what stands before it"),
    ("file:///home/u/a.jpg", ("a.jpg",), "a.jpg", "at the end of an address"),
    ("https://host/x/a.jpg", ("a.jpg",), "a.jpg", "at the end of an address"),
    ("https://host/x/a.jpg?w=640&h=480#top", ("a.jpg",), "a.jpg", "at the end of an address"),
    ("s3://bucket/a.jpg", ("a.jpg",), "a.jpg", "at the end of an address"),
    ("https://host/a%20b.jpg", ("a b.jpg",), "a b.jpg", "at the end of an address, with escapes read"),
    ("/data/upload/1/abc-a.jpg", ("abc-a.jpg",), "abc-a.jpg", "without what stands before it"),
    ("/data/local-files/?d=set/a%20b.jpg", ("set/a b.jpg", "x/b.jpg"), "set/a b.jpg", "at the end of an address"),
    ("a%20b.jpg", ("a b.jpg",), "a b.jpg", "with escapes read"),
    ("a%20b.jpg", ("a b.jpg", "x/a%20b.jpg", "y/b.jpg"), "x/a%20b.jpg", "in a folder"),  # the plainer reading
    (NFC, (NFD,), NFD, "in another Unicode form"),
    (NFD, (NFC,), NFC, "in another Unicode form"),
    ("a.JPG", ("a.jpg",), "a.jpg", "in another case of letters"),
    ("IMG_1.jpg", ("img_1.JPG",), "img_1.JPG", "in another case of letters"),
    ("images/A.JPG", ("a.jpg",), "a.jpg", "without what stands before it, in another case of letters"),
    ("images/a.jpg", ("a.jpg", "A.JPG"), "a.jpg", "without what stands before it"),
    ("A.jpg", ("x/a.jpg", "y/A.jpg"), "y/A.jpg", "in a folder"),
    # both in a folder, and that is all: the folders of all
    ("images/a.jpg", ("export/photos/a.jpg", "export/photos/b.jpg"), "export/photos/a.jpg", "the folder that all"),
    ("images/A.jpg", ("export/photos/a.jpg", "export/labels.json"), "export/photos/a.jpg", "the folder that all"),
    ("https://host/x/a.jpg", ("export/y/a.jpg", "__MACOSX/y/a.jpg"), "export/y/a.jpg", "the folder that all"),
    # two fit
    ("a.jpg", ("x/a.jpg", "y/a.jpg"), None, "both 'x/a.jpg' and 'y/a.jpg' fit"),
    ("a.Jpg", ("a.jpg", "A.jpg"), None, "both 'A.jpg' and 'a.jpg' fit"),
    ("A.JPG", ("a.jpg", "x/A.JPG", "y/b.jpg"), None, "both 'a.jpg' and 'x/A.JPG' fit"),
    # none does
    ("a.jpg", ("b.jpg", "ba.jpg", "a.jpg.txt", "x.y/a.jpg.jpg"), None, "no such"),
    ("train/a.jpg", ("val/a.jpg", "x/b.jpg"), None, "'val/a.jpg' is in another folder than it says"),
    ("https://host/x/a.jpg", ("val/a.jpg", "x/b.jpg"), None, "'val/a.jpg' is in another folder than it says"),
    ("strain/a.jpg", ("train/a.jpg", "x/b.jpg"), None, "no such"),  # the end, but not at a folder
    ("a.png", ("a.jpg",), None, "no such"),
    ("a.jpg/..", ("a.jpg",), None, "expected a relative path"),
    ("https://host/", ("a.jpg",), None, "expected a relative path"),
    ("", ("a.jpg",), None, "expected a relative path"),
    ("%00%ff%.jpg", ("a.jpg",), None, "no such"),
    ("%a://b/a.jpg", ("a.jpg", "x/b.jpg"), "a.jpg", "without what stands before it"),  # no address, but looks like one
    ("x/.hidden.jpg", ("y/b.jpg", ".hidden.jpg"), None, "no such"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "there", "meant", "says"), TABLE)
def test_what_a_name_means(name, there, meant, says, source_of):
    source = source_of(*there)
    found = find_names([name], source)
    if meant is not None:
        assert source.read(found.own[name]).decode() == meant
        (note,) = found.notes
        assert "1 file name is not quite the photographs' own" in note
        assert says in note
    else:
        assert found.own == {}
        assert says in (found.refused | found.absent)[name]


# file names, what is there, which of the names mean none of it
MOVED = [
    (("s/a/1.jpg", "s/b/1.jpg"), ("x/t/a/1.jpg", "x/t/b/1.jpg"), set()),
    (("s/a/1.jpg", "s/b/1.jpg"), ("x/t/a/1.jpg", "x/t/c/1.jpg"), {"s/b/1.jpg"}),  # below, the folders say which
    (("s/1.jpg", "s/2.jpg"), ("x/s/2.jpg", "x/t/1.jpg"), {"s/1.jpg"}),  # one is found as it is: they do so here too
    (("a/1.jpg", "b/2.jpg"), ("x/t/1.jpg", "x/t/2.jpg"), {"a/1.jpg", "b/2.jpg"}),
    (("s/1.jpg", "s/2.jpg"), ("x/t/1.jpg", "x/t/1.JPG", "x/t/2.jpg"), {"s/1.jpg"}),
]


@pytest.mark.parametrize(("names", "there", "none"), MOVED)
def test_folders_are_exchanged_for_all_or_for_none(names, there, none, source_of):
    source = source_of(*there)
    found = find_names(names, source)
    assert set(found.absent | found.refused) == none
    assert len(found.own) + len(source.find(names)) == len(names) - len(none)


def test_exact_names_are_left_alone_and_nothing_is_walked_for_them(tmp_path):
    class NotWalked(LocalFiles):
        def walk_names(self, folder, *, follow_links=False):
            raise AssertionError

    names = ["a.jpg", "x/b.jpg", "./c.jpg"]
    found = find_names(names, open_images(write_folder(tmp_path, ["a.jpg", "x/b.jpg", "c.jpg"]), NotWalked()))
    assert (found.own, found.refused, found.absent, found.notes) == ({}, {}, {}, ())


@pytest.mark.parametrize(
    ("names", "there", "refused"),
    [
        (("a/1.jpg", "b/1.jpg"), ("1.jpg",), ("a/1.jpg", "b/1.jpg")),
        (("1.jpg", "b/1.jpg"), ("1.jpg",), ("b/1.jpg",)),
        (("b/1.jpg", "./1.jpg"), ("1.jpg",), ("b/1.jpg",)),
        (("1.JPG", "1.jpg", "2.jpg"), ("1.jpg", "2.jpg"), ("1.JPG",)),
        (("https://a/1.jpg", "https://b/1.jpg", "s3://c/d/1.jpg"), ("1.jpg",),
         ("https://a/1.jpg", "https://b/1.jpg", "s3://c/d/1.jpg")),
    ],
)  # fmt: skip
def test_two_names_never_get_one_photograph(names, there, refused, tmp_path):
    found = find_names(names, open_images(write_folder(tmp_path, there), LocalFiles()))
    assert found.own == {}
    assert set(found.refused) == set(refused)
    assert all("'1.jpg' fits, but fits" in why for why in found.refused.values())
    assert (
        f"{len(refused)} file name{'s' if len(refused) > 1 else ''} could mean several photographs" in found.notes[-1]
    )


@pytest.mark.parametrize(
    "bad", ["c:1.jpg", "../2.jpg", "/1.jpg", "x\0.jpg", "a\\b.jpg", "x/../2.jpg", "gs://2.jpg", ""]
)
def test_a_bad_name_costs_no_other(bad, tmp_path):
    source = open_images(write_folder(tmp_path, ["1.jpg", "x/1.jpg"]), AnyFiles())
    names = [bad, "1.jpg", "x/1.jpg", "./1.jpg", "././/1.jpg", "../images/1.jpg"]
    found = {"1.jpg": "1.jpg", "x/1.jpg": "x/1.jpg", "./1.jpg": "1.jpg", "././/1.jpg": "1.jpg"}
    assert source.find(names) == found
    assert all(source.read(name) == source.read(own) for name, own in found.items())


def test_a_name_listed_twice_is_one_name(tmp_path):
    source = open_images(write_folder(tmp_path, ["1.jpg"]), LocalFiles())
    assert find_names(["a/1.jpg", "a/1.jpg"], source).own == {"a/1.jpg": "1.jpg"}


def test_all_that_was_guessed_is_counted_by_kind(tmp_path):
    source = open_images(write_folder(tmp_path, ["1.jpg", "2.jpg", "3.JPG"]), LocalFiles())
    found = find_names(["x/1.jpg", "x/2.jpg", "x/3.jpg", "4.jpg"], source)
    (note,) = found.notes
    assert note == (
        "3 file names are not quite the photographs' own. Found: 2 without what stands before it ('x/1.jpg' is "
        "'1.jpg'); 1 without what stands before it, in another case of letters ('x/3.jpg' is '3.JPG')"
    )
    assert set(found.absent) == {"4.jpg"}


def test_of_many_ways_the_most_frequent_are_told(tmp_path):
    names = ["x/1.jpg", "y/2.jpg", "3.JPG", "%34.jpg", "s3://x/5.jpg", "s3://x/6.JPG", f"7{NFC}"]
    there = ["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg", f"7{NFD}"]
    (note,) = find_names(names, open_images(write_folder(tmp_path, there), LocalFiles())).notes
    assert note.startswith("7 file names are not quite the photographs' own. Found: 2 without what stands before it (")
    assert note.endswith("; 2 in other ways")


def test_entries_are_renamed(tmp_path):
    found = find_names(["x/1.jpg"], open_images(write_folder(tmp_path, ["1.jpg"]), LocalFiles()))
    images = {7: ImageInfo(7, "x/1.jpg", 3, 4), 8: ImageInfo(8, "2.jpg", 3, 4)}
    assert found.rename(images) == {7: ImageInfo(7, "1.jpg", 3, 4), 8: images[8]}


def test_what_could_be_no_file_name_is_never_taken(tmp_path):
    """An archive's names may be anything; one that is read by them must be a name that may be asked for."""
    names = ["x/../a.jpg", "/x/b.jpg", "c:/c.jpg", "__MACOSX/d.jpg", ".x/e.jpg", "x/" * 2500 + "f.jpg"]
    source = open_images(write_zip(tmp_path, [*names, "y/z.jpg"]), LocalFiles())
    assert find_names([f"{letter}.jpg" for letter in "abcdef"], source).own == {}


def test_too_many_files_to_look_through(tmp_path, monkeypatch):
    monkeypatch.setattr(file_names, "MOST_NAMES", 2)
    source = open_images(write_folder(tmp_path, ["x/1.jpg", "2.jpg", "3.jpg"]), LocalFiles())
    found = find_names(["1.jpg"], source)
    assert (found.own, set(found.absent)) == ({}, {"1.jpg"})
    assert found.notes == ("over 2 files among the photographs: none was looked for under another name",)


def test_of_more_than_are_compared_none_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(file_names, "_MOST_FITS", 3)
    source = open_images(write_folder(tmp_path, ["x/a.jpg", "y/a.JPG", "z/A.jpg"]), LocalFiles())
    assert set(find_names(["a.jpg"], source).refused) == {"a.jpg"}
    monkeypatch.setattr(file_names, "_MOST_FITS", 4)
    assert find_names(["a.jpg"], source).own == {"a.jpg": "x/a.jpg"}


def test_names_without_measure_cost_little(tmp_path):
    """Deep, alike, and many: neither time nor memory grows with the square of anything."""
    there = [f"{n}/image.jpg" for n in range(3000)]
    source = open_images(write_zip(tmp_path, there), LocalFiles())
    names = [f"data/{n}/image.jpg" for n in range(3000)] + ["a/" * 2000 + f"{n}.jpg" for n in range(300)]
    began = time.process_time()
    found = find_names(names, source)
    assert time.process_time() - began < 5
    assert len(found.own) == 3000
    assert len(found.absent) == 300


# By the names of a file


def test_photographs_are_read_by_the_names_of_a_file(tmp_path):
    source = open_images(write_folder(tmp_path, ["a.jpg", "x/b.jpg", "y/b.jpg"]), LocalFiles())
    images = NamedImages(source, ["a.jpg", "train/a.jpg", "b.jpg", "A.png"])
    assert images.read("a.jpg") == b"a.jpg"
    assert images.notes == ()
    with pytest.raises(ImageError, match=r"'a\.jpg' fits, but fits 'a\.jpg' too"):
        images.read("train/a.jpg")
    with pytest.raises(ImageError, match=r"both 'x/b\.jpg' and 'y/b\.jpg' fit"):
        images.read("b.jpg")
    with pytest.raises(ImageError, match="no such file in the image folder"):
        images.read("A.png")
    images = NamedImages(source, ["train/a.jpg"])
    assert images.read("train/a.jpg") == b"a.jpg"
    assert "'train/a.jpg' is 'a.jpg'" in images.notes[0]


def test_refused_names_have_no_digest(tmp_path):
    source = open_images(write_folder(tmp_path, ["a.jpg", "b.jpg"]), LocalFiles())
    images = Refusing(source, {"a.jpg": "why"})
    with pytest.raises(ImageError, match="why"):
        images.read("a.jpg")
    assert images.digest("a.jpg") is None
    assert (images.read("b.jpg"), images.digest("b.jpg")) == (b"b.jpg", source.digest("b.jpg"))


def test_a_folder_in_many_spellings_is_not_held_many_times(tmp_path):
    path = write_folder(tmp_path, [f"{n}.jpg" for n in range(2000)])
    names = ["./" * n + "7.jpg" for n in range(300)]
    tracemalloc.start()
    try:
        found = open_images(path, LocalFiles()).find(names)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000  # one listing is 0.3 MB
    finally:
        tracemalloc.stop()
    assert set(found.values()) == {"7.jpg"}
    assert len(found) == 300


def test_many_names_that_all_fit_many_photographs_take_little_memory(tmp_path):
    spellings = ["".join(c.upper() if k >> n & 1 else c for n, c in enumerate("abcdefghijkl")) for k in range(4096)]
    source = open_images(write_zip(tmp_path, [f"x/{name}.jpg" for name in spellings[:60]]), LocalFiles())
    names = [f"{name}.jpg" for name in spellings[60:]]
    tracemalloc.start()
    try:
        found = find_names(names, source)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000  # 60 MB where every fit is kept
    finally:
        tracemalloc.stop()
    assert (len(found.refused), found.own, found.absent) == (4036, {}, {})
    # Own names leave away the one folder that all share.
    assert found.refused[names[0]] == f"{names[0]!r}: both 'ABCDEfghijkl.jpg' and 'ABCDeFghijkl.jpg' fit"
