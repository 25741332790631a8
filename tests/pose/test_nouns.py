"""What is counted is called by its category's name, of which nothing is to be feared."""

from __future__ import annotations

import pytest

from cocoprep.pose.nouns import counted, noun_of
from cocoprep.pose.tables import COCO_17, named_table


@pytest.mark.parametrize(
    ("category", "one", "many"),
    [
        ("person", "person", "people"),
        ("People", "person", "people"),
        ("hand", "hand", "hands"),
        ("arctic_fox", "arctic fox", "arctic foxs"),  # no grammar, but nobody is misled
        ("glasses", "glasses", "glasses"),
        ("\u624b", "\u624b", "\u624b"),
        ("", "instance", "instances"),
        ("[red]{}\x1b[2J<b>", "red 2J b", "red 2J bs"),
        ("x" * 5000, "x" * 40, "x" * 40 + "s"),
    ],
)
def test_nouns(category, one, many):
    noun = noun_of(category)
    assert (noun.one, noun.many) == (one, many)
    assert (noun.count(1), noun.count(2), noun.count(0)) == (f"1 {one}", f"2 {many}", f"0 {many}")


def test_articles_and_possessives():
    assert [noun_of(name).a for name in ("person", "animal", "hand")] == ["a person", "an animal", "a hand"]
    assert [noun_of(name).their for name in ("person", "hand")] == ["people's", "hands'"]


@pytest.mark.parametrize(
    ("number", "sentence", "says"),
    [
        (1, "annotations have no box", "1 annotation has no box"),
        (1, "file names have backslashes", "1 file name has backslashes"),
        (1, "photographs cannot be read: left out", "1 photograph cannot be read: left out"),
        (1, "annotations are there twice", "1 annotation is there twice"),
        (1, "lines of the results are of others", "1 line of the results is of others"),
        (1, "photographs name their own", "1 photograph names its own"),
        (1, "file names could be theirs", "1 file name could be theirs"),
        (1, "people", "1 people"),
        (2, "annotations have no box", "2 annotations have no box"),
        (11, "annotations are there twice", "11 annotations are there twice"),
    ],
)
def test_a_sentence_agrees_with_its_number(number, sentence, says):
    assert counted(number, sentence) == says


def test_of_tables():
    assert (COCO_17.noun.many, named_table("hand-21").noun.many) == ("people", "hands")
