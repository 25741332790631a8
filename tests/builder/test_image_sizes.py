"""Sizes that the annotation file does not state are read from headers, and from no more than these."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.builder.image_sizes import SizeReader
from cocoprep.builder.start import judge_build, start_build
from cocoprep.coco.annotations import ImageInfo
from cocoprep.crops.header_size import HEADER_BYTES
from cocoprep.crops.photographs import open_images
from cocoprep.errors import BuildError, ConfigError, ImageError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder, write_shard
from tests.support.people import write_people

SMALL = {"crop": CropConfig(input_size=(32, 32)), "select": SelectConfig(shards=2, max_bad_fraction=1)}


def change_images(annotations, change):
    document = json.loads(annotations.read_bytes())
    document["images"] = [change(image) for image in document["images"]]
    annotations.write_text(json.dumps(document))


def unsized(image):
    return {name: value for name, value in image.items() if name not in ("width", "height")}


def content(folder):
    names = [*folder.glob("*.tfrecord-*-of-*"), folder / GROUND_TRUTH]
    return {path.name: path.read_bytes() for path in names}


def test_without_sizes_the_same_is_built(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=6)
    stated = build_folder(tmp_path / "stated", annotations=annotations, images=images, **SMALL)
    change_images(annotations, lambda i: {**i, "width": None, "height": 0} if i["id"] % 2 else unsized(i))
    manifest = build_folder(tmp_path / "read", annotations=annotations, images=images, **SMALL)
    assert content(tmp_path / "read") == content(tmp_path / "stated")
    assert manifest.notes == ("6 photographs state no size: that of the picture is taken",)
    assert manifest.counts == stated.counts


def test_a_photograph_that_cannot_be_read_costs_its_own_people(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=6)
    change_images(annotations, unsized)
    (images / "000000000002.jpg").unlink()
    (images / "000000000003.jpg").write_bytes(b"no picture")
    whole = (images / "000000000004.jpg").read_bytes()
    (images / "000000000004.jpg").write_bytes(whole[: len(whole) // 2])  # its header is sound
    config = BuildConfig(
        split="train2017", annotations=str(annotations), images=str(images), out=str(tmp_path / "out"), **SMALL
    )
    note = "6 photographs state no size: that of the picture is taken; 2 of them cannot be read, so their people will"
    assert any(one.startswith(note) for one in judge_build(config, LocalFiles()).notes)  # also without a build
    manifest = build_folder(tmp_path / "out", annotations=annotations, images=images, **SMALL)
    assert any(one.startswith(note) for one in manifest.notes)
    assert (manifest.counts.people, manifest.counts.dropped["image"]) == (6, 6)
    rows = pq.read_table(tmp_path / "out" / "ledger.parquet").to_pylist()
    told = {row["image_id"]: row["detail"] for row in rows if row["reason"] == "image"}
    assert [told[n].partition(": ")[2][:14] for n in (2, 3, 4)] == [
        "no such file i",
        "expected a JPE",
        "damaged (Corru",
    ]
    listed = {i["id"]: i for i in json.loads((tmp_path / "out" / GROUND_TRUTH).read_bytes())["images"]}
    assert [("width" in listed[n], "height" in listed[n]) for n in (1, 2, 3, 4)] == [(1, 1), (0, 0), (0, 0), (1, 1)]


def test_a_photograph_that_is_there_only_later_is_no_fault_of_the_build(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=3)
    change_images(annotations, unsized)
    late, aside = images / "000000000002.jpg", tmp_path / "late.jpg"
    late.rename(aside)
    config = BuildConfig(
        split="train2017", annotations=str(annotations), images=str(images), out=str(tmp_path / "out"), **SMALL
    )
    _, packed = start_build(config, LocalFiles())
    aside.rename(late)
    for index in range(2):
        write_shard(config, index, packed, LocalFiles())
    faults = [
        fault
        for path in (tmp_path / "out").glob("*.tfrecord-*.json")
        for fault in json.loads(path.read_bytes())["faults"]
    ]
    assert [fault["image_id"] for fault in faults] == [2]
    assert "It can be read now: run the same command again" in faults[0]["detail"]
    again = build_folder(tmp_path / "out", annotations=annotations, images=images, **SMALL)
    assert again.counts.dropped["image"] == 0


def test_photographs_that_are_not_there_at_all(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=2)
    change_images(annotations, unsized)
    with pytest.raises(
        ConfigError, match=r"--images: expected a folder, a .zip or a .tar of photographs, found nothing"
    ):
        build_folder(tmp_path / "out", annotations=annotations, images=tmp_path / "none", **SMALL)
    for path in images.iterdir():
        path.unlink()
    with pytest.raises(ConfigError, match="none of 2 photographs can be read"):
        build_folder(tmp_path / "out", annotations=annotations, images=images, **SMALL)


def test_the_error_that_nobody_is_kept_says_what_looks_wrong(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=2)
    document = json.loads(annotations.read_bytes())
    for one in document["annotations"]:
        one["bbox"] = [number / 96 for number in one["bbox"]]
        one["keypoints"] = [n if k % 3 == 2 else n / 96 for k, n in enumerate(one["keypoints"])]
    annotations.write_text(json.dumps(document))
    with pytest.raises(BuildError, match=r"4 box.* But the joints of 4 of 4 annotations lie within 0 and 1"):
        build_folder(tmp_path / "out", annotations=annotations, images=images, **SMALL)


class Counting:
    """A source of one photograph that counts the bytes that are asked for."""

    def __init__(self, data):
        self.data, self.read_bytes = data, 0

    def read(self, file_name):
        self.read_bytes += len(self.data)
        return self.data

    def read_start(self, file_name, size):
        start = self.data[:size]
        self.read_bytes += len(start)
        return start


def noise(kind, size=(400, 300), **options):
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


LONG_EXIF = b"Exif\0\0" + bytes(60_000)


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (noise("JPEG", quality=98), 1),
        (noise("JPEG", quality=98, icc_profile=bytes(3 * HEADER_BYTES)), 2),  # its header is longer than looked for
        (noise("PNG"), 1),
        (noise("BMP"), 1),
        (noise("WEBP", lossless=True), 2),  # Pillow reads all of it
        (noise("JPEG", (40, 30)), 1),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_more_is_read_than_a_header_takes(data, parts):
    source = Counting(data)
    reader = SizeReader(lambda: source, "auto")
    found = reader.read([ImageInfo(3, "a.jpg", 0, 0)])
    with Image.open(io.BytesIO(data)) as picture:
        assert (found[3].width, found[3].height) == picture.size
    start = min(HEADER_BYTES, len(data))
    assert source.read_bytes == (start if parts == 1 else start + len(data))


def test_photographs_are_not_opened_where_all_sizes_are_stated():
    reader = SizeReader(lambda: pytest.fail("opened"), "auto")
    assert reader.read([]) == {}
    assert reader.notes == ()


@pytest.mark.parametrize(
    ("rule", "size", "warned"),
    [("auto", (400, 300), True), ("stored", (400, 300), False), ("upright", (300, 400), False)],
)
def test_a_photograph_on_its_side(rule, size, warned):
    exif = Image.Exif()
    exif[0x0112] = 6
    reader = SizeReader(lambda: Counting(noise("JPEG", exif=exif)), rule)
    found = reader.read([ImageInfo(n, "a.jpg", 0, 0) for n in (9, 4)])
    assert {(image.width, image.height) for image in found.values()} == {size}
    assert list(found) == [4, 9]
    assert [
        note.startswith("warning: 2 of those, such as 'a.jpg', lie on their side") for note in reader.notes[1:]
    ] == ([True] if warned else [])


def test_the_start_of_a_photograph_in_a_folder_and_a_zip(tmp_path):
    import zipfile

    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "a.jpg").write_bytes(data := noise("JPEG"))
    with zipfile.ZipFile(tmp_path / "photographs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "photographs" / "a.jpg", "a.jpg")
    for name in ("photographs", "photographs.zip"):
        source = open_images(str(tmp_path / name), LocalFiles())
        for size in (0, 10, len(data), len(data) + 10):
            assert source.read_start("a.jpg", size) == data[:size]
        with pytest.raises(ImageError, match="no such"):
            source.read_start("b.jpg", 10)
        with pytest.raises(ImageError, match="expected a relative path"):
            source.read_start("../a.jpg", 10)
