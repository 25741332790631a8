"""Who is kept, why the others are not, and which shard a photograph goes to."""

from __future__ import annotations

import hashlib
import json
import random

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.builder.config import SelectConfig, default_shards
from cocoprep.builder.joined import annotations_of
from cocoprep.builder.places import annotation_hash, image_hash, shard_of
from cocoprep.builder.selection import select_people
from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.errors import BuildError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.drop_reasons import DropReason
from tests.builder.bad_input import (
    BAD_ANNOTATIONS,
    JPEG,
    KEYPOINTS,
    ODD_ANNOTATIONS,
    ODD_IDS,
    coco_bytes,
    image_entry,
    person_entry,
)
from tests.support.building import build_folder

CROP = CropConfig(input_size=(32, 32))
UNLABELLED = [0] * 51
ONE_LABELLED = [1, 1, 1, *UNLABELLED[3:]]
OUTSIDE = [500, 500, 10, 10]
NO_KEYPOINTS = {"keypoints": UNLABELLED}


def select(annotations, images=None, crop=CROP, **options):
    file = parse_annotation_file(coco_bytes(annotations, images), "people.json", COCO_17)
    return select_people(annotations_of(file), SelectConfig(**options), crop)


def reasons(selection):
    return {entry.annotation_id: entry.reason and entry.reason.value for entry in selection.entries}


# The order of reasons


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image_id": 9, "keypoints": UNLABELLED, "iscrowd": 1, "bbox": OUTSIDE}, "malformed"),
        ({"category_id": "dog", "keypoints": UNLABELLED, "iscrowd": 1, "bbox": OUTSIDE}, "malformed"),
        ({"category_id": 9, "image_id": 9, "area": -1, "keypoints": UNLABELLED}, "category"),
        ({"area": -1, "keypoints": UNLABELLED, "iscrowd": 1, "bbox": OUTSIDE}, "malformed"),
        ({"keypoints": UNLABELLED, "iscrowd": 1, "bbox": OUTSIDE}, "zero_keypoints"),
        ({"keypoints": UNLABELLED, "iscrowd": 1}, "zero_keypoints"),
        ({"keypoints": UNLABELLED, "num_keypoints": 17}, "zero_keypoints"),
        ({"iscrowd": 1, "bbox": OUTSIDE}, "crowd"),
        ({"iscrowd": 1}, "crowd"),
        ({"keypoints": ONE_LABELLED, "bbox": OUTSIDE}, "min_keypoints"),
        ({"keypoints": ONE_LABELLED, "num_keypoints": 17}, "min_keypoints"),
        ({"bbox": OUTSIDE}, "box"),
        ({"num_keypoints": 0}, None),
    ],
)
def test_the_first_reason_is_named(changes, reason):
    selection = select([person_entry(1), person_entry(2, **changes)], min_keypoints=2)
    assert reasons(selection) == {1: None, 2: reason}
    assert [entry.shard is None for entry in selection.entries] == [False, reason is not None]
    assert sum(selection.dropped.values()) + selection.people == len(selection.entries)


def test_the_reasons_are_in_the_order_in_which_they_are_looked_for():
    assert [r.value for r in DropReason] == [
        "malformed", "category", "duplicate", "zero_keypoints", "crowd", "excluded", "min_keypoints", "box", "leak",
        "limit", "image",
    ]  # fmt: skip


@pytest.mark.parametrize(("least", "kept"), [(1, [1, 2, 3]), (2, [2, 3]), (3, [3])])
def test_min_keypoints_counts_labelled_joints_hidden_ones_too(least, kept):
    people = [person_entry(n, keypoints=KEYPOINTS[: 3 * n] + UNLABELLED[3 * n :], num_keypoints=9) for n in (1, 2, 3)]
    selection = select(people, min_keypoints=least)
    assert [number for number, reason in reasons(selection).items() if reason is None] == kept
    assert all(e.detail == f"{e.annotation_id} labelled keypoints" for e in selection.entries if e.reason)


