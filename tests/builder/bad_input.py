"""Input that an annotator's script gets wrong, or that an attacker makes: annotations and files by kind of fault."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import struct
import zlib

import numpy as np
from PIL import Image

from cocoprep.coco.ids import image_number
from cocoprep.pose.tables import COCO_17

WIDTH, HEIGHT = 64, 48
LABELLED = [10, 10, 2, 50, 10, 1, 30, 40, 2]
KEYPOINTS = LABELLED + [0] * (3 * len(COCO_17) - len(LABELLED))
CATEGORY = {"id": 1, "name": "person", "keypoints": list(COCO_17.names), "skeleton": COCO_17.skeleton}


def image_entry(image_id, **changes):
    """Return an entry of `images`; a field changed to `...` is left out."""
    entry = {"id": image_id, "file_name": f"{image_id}.jpg", "width": WIDTH, "height": HEIGHT}
    return _changed(entry, changes)


def person_entry(annotation_id, image_id=1, **changes):
    """Return a valid entry of `annotations` with three labelled joints; a field changed to `...` is left out."""
    entry = {
        "id": annotation_id, "image_id": image_id, "category_id": 1, "bbox": [5, 5, 50, 40], "area": 900.5,
        "iscrowd": 0, "num_keypoints": 3, "keypoints": copy.copy(KEYPOINTS), "segmentation": [[5, 5, 55, 5, 55, 45]],
    }  # fmt: skip
    return _changed(entry, changes)


def _changed(entry, changes):
    return {key: value for key, value in {**entry, **changes}.items() if value is not ...}


def coco_bytes(annotations=None, images=None, categories=None):
    """Return a COCO keypoints file. An entry of type bytes goes in as it is, valid JSON or not."""
    parts = {
        "images": [image_entry(1)] if images is None else images,
        "annotations": [person_entry(1)] if annotations is None else annotations,
        "categories": [CATEGORY] if categories is None else categories,
    }
    return b"{%s}" % b", ".join(b'"%s": %s' % (name.encode(), _list(entries)) for name, entries in parts.items())


def _list(entries):
    if not isinstance(entries, list):
        return json.dumps(entries).encode()
    return b"[%s]" % b",\n".join(e if isinstance(e, bytes) else json.dumps(e).encode() for e in entries)


def raw_person(annotation_id, field, text):
    """Return a valid person's JSON with one field's value replaced by any text."""
    return json.dumps(person_entry(annotation_id, **{field: "@"})).replace('"@"', text).encode()


def keypoints_with(place, value):
    """Return the valid person's flat keypoints with one number replaced."""
    return [*KEYPOINTS[:place], value, *KEYPOINTS[place + 1 :]]


