"""A build takes photographs as their stated size says, or as it is told; what it did is counted, kept and told."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from PIL import Image

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.builder.fingerprint import fingerprint_parts
from cocoprep.errors import BuildError, ConfigError, OutputError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.names import SHARD_FILE
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder, keypoints, write_coco

SIZE = (80, 60)
UPRIGHT = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}
SMALL = {"crop": CropConfig(input_size=(32, 32)), "select": SelectConfig(shards=2)}


def photograph(number, size=SIZE):
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8))


def write(folder, orientations, *, upright=False):
    """Write photographs that lie so, stated as upright: with their tags, or with their pixels turned.

    They are PNGs, whatever their names say, so that turned pixels are the same pixels.
    """
    pictures = {n: photograph(n) for n in range(1, len(orientations) + 1)}
    turned = {n: picture.transpose(UPRIGHT[o]) if o in UPRIGHT else picture
              for (n, picture), o in zip(pictures.items(), orientations, strict=True)}  # fmt: skip
    people = [
        {"id": n + 10, "image_id": n, "bbox": [5, 5, 40, 50], "keypoints": keypoints(nose=(20, 20, 2))}
        for n in pictures
    ]
    annotations, images = write_coco(folder, turned, people)
    for (n, picture), orientation in zip(pictures.items(), orientations, strict=True):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = images / f"{n:012d}.jpg"
        if upright:
            turned[n].save(path, "PNG")
        else:
            picture.save(path, "PNG", exif=exif)
    return {"annotations": annotations, "images": images}


def shards(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if SHARD_FILE.fullmatch(p.name) and p.suffix != ".json"}


def sidecars(folder):
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.tfrecord-*.json"))]


@pytest.mark.parametrize("rule", ["auto", "upright"])
def test_photographs_on_their_side_are_as_good_as_upright_ones(rule, tmp_path):
    orientations = [1, 6, 8, 6]
    found = build_folder(tmp_path / "found", **write(tmp_path / "a", orientations), exif=rule, **SMALL)
    build_folder(tmp_path / "expected", **write(tmp_path / "b", orientations, upright=True), **SMALL)
    assert shards(tmp_path / "found") == shards(tmp_path / "expected")
    (note,) = found.notes
    assert note.startswith("3 photographs are turned upright by their EXIF orientation: ")
    assert verify_folder(str(tmp_path / "found"), LocalFiles()).problems == []


def test_a_photograph_upside_down_is_taken_as_stored_with_a_warning(tmp_path):
    made = write(tmp_path / "a", [3, 1, 3])
    manifest = build_folder(tmp_path / "auto", **made, **SMALL)
    (warning,) = manifest.notes
    assert warning.startswith("warning: 2 photographs have an EXIF orientation, such as '00000000000")
    stored = build_folder(tmp_path / "stored", **made, exif="stored", **SMALL)
    assert (stored.notes, stored.exif, manifest.exif) == ((), "stored", "auto")
    assert shards(tmp_path / "auto") == shards(tmp_path / "stored")
    build_folder(tmp_path / "upright", **made, exif="upright", **SMALL)
    build_folder(tmp_path / "expected", **write(tmp_path / "b", [3, 1, 3], upright=True), **SMALL)
    assert shards(tmp_path / "upright") == shards(tmp_path / "expected") != shards(tmp_path / "auto")


def test_what_was_counted_is_there_when_shards_are_kept(tmp_path):
    made = write(tmp_path / "a", [3, 6, 1, 3, 8])
    first = build_folder(tmp_path / "out", **made, **SMALL)
    assert len(first.notes) == 2
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.tfrecord-*")}
    assert build_folder(tmp_path / "out", **made, **SMALL) == first
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.tfrecord-*")} == before


def test_a_size_that_the_rule_does_not_give_is_a_fault_that_says_so(tmp_path):
    made = write(tmp_path / "a", [6])
    with pytest.raises(BuildError, match=r"80 x 60 pixels as stored, 60 x 80 upright by its EXIF .* --exif auto as it"):
        build_folder(tmp_path / "out", **made, exif="stored", **SMALL)


def test_ordinary_photographs_leave_no_trace(tmp_path):
    manifest = build_folder(tmp_path / "out", **write(tmp_path / "a", [1, 1]), **SMALL)
    assert manifest.notes == ()
    assert not any("exif" in sidecar for sidecar in sidecars(tmp_path / "out"))
    assert "exif" not in json.loads((tmp_path / "out" / "build.json").read_bytes())
    # A manifest of before has none.
    document = msgspec.to_builtins(manifest, str_keys=True)
    del document["exif"], document["counts"]["joints"], document["counts"]["joints_outside_crop"]
    assert msgspec.convert(document, Manifest).exif == "auto"


def test_the_rule_is_a_setting_of_the_build(tmp_path):
    made = write(tmp_path / "a", [3])
    paths = {name: str(path) for name, path in made.items()}
    configs = [BuildConfig(split="a", out="o", exif=rule, **paths) for rule in ("auto", "stored", "upright")]
    parts = [fingerprint_parts(config, 2, COCO_17) for config in configs]
    assert [part.get("exif") for part in parts] == [None, "stored", "upright"]
    with pytest.raises(ConfigError, match="--exif: expected one of auto, stored, upright, found 'sideways'"):
        BuildConfig(split="a", out="o", exif="sideways", **paths)
    build_folder(tmp_path / "out", **made, **SMALL)
    with pytest.raises(OutputError, match="exif was auto, is now upright"):
        build_folder(tmp_path / "out", **made, exif="upright", **SMALL)
    build_folder(tmp_path / "out", **made, exif="upright", force=True, **SMALL)
    assert open_dataset(str(tmp_path / "out")).manifest.exif == "upright"
