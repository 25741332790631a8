"""The page of a data set: what it holds, what lies beside it, and that strangers' texts stay texts."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path

import pytest
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.draw.dropped import MEANINGS
from cocoprep.inspection.check.check import CheckedLabels
from cocoprep.inspection.check.suspect import Suspect, SuspectKind
from cocoprep.inspection.fates import REASONS
from cocoprep.inspection.photographs import open_photographs
from cocoprep.inspection.read_data_set import read_data_set
from cocoprep.inspection.statistics import measure
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.report.data_set import write_data_page
from cocoprep.report.engine import source_of
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder, keypoints, write_coco
from tests.support.html_page import Page
from tests.support.people import build_people, write_people

FILES = LocalFiles()
CROP = CropConfig(input_size=(64, 48))
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m"


def odd(kind, number, joints, score, why, *, place=0, other=None):
    """Return a label that looks wrong, as `cocoprep check` finds it."""
    return Suspect(SuspectKind(kind), number, str(number), place, "a.jpg", joints, score, why, other)


def checked(*suspects, people=20, notes=()):
    return CheckedLabels(suspects, people, notes)


def write(path: Path, data: Path, *, images: Path | None = None, **options):
    """Write the page of a file or folder; return it, and the data of its gallery."""
    data_set = read_data_set(str(data), options.pop("name", "some"), FILES)
    photographs = None if images is None else open_photographs(data_set, {"": str(images)}, FILES)
    options.setdefault("provenance", {"data": str(data)})
    faults = write_data_page(
        str(path), data_set, measure(data_set, CROP), [[("people", "30"), ("  kept", "20")]], FILES,
        photographs=photographs, **options,
    )  # fmt: skip
    return Page(without_data(path.read_text())), data_of(path), faults


def data_of(path: Path):
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(), re.DOTALL)
    return json.loads(found)


def without_data(source: str) -> str:
    """Return a page without what its scripts hold, which `Page` would take for text."""
    return re.sub(r"(<script[^>]*>).*?(</script>)", r"\1\2", source, flags=re.DOTALL)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A page of a built folder with its photographs: 10 of 3 people, the first of each without labels."""
    root = tmp_path_factory.mktemp("built")
    folder = build_people(root)
    found = checked(
        odd("limb", 102, (5, 7), 0.9, "<b>too long</b>", place=1, other=103), odd("box", 101, (), 0.7, "small")
    )
    page, data, faults = write(root / "page.html", folder, images=root / "coco/train2017", checked=found)
    assert faults == []
    return root, page, data


def test_every_entry_has_its_place_its_fate_and_its_pictures(built):
    root, _, data = built
    people = {one["id"]: one for one in data["people"]}
    assert sorted(people) == list(range(101, 131))
    for number, one in people.items():
        with Image.open(root / one["crop"]) as picture:
            assert picture.size == (48, 64)
        labelled = len(one.get("points", []))
        assert (labelled == 0) == (one.get("reason") == "zero_keypoints") == (number % 3 == 101 % 3)
        assert ("maps" in one) == (labelled > 0) == ("shard" in one)
        if labelled:
            with Image.open(root / one["maps"]) as strip:
                assert (strip.size, strip.mode) == ((12 * labelled, 16), "L")
                _, x, y, _ = one["points"][0]
                if 2 < x < 46 and 2 < y < 62:
                    assert strip.getpixel((int(x / 4), int(y / 4))) > 180
    assert data["size"] == [48, 64]
    assert data["map"] == [12, 16]
    assert data["joints"][5] == "left shoulder"
    assert data["command"] == f"cocoprep show {root / 'out'}"


def test_reasons_are_counted_explained_and_shown(built):
    _, page, data = built
    assert MEANINGS["zero_keypoints"].format(one="person") in page.texts
    assert {"66.7%", "33.3%"} <= set(page.texts)
    keys = {one["key"] for one in data["people"]}
    linked = {link[1:] for link in page.links} & keys
    assert 8 < len(linked) <= 18  # 8 of each fate, and suspects