@pytest.mark.parametrize(
    ("bbox", "size", "kept"),
    [
        ([0, 0, 65_000, 1], (65_000, 1), False),  # a crop pixel is thousands of image pixels wide
        ([0, 0, 65_000, 300], (65_000, 300), False),
        ([0, 0, 65_000, 20_000], (65_000, 20_000), True),
        ([0, 0, 1, 1], (1, 1), True),
        ([0, 0, 1, 1], (65_000, 1), True),
        ([63, 47, 1, 1], (64, 48), True),
        ([63.5, 47, 1, 1], (64, 48), False),
        ([0, 0, 1e6, 1e6], (64, 48), True),
        ([-999_000, -999_000, 1e6, 1e6], (64, 48), True),
        ([5e-324, 0, 5e-324, 10], (64, 48), False),
    ],
)
def test_boxes(bbox, size, kept):
    images = [image_entry(1), image_entry(2, width=size[0], height=size[1])]
    selection = select([person_entry(1), person_entry(2, 2, bbox=bbox)], images)
    assert reasons(selection) == {1: None, 2: None if kept else "box"}
    assert all(str(float(bbox[2])) in entry.detail for entry in selection.entries if entry.reason)


def test_nothing_kept_says_why_and_what_to_do():
    with pytest.raises(BuildError) as caught:
        select([person_entry(1, image_id=4), person_entry(2, **NO_KEYPOINTS), person_entry(3, image_id=5)])
    text = str(caught.value)
    assert text.startswith("people.json: no annotation is kept of 3 read (2 malformed, 1 zero_keypoints; row 0: ")
    assert "image_id 4: no such image in 'images'" in text
    assert "--annotations" in text


# Duplicates


def test_an_annotation_that_is_there_twice_counts_once():
    selection = select([person_entry(1), person_entry(2), person_entry(2, note="copied")])
    assert [entry.reason for entry in selection.entries] == [None, None, "duplicate"]
    assert [entry.annotation_id for entry in selection.entries] == [1, 2, 2]
    assert selection.people == 2


def test_annotations_that_share_an_id_are_all_kept_and_numbered_alike_in_any_order():
    rivals = [person_entry(2, area=area) for area in (300, 100, 200)] + [person_entry(2, area=100)]
    numbers = set()
    for seed in range(10):
        rng = random.Random(seed)
        entries = [person_entry(1), *rivals]
        rng.shuffle(entries)
        selection = select(entries)
        kept = [e for e in selection.entries if e.reason is None and e.annotation_id != 1]
        assert [e.source_id for e in kept] == ["2"] * 3
        assert all(e.annotation_id == e.person.annotation_id for e in kept)
        numbers.add(tuple(sorted((e.person.area_px2, e.annotation_id) for e in kept)))
        (twice,) = [e for e in selection.entries if e.reason == "duplicate"]
        assert twice.annotation_id in {e.annotation_id for e in kept if e.person.area_px2 == 100}
    ((a, b, c),) = numbers
    assert len({a[1], b[1], c[1], 1, 2}) == 5


def test_a_malformed_rival_does_not_cost_the_valid_one():
    selection = select([person_entry(1, area=-1), person_entry(1), person_entry(1, keypoints=[1])])
    assert [entry.reason for entry in selection.entries] == ["malformed", None, "malformed"]


def test_conflicting_images_cost_their_people_and_are_not_listed():
    images = [image_entry(1), image_entry(2), image_entry(1, width=99)]
    selection = select([person_entry(1), person_entry(2, 2)], images)
    assert reasons(selection) == {1: "malformed", 2: None}
    assert list(selection.images) == [2]
    assert "more than once" in selection.entries[0].detail


def test_an_image_listed_twice_alike_is_one():
    selection = select([person_entry(1), person_entry(2)], [image_entry(1), image_entry(1)])
    assert selection.people == 2
    assert len(selection.groups) == 1


# Order