# name -> (entry with annotation id 50, the id and image id that the ledger has for it, reason, part of the detail)
BAD_ANNOTATIONS = {
    "not an object": (b"[]", (None, None), "malformed", "Expected `object`, got `array`"),
    "null": (b"null", (None, None), "malformed", "Expected `object`, got `null`"),
    "a number": (b"50", (None, None), "malformed", "Expected `object`, got `int`"),
    "no field at all": ({}, (None, None), "malformed", "category_id null: expected a whole number"),
    "no image_id": (person_entry(50, image_id=...), (50, None), "malformed", "image_id null: no such image"),
    "no category": (person_entry(50, category_id=...), (50, 1), "malformed", "category_id null: expected"),
    "no keypoints": (person_entry(50, keypoints=...), (50, 1), "zero_keypoints", ""),
    "id of 5,000 digits": (raw_person(50, "id", "1" + "0" * 5000), (None, None), "malformed", "Integer"),
    "image_id a name": (person_entry(50, image_id="a"), (50, image_number("a")), "malformed", "image_id a: no such"),
    "image_id unknown": (person_entry(50, image_id=999), (50, 999), "malformed", "image_id 999: no such image"),
    "image_id negative": (person_entry(50, image_id=-1), (50, -1), "malformed", "image_id -1: no such image"),
    "another category": (person_entry(50, category_id=3), (50, 1), "category", ""),
    "bbox of three": (person_entry(50, bbox=[1, 2, 3]), (50, 1), "malformed", "bbox: expected 4 numbers, found 3"),
    "bbox of five": (person_entry(50, bbox=[1, 2, 3, 4, 5]), (50, 1), "malformed", "bbox: expected 4 numbers, found 5"),
    "bbox of strings": (person_entry(50, bbox=["1", "2", "x", "4"]), (50, 1), "malformed", "`$.bbox[0]`"),
    "bbox beyond floats": (raw_person(50, "bbox", "[0, 0, 1e400, 9]"), (50, 1), "malformed", "`$.bbox[2]`"),
    "bbox absurd": (person_entry(50, bbox=[0, 0, 1e300, 1e300]), (50, 1), "malformed", "none above"),
    "bbox absurd of nobody": (
        person_entry(50, bbox=[0, 0, 1.1e6, 1], keypoints=[0] * 51), (50, 1), "malformed", "none above",
    ),
    "area negative": (person_entry(50, area=-1), (50, 1), "malformed", "area -1.0: expected"),
    "area absurd": (person_entry(50, area=1e300), (50, 1), "malformed", "area 1e+300: expected"),
    "area a string": (person_entry(50, area="big"), (50, 1), "malformed", "`$.area`"),
    "area of 400 digits": (raw_person(50, "area", "1" + "0" * 400), (50, 1), "malformed", "`$.area`"),
    "iscrowd 2": (person_entry(50, iscrowd=2), (50, 1), "malformed", "iscrowd 2: expected 0 or 1"),
    "keypoints null": (person_entry(50, keypoints=None), (50, 1), "zero_keypoints", ""),
    "keypoints empty": (person_entry(50, keypoints=[]), (50, 1), "zero_keypoints", ""),
    "keypoints one short": (person_entry(50, keypoints=KEYPOINTS[:-1]), (50, 1), "malformed", "found 50"),
    "keypoints of 18": (person_entry(50, keypoints=[*KEYPOINTS, 1, 1, 2]), (50, 1), "malformed", "found 54"),
    "keypoints nested": (person_entry(50, keypoints=[[1, 1]] * 17), (50, 1), "malformed", "`$.keypoints[0]`"),
    "keypoint a string": (person_entry(50, keypoints=keypoints_with(0, "x")), (50, 1), "malformed", "`$.keypoints[0]`"),
    "keypoint a bool": (person_entry(50, keypoints=keypoints_with(2, True)), (50, 1), "malformed", "`$.keypoints[2]`"),
    "keypoint null": (person_entry(50, keypoints=keypoints_with(1, None)), (50, 1), "malformed", "`$.keypoints[1]`"),
    "keypoint absurd": (person_entry(50, keypoints=keypoints_with(0, 1e300)), (50, 1), "malformed", "none above"),
    "visibility 3": (person_entry(50, keypoints=keypoints_with(2, 3)), (50, 1), "malformed", "visibilities 0, 1 or 2"),
    "nothing labelled": (person_entry(50, keypoints=[0] * 51), (50, 1), "zero_keypoints", ""),
    "a crowd": (person_entry(50, iscrowd=1), (50, 1), "crowd", ""),
    "box without width": (person_entry(50, bbox=[5, 5, 0, 40]), (50, 1), "box", "positive width and height"),
    "box without height": (person_entry(50, bbox=[5, 5, 40, 0]), (50, 1), "box", "positive width and height"),
    "box of negative width": (person_entry(50, bbox=[45, 5, -40, 40]), (50, 1), "box", "positive width and height"),
    "box outside": (person_entry(50, bbox=[500, 5, 40, 40]), (50, 1), "box", "less than one pixel of it lies in"),
    "box left of the image": (person_entry(50, bbox=[-60, 5, 40, 40]), (50, 1), "box", "less than one pixel"),
    "box a hair within": (person_entry(50, bbox=[WIDTH - 0.5, 5, 40, 40]), (50, 1), "box", "less than one pixel"),
}  # fmt: skip

# name -> an entry whose id cannot serve, that id as the ledger has it, what is told
ODD_IDS = {
    "no id": (person_entry(50, id=...), None, "1 annotation has no id"),
    "id null": (person_entry(50, id=None), None, "1 annotation has no id"),
    "id 0": (person_entry(0), "0", "1 annotation has the id 0"),
    "id -0": (raw_person(50, "id", "-0"), "0", "1 annotation has the id 0"),
    "id a name": (person_entry(50, id="5f-c0"), "5f-c0", "1 annotation has an id that is no whole number"),
    "id of noughts": (person_entry(50, id="007"), "007", "1 annotation has an id that is no whole number"),
    "id a fraction": (person_entry(50, id=1.5), "1.5", "1 annotation has an id that is no whole number"),
    "id a bool": (person_entry(50, id=True), "true", "1 annotation has an id that is no whole number"),
    "id an object": (person_entry(50, id={"$oid": "5fc0"}), '{"$oid":"5fc0"}', "1 annotation has an id that is no"),
    "id beyond 64 bits": (person_entry(50, id=2**70), str(2**70), "1 annotation has an id that is no whole number"),
}  # fmt: skip

