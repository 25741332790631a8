from __future__ import annotations

import pytest

from cocoprep.shards.drop_reasons import DropReason, JudgedEntry
from cocoprep.shards.ledger import (
    MAX_DETAIL,
    decode_ledger,
    drop_faulty_images,
    encode_ledger,
    make_ledger,
    restore_images,
)
from cocoprep.shards.names import shard_name

IMAGES = 9


def ledger():
    entries = [
        JudgedEntry(0, None, None, None, DropReason.MALFORMED, "no id", None),
        JudgedEntry(1, 51, 4, None, DropReason.BOX, "too small", None),
        *(JudgedEntry(2 + n, n, n, None, None, "", n % 2) for n in range(IMAGES)),
    ]
    return make_ledger(entries, "train2017", 2)


@pytest.mark.parametrize("faulty", [[], [4], [0, 1, 8], list(range(IMAGES))])
def test_dropping_faulty_images_can_be_undone_to_the_byte(faulty):
    before = ledger()
    data = encode_ledger(drop_faulty_images(before, dict.fromkeys(faulty, "cannot be decoded")))
    dropped = decode_ledger(data, "ledger")
    assert dropped["kept"].to_pylist().count(True) == IMAGES - len(faulty)
    restored = restore_images(dropped, lambda image: shard_name("train2017", image % 2, 2))
    assert restored.equals(before)
    assert encode_ledger(restored) == encode_ledger(before)


def test_no_detail_is_longer_than_a_line_or_two():
    entries = [JudgedEntry(0, 1, 4, None, DropReason.BOX, "x" * 10**6, None), JudgedEntry(1, 2, 5, None, None, "", 0)]
    struck = drop_faulty_images(make_ledger(entries, "train2017", 1), {5: "y" * 10**6})
    assert struck["detail"].to_pylist() == ["x" * MAX_DETAIL, "y" * MAX_DETAIL]