def test_every_reason_has_a_meaning():
    assert set(MEANINGS) == set(REASONS) - {""}


def test_suspects_are_listed_drawn_and_linked(built):
    root, page, data = built
    assert "2 of 20 labelled people look wrong" in re.sub(r"\s+", " ", page.text)
    assert "<b>too long</b>" in page.texts
    assert "left shoulder, left elbow" in page.text
    assert "#suspected:limb" in page.links
    assert [(one["kind"], one["other"]) for one in data["suspects"]] == [("limb", 103), ("box", None)]
    for one in data["suspects"]:
        assert one["picture"] in page.addresses
        with Image.open(root / one["picture"]) as picture:
            assert picture.size == (320, 320)
    marked = {one["id"]: one["suspects"] for one in data["people"] if "suspects" in one}
    assert marked == {102: [0], 101: [1]}


def test_nothing_runs_but_our_script_and_nothing_is_loaded_from_elsewhere(built):
    root, page, _ = built
    source = (root / "page.html").read_text()
    digest = b64encode(hashlib.sha256(source_of("gallery.js").encode()).digest()).decode()
    assert f"<script>{source_of('gallery.js')}</script>" in source
    assert (
        f"default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; script-src &#39;sha256-{digest}"
        in (source.replace("script-src '", "script-src &#39;"))
    )
    assert source.count("<script") == 2
    assert not {"link", "iframe", "object"} & set(page.tags)
    addresses = [address for address in page.addresses if not address.startswith("#")]
    assert addresses
    assert all(re.fullmatch(r"page-pictures/[\w./-]+", address) and ".." not in address for address in addresses)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", source)


def test_the_same_data_give_the_same_page_and_old_pictures_go(built, tmp_path):
    root, _, _ = built
    (tmp_path / "page-pictures/0").mkdir(parents=True)
    for name in ("row999.jpg", "a7-maps.jpg", "mine.jpg"):
        (tmp_path / "page-pictures/0" / name).touch()
    # What a write whose process was killed has left: of no process that there is.
    left = [f"{place}.9999999-0123abcd.tmp" for place in (
        ".page.html", "page-pictures/.places.png", "page-pictures/0/.a7.jpg"
    )]  # fmt: skip
    for place in left:
        (tmp_path / place).touch()
    found = checked(
        odd("limb", 102, (5, 7), 0.9, "<b>too long</b>", place=1, other=103), odd("box", 101, (), 0.7, "small")
    )
    write(tmp_path / "page.html", root / "out", images=root / "coco/train2017", checked=found)
    assert (tmp_path / "page.html").read_bytes() == (root / "page.html").read_bytes()
    assert not [place for place in left if (tmp_path / place).exists()]
    names = {path.name for path in (tmp_path / "page-pictures/0").iterdir()}
    assert names == {path.name for path in (root / "page-pictures/0").iterdir()} | {"mine.jpg"}


def test_a_file_alone_has_a_gallery_of_joints_without_pictures(tmp_path):
    path, _ = write_people(tmp_path / "coco")
    page, data, _ = write(tmp_path / "page.html", path)
    assert not any("crop" in one or "maps" in one for one in data["people"])
    assert data["command"] == ""
    one = data["people"][1]
    assert len(one["points"]) > 0
    assert len(one["box"]) == 4
    assert "What a build would keep and drop" in page.texts
    assert "no picture" in page.texts


def test_a_file_with_photographs_is_cropped_as_a_build_would(tmp_path, built):
    root, _, by_build = built
    path, images = write_people(tmp_path / "coco")
    page, data, _ = write(tmp_path / "page.html", path, images=images)
    assert "What a build would keep and drop" in page.texts
    wanted = {one["id"]: one for one in by_build["people"]}
    for one in data["people"]:
        assert one.get("points") == wanted[one["id"]].get("points")
        assert one["box"] == wanted[one["id"]]["box"]
        if "maps" in one:
            with Image.open(tmp_path / one["maps"]) as ours, Image.open(root / wanted[one["id"]]["maps"]) as theirs:
                assert ours.tobytes() == theirs.tobytes()