# name -> an entry that is odd, and nevertheless a person
ODD_ANNOTATIONS = {
    "numbers as text": person_entry(50, bbox=["5", "5", "50", "40"], area="999.5", category_id="1"),
    "a list for each joint": person_entry(50, keypoints=[KEYPOINTS[k : k + 3] for k in range(0, 51, 3)]),
    "a photograph by its file": person_entry(50, image_id="1.jpg"),
    "box partly outside": person_entry(50, bbox=[-30, -30, 60, 60]),
    "box around the image": person_entry(50, bbox=[-500, -500, 2000, 2000]),
    "a labelled joint outside the image": person_entry(50, keypoints=keypoints_with(0, -300)),
    "a labelled joint far outside": person_entry(50, keypoints=keypoints_with(0, 999_999)),
    "num_keypoints too high": person_entry(50, num_keypoints=17),
    "num_keypoints zero": person_entry(50, num_keypoints=0),
    "num_keypoints no number": person_entry(50, num_keypoints="three"),
    "no num_keypoints": person_entry(50, num_keypoints=...),
    "no iscrowd": person_entry(50, iscrowd=...),
    "iscrowd null": person_entry(50, iscrowd=None),
    "iscrowd a bool": person_entry(50, iscrowd=False),
    "iscrowd a float": person_entry(50, iscrowd=0.0),
    "no bbox": person_entry(50, bbox=...),
    "bbox null": person_entry(50, bbox=None),
    "bbox of noughts": person_entry(50, bbox=[0, 0, 0, 0]),
    "no area": person_entry(50, area=...),
    "area null": person_entry(50, area=None),
    "no area and no segment": person_entry(50, area=..., segmentation=...),
    "visibility 1.5": person_entry(50, keypoints=keypoints_with(2, 1.5)),
    "no segmentation": person_entry(50, segmentation=...),
    "segmentation of another form": person_entry(50, segmentation={"counts": None}),
    "area zero": person_entry(50, area=0),
    "coordinates on unlabelled joints": person_entry(50, keypoints=[*KEYPOINTS[:-3], 7, 9, 0]),
    "floats for pixels": person_entry(50, keypoints=keypoints_with(0, 10.25)),
    "id as text": person_entry(50, id="50"),
    "id with a point": raw_person(50, "id", "50.0"),
    "image_id as text": person_entry(50, image_id="1"),
    "negative id": person_entry(-(2**63)),
    "the largest id": person_entry(2**63 - 1),
    "unknown fields": person_entry(50, note="ok", score=0.5),
}


def photograph(seed=0, size=(WIDTH, HEIGHT)):
    """Return a picture of smooth noise."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def encoded(picture, kind, **options):
    """Return a picture's file."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


JPEG = encoded(photograph(), "JPEG")


def huge_png(width, height):
    """Return a small PNG whose header claims a size: a decompression bomb."""
    pixels = zlib.compress(bytes(1 << 16))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            (b"IDAT", pixels),
            (b"IEND", b""),
        )
    )