def many(count=60, images=20):
    rng = random.Random(5)
    people = [person_entry(n, rng.randrange(1, images + 2), area=rng.randrange(9000)) for n in range(1, count)]
    people += [person_entry(n, n, **NO_KEYPOINTS) for n in range(1, 5)] + [person_entry(200, bbox=OUTSIDE)]
    return people, [image_entry(n) for n in range(1, images + 1)] + [image_entry(7, width=9), {"id": 8}]


def outcome(selection):
    lines = [(e.annotation_id, e.image_id, e.person, e.reason, e.shard) for e in selection.entries]
    return sorted(lines, key=repr), selection.groups, sorted(selection.images.items()), selection.num_shards


@given(st.randoms(use_true_random=False), st.sampled_from([None, 5]))
def test_the_order_of_the_file_changes_nothing(rng, limit):
    people, images = many()
    expected = outcome(select(people, images, limit=limit))
    rng.shuffle(people)
    rng.shuffle(images)
    assert outcome(select(people, images, limit=limit)) == expected


def test_people_of_a_photograph_come_in_order_of_their_ids():
    (group,) = select([person_entry(n) for n in (7, -3, 2**40, 1)]).groups
    assert [person.annotation_id for person in group.people] == [-3, 1, 7, 2**40]


# Limit


def test_limit_keeps_the_first_images_in_shard_order_and_names_the_rest():
    people, images = many()
    whole, limited = select(people, images), select(people, images, limit=3)
    assert limited.groups == whole.groups[:3]
    assert limited.dropped["limit"] == whole.people - limited.people > 0
    rest = {e.row: e for e in limited.entries if e.reason == "limit"}
    assert all(whole.entries[row].reason is None for row in rest)
    assert {e.detail for e in rest.values()} == {"beyond the first 3 images"}
    assert {**whole.dropped, "limit": limited.dropped["limit"]} == limited.dropped


def test_a_limit_beyond_the_images_changes_nothing():
    people, images = many()
    assert outcome(select(people, images, limit=10_000)) == outcome(select(people, images))


# Shards


@pytest.mark.parametrize(
    ("seed", "image_id", "num_shards", "shard"),
    [(0, 1, 16, 10), (0, 1, 7, 3), (0, 2, 16, 2), (1, 1, 16, 9), (0, -5, 16, 14), (-3, 2**62, 99_999, 78719)],
)
def test_the_shard_of_an_image_never_changes(seed, image_id, num_shards, shard):
    """Made anew by `python -c "from cocoprep.builder.places import shard_of; print(shard_of(1, 0, 16))"`."""
    assert shard_of(image_id, seed, num_shards) == shard


def test_the_hashes_are_blake2b_of_seed_kind_and_id():
    for kind, function in (("image", image_hash), ("annotation", annotation_hash)):
        digest = hashlib.blake2b(f"3/{kind}/17".encode(), digest_size=8).hexdigest()
        assert function(3, 17) == int(digest, 16)


def test_default_shards_follow_from_the_people_kept():
    people, images = many()
    assert select(people, images).num_shards == 16
    large = CropConfig(input_size=(4096, 4096), margin=4096)
    selection = select(people, images, crop=large)
    assert selection.num_shards == default_shards(selection.people, large) > 16
    assert select(people, images, shards=3).num_shards == 3


def test_images_are_dealt_evenly():
    counts = [0] * 16
    for image_id in range(16_000):
        counts[shard_of(image_id, 0, 16)] += 1
    assert 850 < min(counts) <= max(counts) < 1150


# One bad annotation costs only itself


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for name in ("1.jpg", "2.jpg"):
        (folder / name).write_bytes(JPEG)
    return folder


def build(tmp_path, photographs, annotations):
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "people.json"
    path.write_bytes(coco_bytes(annotations, [image_entry(1), image_entry(2)]))
    manifest = build_folder(
        tmp_path / "out", annotations=path, images=photographs, crop=CROP,
        select=SelectConfig(shards=1, max_bad_fraction=1),
    )  # fmt: skip
    ledger = pq.read_table(tmp_path / "out" / "ledger.parquet").to_pylist()
    return manifest, ledger, tmp_path / "out"