def test_of_more_than_asked_for_some_are_shown_and_that_is_said(tmp_path):
    path, _ = write_people(tmp_path / "coco", images=40)
    page, data, _ = write(
        tmp_path / "page.html", path, people=50, checked=checked(odd("box", 219, (), 0.9, "x", place=118))
    )
    assert len(data["people"]) == 50
    assert 219 in {one["id"] for one in data["people"]}
    assert "50 of 120 entries are here" in re.sub(r"\s+", " ", page.text)


def test_checked_labels_without_a_fault_are_said_to_be(tmp_path):
    path, _ = write_people(tmp_path / "coco")
    page, data, _ = write(tmp_path / "page.html", path, checked=checked(notes=("few people",)))
    assert "Of 20 labelled people, nobody looks wrong" in page.text
    assert "few people" in page.texts
    assert data["suspects"] == []
    assert "look wrong" not in write(tmp_path / "page.html", path)[0].text


def test_of_more_suspects_than_there_are_places_the_surest_are_there(tmp_path):
    path, _ = write_people(tmp_path / "coco")
    found = checked(*(odd("limb", number, (0,), 0.9, "x", place=number - 101) for number in (128, 102, 120, 105)))
    page, data, _ = write(tmp_path / "page.html", path, people=2, checked=found)
    assert {one["id"] for one in data["people"]} == {128, 102}
    assert [bool(one["picture"]) for one in data["suspects"]] == [True, True, False, False]
    assert "joints alone" in page.text
    assert "The 2 surest of 4 suspicions" in page.text


def test_strangers_texts_stay_texts(tmp_path):
    nose = keypoints(nose=(10, 10, 2))
    listed = [{"id": 1, "image_id": 1, "keypoints": nose}, {"id": 2, "image_id": 1, "bbox": "odd", "keypoints": nose}]
    path, images = write_coco(tmp_path / "coco", {1: Image.new("RGB", (96, 80))}, listed)
    document = json.loads(path.read_text())
    document["images"][0]["file_name"] = HOSTILE
    path.write_text(json.dumps(document))
    found = checked(odd("pose", 1, (0,), 0.9, HOSTILE), notes=(HOSTILE,))
    page, data, faults = write(
        tmp_path / "page.html", path, images=images, checked=found, name=HOSTILE, provenance={HOSTILE: HOSTILE}
    )
    assert len(faults) == 1  # there is no such photograph
    source = (tmp_path / "page.html").read_text()
    assert source.count("<script") == source.count("</script>") == 2
    assert "\x1b" not in source
    shown = HOSTILE.replace("\x1b", r"\x1b")
    assert data["people"][0]["file"] == data["suspects"][0]["why"] == shown
    assert page.texts.count(shown) >= 3


def test_a_folder_with_entries_of_every_kind(tmp_path):
    nose = keypoints(nose=(10, 10, 2))
    entries = [
        {"id": 1, "image_id": 1, "keypoints": nose},
        {"id": 2, "image_id": 1, "keypoints": nose, "bbox": [500, 500, 20, 20]},
        {"id": 3, "image_id": 1, "keypoints": nose, "category_id": 5},
        {"image_id": 1, "keypoints": "none", "id": None},
        {"id": 1, "image_id": 1, "keypoints": nose},
    ]
    path, images = write_coco(tmp_path / "coco", {1: Image.new("RGB", (96, 80))}, entries)
    build_folder(
        tmp_path / "out", annotations=path, images=images, crop=CROP, select=SelectConfig(max_bad_fraction=1.0)
    )
    page, data, _ = write(tmp_path / "page.html", tmp_path / "out", images=images)
    assert [one["key"] for one in data["people"]] == [f"row{n}" for n in range(5)]
    assert [one.get("reason") for one in data["people"]] == [None, "box", "category", "malformed", "duplicate"]
    whole = data["people"][1]
    assert whole["size"] == [64, 53]  # all of the photograph, since no crop can be made
    assert "id" not in data["people"][3]
    assert data["people"][3]["detail"]
    assert "row 3" in page.text
    assert len(COCO_17.names) == len(data["joints"])
