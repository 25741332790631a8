"""Annotation files: what is fatal for the file, what is the matter with one entry, and what is none."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.coco.annotations import ImageInfo, parse_annotation_file
from cocoprep.coco.people import parse_entries
from cocoprep.errors import AnnotationError
from cocoprep.pose.boxes import MAX_COORDINATE
from cocoprep.pose.tables import COCO_17
from tests.builder.bad_input import (
    BAD_ANNOTATIONS,
    CATEGORY,
    KEYPOINTS,
    ODD_ANNOTATIONS,
    coco_bytes,
    image_entry,
    person_entry,
    raw_person,
)

GOOD = coco_bytes()
INSTANCES = coco_bytes([person_entry(1, keypoints=[0] * 51)], categories=[{"id": 1, "name": "person"}])
BOM = b"\xef\xbb\xbf"
DEEP = 100_000


def parse(data):
    file = parse_annotation_file(data, "in/people.json", COCO_17)
    return file, list(parse_entries(file))


def faults(data):
    return [entry.fault for entry in parse(data)[1]]


def fatal(data):
    with pytest.raises(AnnotationError) as caught:
        parse(data)
    text = str(caught.value)
    assert text.startswith("in/people.json: ")
    assert len(text) < 3000
    return text


# The file as a whole


@pytest.mark.parametrize("data", [GOOD, BOM + GOOD, b" \r\n\t" + GOOD + b"\n\n", coco_bytes().replace(b" ", b"\n")])
def test_a_good_file(data):
    file, (entry,) = parse(data)
    assert (file.joints.category_id, file.images) == (1, {1: ImageInfo(1, "1.jpg", 64, 48)})
    assert (entry.row, entry.annotation_id, entry.image_id, entry.fault) == (0, 1, 1, None)
    assert entry.person.bbox == (5, 5, 50, 40)
    assert (entry.person.area_px2, entry.person.is_crowd, entry.person.num_keypoints) == (900.5, False, 3)
    assert entry.person.keypoints.ravel().tolist() == KEYPOINTS


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"nan", b"1.", b".5", b"0100", b"+1", b"0x10"])
@pytest.mark.parametrize("start", [b"", BOM])
def test_what_is_no_json_number_is_fatal_and_its_byte_is_named(literal, start):
    data = start + GOOD.replace(b"900.5", literal)
    at = int(re.search(r"not valid JSON at byte (\d+) of", fatal(data))[1])
    begins = data.index(b'"area": ') + len(b'"area": ')
    assert begins <= at <= begins + len(literal)
    assert literal.decode() in fatal(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not valid JSON at byte 0 of 0"),
        (BOM, "not valid JSON at byte 3 of 3"),
        (b"  \n", "not valid JSON at byte 3 of 3"),
        (GOOD + GOOD, "trailing characters"),
        (GOOD[:-1] + b",}", "trailing comma"),
        (GOOD.replace(b'"area": 900.5,', b'"area": 900.5,,'), "not valid JSON at byte"),
        (GOOD.replace(b'"', b"'"), "not valid JSON at byte 1 of"),
        (GOOD.replace(b"1.jpg", b"1\n.jpg"), "invalid character"),
        (GOOD.replace(b"1.jpg", b"1\0.jpg"), "invalid character"),
        (GOOD.replace(b"1.jpg", rb"\x1.jpg"), "invalid escape"),
        (GOOD.replace(b"1.jpg", rb"\ud800.jpg"), "not valid JSON at byte"),
        (GOOD.replace(b"1.jpg", rb"caf\udce9.jpg"), "surrogate"),
        (b"\0" * 500, "not valid JSON at byte 0"),
        (GOOD.decode().encode("utf-16-le"), "not valid JSON at byte 1"),
        (GOOD.decode().encode("utf-16"), "not UTF-8 text at byte 0 "),
        (GOOD.decode().encode("utf-32"), "not UTF-8 text at byte 0 "),
        (b"\x1f\x8b\x08" + GOOD, "not UTF-8 text at byte 1 "),
    ],
)
def test_what_is_no_json_in_utf8(data, says):
    assert says in fatal(data)


@pytest.mark.parametrize("padding", [0, 1, (1 << 20) - 40, (1 << 20) - 37, (1 << 20) - 36, 1 << 20])
def test_the_byte_that_is_not_utf8_is_named_exactly(padding):
    """The check reads a megabyte at a time: a character may lie across two pieces."""
    good = b" " * padding + coco_bytes(images=[image_entry(1, file_name="caf\u00e9.jpg")]).replace(
        rb"\u00e9", "\u00e9".encode()
    )
    assert faults(good) == [None]
    bad = good.replace("\u00e9".encode(), b"\xe9")
    assert f"not UTF-8 text at byte {bad.index(0xE9)} (" in fatal(bad)


def test_a_file_cut_short_anywhere_is_fatal():
    for length in range(len(GOOD)):
        assert f"not valid JSON at byte {length} of {length} (" in fatal(GOOD[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"[" * DEEP,
        b'{"images": ' + b"[" * DEEP,
        b'{"info": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"a":' * DEEP,
        coco_bytes([raw_person(1, "segmentation", "[" * DEEP + "]" * DEEP)]),
        coco_bytes([raw_person(1, "keypoints", "[" * DEEP + "]" * DEEP)]),
        coco_bytes(images=[json.dumps(image_entry(1)).encode()[:-1] + b', "x": ' + b'{"a":' * DEEP]),
    ],
)
def test_a_nesting_bomb_is_an_error_and_no_crash(data):
    assert "nested" in fatal(data) or "Expected" in fatal(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b"17", "Expected `object`, got `int`"),
        (b'"people"', "Expected `object`, got `str`"),
        (b"{}", "missing required field `images`"),
        (b'{"images": [], "annotations": []}', "missing required field `categories`"),
        (coco_bytes(images={"1": image_entry(1)}), "Expected `array`, got `object` - at `$.images`"),
        (coco_bytes({"1": person_entry(1)}), "Expected `array`, got `object` - at `$.annotations`"),
        (coco_bytes(categories={"1": CATEGORY}), "at `$.categories`"),
        (GOOD.replace(b'"annotations": [', b'"annotations": null, "x": ['), "at `$.annotations`"),
        (GOOD.replace(b'"images"', b'"Images"'), "missing required field `images`"),
        (coco_bytes(images=[]), "'images' is empty"),
        (coco_bytes([]), "'annotations' is empty"),
        (coco_bytes(categories=[]), "expected a category 'person', or one alone that lists joints, found none"),
        (coco_bytes(categories=[{"id": 3, "name": "car"}]), "found 'car' (0 joints)"),
        (INSTANCES.replace(b'"keypoints": [0', b'"x": [0'), "Where this is an instances file"),
        (INSTANCES.replace(b'"keypoints": [0, 0, 0, ', b'"keypoints": ['), "have 48 numbers"),
        (coco_bytes(categories=[{**CATEGORY, "keypoints": ["nose"]}]), "not coco-17's. Expected ['nose', 'left_eye'"),
        (coco_bytes(categories=[{**CATEGORY, "keypoints": ["tail", *CATEGORY["keypoints"]]}]), "'tail'"),
        (coco_bytes(categories=[{**CATEGORY, "keypoints": [1, 2]}]), "at `$.categories[0].keypoints[0]`"),
        (coco_bytes(categories=[{**CATEGORY, "id": "one"}]), "at `$.categories[0].id`"),
        (coco_bytes(categories=["person"]), "Expected `object`, got `str` - at `$.categories[0]`"),
        (coco_bytes(categories=[{"id": i + 5, "name": "x" * 1000} for i in range(100)]), "found 'xxx"),
        (coco_bytes(categories=[{**CATEGORY, "keypoints": [f"joint{n}" for n in range(17)]}]), "not coco-17's"),
        (coco_bytes(categories=[{**CATEGORY, "keypoints": ["x" * 100] * 17}]), "more than once"),
        (
            coco_bytes(categories=[{**CATEGORY, "keypoints": ["x" * 10_000] * 17}]),
            "the longest name of 10000 characters",
        ),
    ],
)
def test_a_file_of_another_form_is_fatal(data, says):
    assert says in fatal(data)


def test_joints_in_another_order_are_put_in_the_tables():
    flat = [v for k in range(17) for v in (k + 1, 2 * k + 1, 2)]
    turned = [v for k in range(16, -1, -1) for v in flat[3 * k : 3 * k + 3]]
    category = {**CATEGORY, "keypoints": [name.replace("_", " ").upper() for name in CATEGORY["keypoints"][::-1]]}
    _, (plain,) = parse(coco_bytes([person_entry(1, keypoints=flat)]))
    file, (found,) = parse(coco_bytes([person_entry(1, keypoints=turned)], categories=[category]))
    assert found.person == plain.person
    assert file.joints.notes == ("the file's joints are coco-17's in another order: put in that of the table",)


@pytest.mark.parametrize("fields", [{}, {"keypoints": "gone"}, {"bbox": "odd"}])
def test_entries_of_another_category_are_nobodys_fault(fields):
    entry = {**person_entry(2, category_id=9), **fields}
    _, (_, other) = parse(coco_bytes([person_entry(1), entry]))
    assert (other.is_other, other.fault, other.person, other.annotation_id) == (True, None, None, 2)


def test_of_a_key_given_twice_the_last_counts_as_for_other_readers():
    first = json.dumps({"annotations": [person_entry(8)]}).encode()[:-1] + b", "
    data = first + GOOD[1:]
    assert [a["id"] for a in json.loads(data)["annotations"]] == [1]
    assert [entry.annotation_id for entry in parse(data)[1]] == [1]


def test_a_person_category_under_another_name_or_id():
    file, (entry,) = parse(
        coco_bytes([person_entry(1, category_id=7)], categories=[{"id": 1}, {**CATEGORY, "name": "Mensch", "id": 7}])
    )
    assert (file.joints.category_id, entry.fault) == (7, None)


# Single entries


@pytest.mark.parametrize("kind", [k for k, case in BAD_ANNOTATIONS.items() if case[2] == "malformed"])
def test_a_malformed_entry_has_a_fault_and_whatever_ids_can_be_read(kind):
    entry, ids, _, says = BAD_ANNOTATIONS[kind]
    _, parsed = parse(coco_bytes([person_entry(1), entry, person_entry(2)]))
    assert [p.fault is None for p in parsed] == [True, False, True]
    assert says in parsed[1].fault
    assert ((parsed[1].annotation_id, parsed[1].image_id), parsed[1].person) == (ids, None)
    assert [p.row for p in parsed] == [0, 1, 2]


@pytest.mark.parametrize("kind", ODD_ANNOTATIONS)
def test_an_odd_entry_is_a_person(kind):
    entry = ODD_ANNOTATIONS[kind]
    _, (parsed,) = parse(coco_bytes([entry]))
    assert parsed.fault is None
    assert parsed.person.annotation_id == int((json.loads(entry) if isinstance(entry, bytes) else entry)["id"])
    assert parsed.person.num_keypoints == 3
    assert (parsed.person.keypoints[-1] == 0).all()


@pytest.mark.parametrize(
    ("x", "good"), [(MAX_COORDINATE, True), (-MAX_COORDINATE, True), (1.01e6, False), (-1.01e6, False), (1e38, False)]
)
def test_how_far_a_joint_may_lie(x, good):
    assert (faults(coco_bytes([person_entry(1, keypoints=[x, *KEYPOINTS[1:]])])) == [None]) is good


def test_of_a_field_given_twice_the_last_counts():
    data = json.dumps(person_entry(1)).encode()[:-1] + b', "id": 7}'
    assert [entry.annotation_id for entry in parse(coco_bytes([data]))[1]] == [7]


def test_an_entry_that_is_nested_deep_but_not_too_deep_is_read():
    assert faults(coco_bytes([raw_person(1, "segmentation", "[" * 500 + "]" * 500)])) == [None]


# Entries of `images`


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (image_entry(1, file_name=None), "Expected `str`, got `null` - at `$.file_name`"),
        (image_entry(1, file_name=5), "Expected `str`, got `int` - at `$.file_name`"),
        (image_entry(1, file_name=["1.jpg"]), "got `array` - at `$.file_name`"),
        (image_entry(1, file_name="x" * 5000), "`str` of length <= 4096 - at `$.file_name`"),
        (image_entry(1, width=-64), "`int` >= 0 - at `$.width`"),
        (image_entry(1, height=10**30), "at `$.height`"),
        (image_entry(1, height=2 * 10**9), "`int` <= 1000000000 - at `$.height`"),
        (image_entry(1, width=64.5), "Expected `int | null`, got `float` - at `$.width`"),
        (image_entry(1, width="wide"), "Expected `int | null`, got `str` - at `$.width`"),
        (image_entry(1, width=True), "Expected `int | null`, got `bool` - at `$.width`"),
    ],
)
def test_a_malformed_image_costs_its_own_people_only(image, says):
    file, parsed = parse(coco_bytes([person_entry(1), person_entry(2, 2)], images=[image, image_entry(2)]))
    assert "image_id 1: its entry in 'images' (row 0) is malformed" in parsed[0].fault
    assert says in parsed[0].fault
    assert parsed[1].fault is None
    assert list(file.images) == [2]


@pytest.mark.parametrize("size", ["64", 64.0])
def test_a_size_may_be_text_or_a_number_with_a_point(size):
    file, (entry,) = parse(coco_bytes([person_entry(1)], images=[image_entry(1, width=size)]))
    assert (entry.fault, file.images[1].width) == (None, 64)


@pytest.mark.parametrize(
    "changes", [{"width": ...}, {"height": ...}, {"width": 0}, {"height": None}, {"width": None, "height": 0}]
)
def test_a_size_that_is_not_stated_is_to_be_found_out(changes):
    file, parsed = parse(coco_bytes([person_entry(1)], images=[image_entry(1, **changes)]))
    assert parsed[0].fault is None
    assert (file.images[1].width, file.images[1].height, file.images[1].has_size) == (0, 0, False)


@pytest.mark.parametrize(
    "image", [image_entry(...), image_entry(None), image_entry(1.5), image_entry("01"), image_entry(2**70), 7, [], None]
)
def test_an_image_without_a_usable_id_is_not_there(image):
    image = {k: v for k, v in image.items() if v is not ...} if isinstance(image, dict) else image
    file, parsed = parse(coco_bytes([person_entry(1), person_entry(2, 2)], images=[image, image_entry(2)]))
    assert [entry.fault for entry in parsed] == ["image_id 1: no such image in 'images'", None]
    assert list(file.images)[-1] == 2
    assert 1 not in file.images


@pytest.mark.parametrize(
    ("twice", "good"),
    [
        (image_entry(1), True),
        (image_entry(1, license=3, flickr_url="x"), True),
        (image_entry(1, file_name="other.jpg"), False),
        (image_entry(1, width=65), False),
        (image_entry(1, height="48"), True),
        (image_entry(1, height="49"), False),
    ],
)
def test_an_image_listed_twice(twice, good):
    for images in ([image_entry(1), twice], [twice, image_entry(1)]):
        file, parsed = parse(coco_bytes([person_entry(1)], images=images))
        assert (parsed[0].fault is None) is good
        assert (list(file.images) == [1]) is good


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(sorted(person_entry(1))), inner),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(person_entry(1), json_values)), json_values)
def test_any_json_in_place_of_an_annotation_costs_only_itself(fields, anything):
    entries = [person_entry(1), {**person_entry(2), **fields}, anything, fields, person_entry(3)]
    parsed = parse(coco_bytes(entries))[1]
    assert len(parsed) == 5
    assert [parsed[i].fault for i in (0, 4)] == [None, None]
    for entry in parsed:
        assert (entry.person is None) == (entry.fault is not None or entry.is_other or entry.is_twice)


@given(st.data())
def test_a_damaged_file_gives_an_annotation_error_or_entries(data):
    damaged = bytearray(coco_bytes([person_entry(1), person_entry(2)]))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse(bytes(damaged))
    except AnnotationError as error:
        assert str(error).startswith("in/people.json: ")  # noqa: PT017 - either outcome is right