@contextlib.contextmanager
def as_nobody():
    """Give up root's right to read and write everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(user)


def _eps():
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n%%EndComments\nshowpage\n"


def _svg():
    return b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"/>'


# name -> (content of a file called .jpg, part of the detail)
BAD_CONTENT = {
    "empty": (b"", "found 0 bytes that are none"),
    "text": (b"<html>404 Not Found</html>", "expected a JPEG, PNG, WebP or BMP picture"),
    "noise": (bytes(range(256)) * 8, "expected a JPEG, PNG, WebP or BMP picture"),
    "JPEG cut in its header": (JPEG[:100], "cannot be decoded"),
    "JPEG cut in its tables": (JPEG[: JPEG.index(b"\xff\xda") - 40], "cannot be decoded"),
    "JPEG cut in its pixels": (JPEG[: JPEG.index(b"\xff\xda") + 100], "premature end"),
    "JPEG cut just before its end": (JPEG[:-20], "premature end"),
    "JPEG cut after its first bytes": (JPEG[:4], "expected a JPEG"),
    "PNG cut": (encoded(photograph(), "PNG")[:500], "truncated"),
    "WebP cut": (encoded(photograph(), "WEBP")[:60], "cannot be decoded"),
    "BMP cut": (encoded(photograph(), "BMP")[:500], "truncated"),
    "another size": (encoded(photograph(size=(HEIGHT, WIDTH)), "JPEG"), "48 x 64 pixels, but the annotation file"),
    "decompression bomb": (huge_png(50_000, 50_000), "DecompressionBombError"),
    "GIF": (encoded(photograph(), "GIF"), "expected a JPEG"),
    "TIFF": (encoded(photograph(), "TIFF"), "expected a JPEG"),
    "EPS": (_eps(), "expected a JPEG"),
    "SVG": (_svg(), "expected a JPEG"),
    "ICO": (encoded(photograph(), "ICO", sizes=[(64, 48)]), "expected a JPEG"),
}

# name -> content of a file called .jpg that is a picture in an unusual form
ODD_CONTENT = {
    "CMYK JPEG": encoded(photograph().convert("CMYK"), "JPEG"),
    "grey JPEG": encoded(photograph().convert("L"), "JPEG"),
    "progressive JPEG": encoded(photograph(), "JPEG", progressive=True),
    "JPEG with a tail": JPEG + b"tail" * 100,
    "MPO": encoded(photograph(), "MPO", save_all=True, append_images=[photograph(1)]),
    "PNG": encoded(photograph(), "PNG"),
    "1-bit PNG": encoded(photograph().convert("1"), "PNG"),
    "16-bit PNG": encoded(Image.fromarray(np.full((HEIGHT, WIDTH), 25_600, np.uint16)), "PNG"),
    "palette PNG": encoded(photograph().quantize(16), "PNG"),
    "palette PNG with a transparent colour": encoded(photograph().quantize(16), "PNG", transparency=3),
    "palette PNG with many": encoded(photograph().quantize(16), "PNG", transparency=bytes(range(16))),
    "grey PNG with alpha": encoded(photograph().convert("LA"), "PNG"),
    "PNG with alpha": encoded(photograph().convert("RGBA"), "PNG"),
    "WebP": encoded(photograph(), "WEBP"),
    "BMP": encoded(photograph(), "BMP"),
}


def plant_link_out(folder, name):
    """Make a link to a good photograph outside the folder."""
    outside = folder.parent / "outside.jpg"
    outside.write_bytes(JPEG)
    (folder / name).symlink_to(outside)


# name -> (what puts it into the folder under a name, part of the detail)
BAD_FILES = {
    "missing": (lambda folder, name: None, "no such file in the image folder"),
    "a folder": (lambda folder, name: (folder / name).mkdir(), "Is a directory"),
    "a named pipe": (lambda folder, name: os.mkfifo(folder / name), "not a regular file"),
    "a link out": (plant_link_out, "a link that leads out of the image folder"),
    "a link to nothing": (lambda folder, name: (folder / name).symlink_to("nothing"), "no such file"),
    "a link to itself": (lambda folder, name: (folder / name).symlink_to(name), "symbolic links"),
    "a link to a device": (lambda folder, name: (folder / name).symlink_to("/dev/zero"), "leads out"),
}

# name -> (file_name, part of the detail)
BAD_NAMES = {
    "empty": ("", "expected a relative path"),
    "a dot": (".", "expected a relative path"),
    "up": ("../outside.jpg", "expected a relative path"),
    "down and up": ("sub/../../outside.jpg", "expected a relative path"),
    "down, up and in": ("sub/../good.jpg", "expected a relative path"),
    "absolute": ("/etc/hostname", "expected a relative path"),
    "two slashes": ("//etc/hostname", "expected a relative path"),
    "backslashes": ("..\\outside.jpg", "with forward slashes"),
    "a drive": ("C:/outside.jpg", "expected a relative path"),
    "a drive's own folder": ("c:outside.jpg", "expected a relative path"),
    "a URL": ("gs://bucket/outside.jpg", "expected a relative path"),
    "a NUL": ("x.jpg\0.png", "expected a relative path"),
    "too long a part": ("a" * 300 + ".jpg", "cannot be read (File name too long)"),
    "through a file": ("good.jpg/x.jpg", "Not a directory"),
}
