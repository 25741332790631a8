from __future__ import annotations

import pickle

from cocoprep.builder.packing import PACKED_TOGETHER, annotations_digest, deal_shards, pack_shard, unpack_shard
from cocoprep.builder.selection import ImagePeople, Selection
from cocoprep.coco.annotations import ImageInfo, Person


def group(image_id, area=4.0):
    person = Person(image_id + 1000, (0, 0, 5, 5), area, False, 1, b"\0" * 204)
    return ImagePeople(ImageInfo(image_id, f"{image_id}.jpg", 64, 48), [person])


GROUPS = [group(number) for number in range(2 * PACKED_TOGETHER + 1)]


def test_what_was_packed_is_unpacked_and_says_whose_it_is():
    packed = pickle.loads(pickle.dumps(pack_shard("of this plan", "made so", 17, GROUPS)))
    assert packed.plan == "of this plan"
    assert len(packed.parts) == 3
    assert unpack_shard(packed) == GROUPS
    assert unpack_shard(pack_shard("of this plan", "made so", 17, [])) == []


def test_it_is_compact():
    assert sum(map(len, pack_shard("of this plan", "made so", 17, GROUPS).parts)) < 100 * len(GROUPS)


def test_every_photograph_is_dealt_to_one_shard():
    shards = deal_shards(Selection([], {}, GROUPS, 5), seed=0)
    assert len(shards) == 5
    assert sorted(g.image.image_id for shard in shards for g in shard) == list(range(len(GROUPS)))


def test_the_digest_is_of_all_that_is_annotated_in_any_order():
    digest = annotations_digest(GROUPS)
    assert annotations_digest(GROUPS[::-1]) == digest
    assert annotations_digest(GROUPS[1:]) != digest
    assert annotations_digest([group(0, area=4.5), *GROUPS[1:]]) != digest
