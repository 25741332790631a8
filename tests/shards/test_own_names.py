"""What annotations are called, where a name tells nobody apart and where it does."""

from __future__ import annotations

from cocoprep.shards.drop_reasons import DropReason, JudgedEntry
from cocoprep.shards.ledger import make_ledger
from cocoprep.shards.own_names import own_names


def entry(row, number, own, source):
    return JudgedEntry(row, number, 1, None, None if number else DropReason.MALFORMED, "", 0, own, source)


def test_names_that_tell_nobody_apart_are_numbers():
    entries = [
        entry(0, 11, "7", 0),
        entry(1, 12, "7", 0),  # another of the same id
        entry(0, 13, "7", 1),
        entry(1, 14, "", 1),  # without an id
        entry(2, 15, "text/of its own", 1),
        entry(3, None, "8", 1),
    ]
    ledger = make_ledger(entries, "train2017", 1, ["a", "b"])
    assert own_names(ledger, [15, 11, 12, 13, 14, 99]) == ["b/text/of its own", "11", "12", "b/7", "14", "99"]
    assert own_names(ledger, []) == []


def test_of_one_source_they_are_numbers():
    assert own_names(make_ledger([entry(0, 11, "7", None)], "train2017", 1), [11]) == ["11"]