@pytest.mark.parametrize("kind", BAD_ANNOTATIONS)
def test_one_bad_annotation_costs_only_itself(kind, tmp_path, photographs):
    entry, ids, reason, says = BAD_ANNOTATIONS[kind]
    manifest, ledger, out = build(
        tmp_path, photographs, [person_entry(1), person_entry(2, 2), entry, person_entry(3, 2), person_entry(4)]
    )
    assert sorted(open_dataset(out).annotation_ids) == [1, 2, 3, 4]
    assert (manifest.counts.people, manifest.counts.annotations) == (4, 5)
    assert [line["row"] for line in ledger] == [0, 1, 2, 3, 4]
    (bad,) = [line for line in ledger if not line["kept"]]
    assert (bad["row"], bad["annotation_id"], bad["image_id"], bad["reason"], bad["shard"]) == (2, *ids, reason, None)
    assert says in bad["detail"]
    truth = json.loads((out / "ground_truth.json").read_bytes())
    listed = {1, 2, 3, 4} if reason in ("malformed", "category") else {1, 2, 3, 4, 50}
    assert {annotation["id"] for annotation in truth["annotations"]} == listed


@pytest.mark.parametrize("kind", ODD_ANNOTATIONS)
def test_an_odd_annotation_gives_a_record(kind, tmp_path, photographs):
    entry = ODD_ANNOTATIONS[kind]
    _, ledger, out = build(tmp_path, photographs, [person_entry(1), entry])
    number = entry_number(entry)
    person = open_dataset(out).person(number)
    assert all(line["kept"] and line["reason"] is None for line in ledger)
    assert person["visibility"].tolist() == [2, 1, 2] + [0] * 14
    assert (person["keypoints"][3:] == 0).all()
    truth = json.loads((out / "ground_truth.json").read_bytes())
    assert [a["num_keypoints"] for a in truth["annotations"]] == [3, 3]


@pytest.mark.parametrize("kind", ODD_IDS)
def test_an_annotation_whose_id_cannot_serve_gives_a_record(kind, tmp_path, photographs):
    entry, own, told = ODD_IDS[kind]
    manifest, ledger, out = build(tmp_path, photographs, [entry, person_entry(1)])
    number = ledger[0]["annotation_id"]
    assert (ledger[0]["kept"], ledger[0]["source_id"], ledger[1]["source_id"]) == (True, own, "1")
    assert sorted(open_dataset(out).annotation_ids) == sorted([1, number])
    assert 1 <= number <= 2**52
    assert manifest.notes[0].startswith(told)
    (shard,) = (path.read_bytes() for path in out.glob("*.tfrecord-00000-of-00001"))
    _, turned, again = build(tmp_path / "turned", photographs, [person_entry(1), entry])
    assert turned[1]["annotation_id"] == number
    assert [path.read_bytes() for path in again.glob("*.tfrecord-00000-of-00001")] == [shard]


def entry_number(entry):
    """Return the number of an odd entry, which may be JSON as it is."""
    return int((json.loads(entry) if isinstance(entry, bytes) else entry)["id"])


def test_an_image_whose_id_is_text(tmp_path, photographs):
    path = tmp_path / "people.json"
    people = [person_entry(n, name) for n, name in enumerate(("one", "two", "two"), 1)]
    images = [image_entry("one", file_name="1.jpg"), image_entry("two", file_name="2.jpg")]
    path.write_bytes(coco_bytes(people, images))
    manifest = build_folder(tmp_path / "out", annotations=path, images=photographs, crop=CROP)
    assert (manifest.counts.people, manifest.counts.images) == (3, 2)
    assert manifest.notes == ("2 photographs have an id that is no whole number: numbered by it",)
    truth = json.loads((tmp_path / "out" / "ground_truth.json").read_bytes())
    assert sorted(image["source_id"] for image in truth["images"]) == ["one", "two"]
