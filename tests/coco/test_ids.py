from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.coco.ids import image_number, number_annotations, number_for, number_of, text_of


@pytest.mark.parametrize(
    ("own", "number"),
    [
        (5, 5), (0, 0), (-7, -7), (2**63 - 1, 2**63 - 1), (-(2**63), -(2**63)), (2**63, None), (5.0, 5), (1.5, None),
        (1e300, None), ("5", 5), ("-5", -5), ("0", 0), ("05", None), ("-0", None), ("--5", None), ("", None),
        ("-", None), ("5.0", None), (" 5", None), ("\u0665", None), ("\u00b2", None), ("9" * 20, None),
        ("9" * 10_000, None), (True, None), (None, None), ([5], None), ({"$oid": "5"}, None),
    ],
)  # fmt: skip
def test_the_number_that_an_id_plainly_is(own, number):
    assert number_of(own) == number


def test_ids_as_text():
    assert [text_of(own) for own in ("a", 5, 1.5, True, {"$oid": "5"})] == ["a", "5", "1.5", "true", '{"$oid":"5"}']


def test_image_ids_that_are_no_numbers():
    assert image_number("17") == 17
    assert image_number(None) is None
    assert image_number("a.jpg") == image_number("a.jpg") != image_number("b.jpg")
    assert 1 <= image_number("a.jpg") <= 2**52


def numbers(own, contents):
    done = number_annotations(own, lambda n: contents[n].encode())
    return done.numbers, done.twice, dict(done.guesses)


def test_ids_that_can_serve_stay_and_contents_are_not_asked_for():
    done = number_annotations([3, 1, "2", -9], lambda n: 1 / 0)
    assert (done.numbers, done.twice, done.guesses.total()) == ([3, 1, 2, -9], set(), 0)


def test_by_hand():
    own = [0, 1, None, "x", 2, 2, 3, 3, 0]
    got, twice, guesses = numbers(own, "abcdefggh")
    assert (got[1], got[6], got[7]) == (1, 3, 3)  # equal annotations that share an id are one
    assert twice == {7}
    assert guesses == {"id 0": 2, "no id": 1, "text id": 1, "shared id": 2, "twice": 1}
    assert len(set(got)) == 8
    assert got[0] == number_for(b"0", b"a")


def test_a_number_that_is_taken_is_left_to_whom_it_belongs():
    free = number_for(b"x", b"content")
    got, _, _ = numbers(["x", free], ["content", "other"])
    assert got[1] == free != got[0]


ids = st.none() | st.integers(-2, 3) | st.sampled_from(["a", "1", ""]) | st.floats(allow_nan=False)


@given(st.lists(st.tuples(ids, st.sampled_from("ab"))), st.randoms(use_true_random=False))
def test_numbers_are_distinct_and_follow_from_content_alone(rows, rng):
    got, twice, _ = numbers([own for own, _ in rows], [content for _, content in rows])
    kept = [number for n, number in enumerate(got) if n not in twice]
    assert len(set(kept)) == len(kept)
    assert 0 not in kept
    assert set(got) == set(kept)
    places = list(range(len(rows)))
    rng.shuffle(places)
    turned, _, _ = numbers([rows[n][0] for n in places], [rows[n][1] for n in places])
    assert [turned[places.index(n)] for n in range(len(rows))] == got


def test_many_contents_give_many_numbers():
    rng = random.Random(1)
    contents = {str(rng.random()) for _ in range(20_000)}
    assert len({number_for(b"", one.encode()) for one in contents}) == len(contents)
