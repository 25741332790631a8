"""Which category of a file is read, which joints it has, and what is told of what was guessed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cocoprep.coco.format import Category
from cocoprep.coco.joints import UNIFORM_SIGMA, find_joints
from cocoprep.errors import AnnotationError
from cocoprep.pose.table_text import table_toml
from cocoprep.pose.tables import COCO_17, named_table, parse_table, table_names
from cocoprep.shards.settings import keypoint_record, table_of
from tests.support.scoring import HANDS

NAMES = list(HANDS.names)
COCO = list(COCO_17.names)


@dataclass
class Entries:
    """What annotations say."""

    used: set = frozenset()
    length: int | None = None

    def categories(self):
        return self.used

    def numbers(self):
        return self.length


def find(*categories, used=(), length=None, **options):
    return find_joints(categories, "a.json", entries=Entries(set(used), length), **options)


@pytest.mark.parametrize(
    ("categories", "used", "chosen"),
    [
        ([Category(7, "person", NAMES)], [], 7),
        ([Category(3, "dog", ["tail"]), Category(7, "person", NAMES)], [3], 7),  # by its name, wherever it stands
        ([Category(7, "person"), Category(3, "default", NAMES)], [7, 3], 3),  # where it has joints
        ([Category(7, "person", []), Category(8, "person", NAMES)], [7], 8),
        ([Category(1, "car"), Category(2, "human", NAMES)], [1], 2),  # else the only one with joints
        ([Category(7, "person", NAMES), Category(7, "person"), Category(1, "a"), Category(1, "b")], [7], 7),
        ([Category(1, "human", NAMES), Category(2, "hand", ["x"])], [2], 2),  # else the one of them that is used
    ],
)
def test_the_category(categories, used, chosen):
    found = find(*categories, used=used)
    assert (found.categories, found.category_id) == ({chosen}, chosen)


def test_by_its_name_or_all_of_them():
    animals = [Category(n, f"animal {n}", COCO) for n in (3, 5, 9)]
    assert find(*animals, name="animal 5").categories == {5}
    everything = find(*animals, name="all")
    assert (everything.categories, everything.category_id, everything.category_name) == ({3, 5, 9}, 1, "person")
    beside_others = find(Category(1, "car"), Category(2, "bus"), *animals, name="all")
    assert (beside_others.categories, beside_others.category_id) == ({3, 5, 9}, 3)  # results of 1 are of cars


@pytest.mark.parametrize(
    ("categories", "options", "says"),
    [
        ([], {}, r"^a\.json: expected a category 'person', or one alone that lists joints, found none"),
        ([Category(1, "a", ["x"]), Category(2, "b", ["y"])], {"used": [1, 2]}, r"'a' \(1 joints\), 'b' \(1 joints\)"),
        ([Category(1, "a", ["x"])], {"name": "b"}, r"--category: expected one of 'a' \(1 joints\), found 'b'"),
        ([Category(1, "a", ["x"]), Category(2, "b", ["y"])], {"name": "all"}, "found 2 lists of joints"),
        (
            [Category(7, "person", NAMES[:2])],
            {"table": HANDS},
            r"are not hands's\. Expected \['head', .*found \['head'",
        ),
        ([Category(7, "person", ["x", "x"])], {}, "lists the joint 'x' more than once"),
        ([Category(7, "person", ["x", ""])], {}, "a joint without a name"),
        ([Category(7, "person", [f"j{n}" for n in range(1001)])], {}, "lists 1001 joints, .* Expected at most 1000"),
        ([Category(7, "person", ["x", "y" * 101])], {}, "longest name of 101 characters, 'yyy.*names of at most 100"),
        ([Category(7, "person", ["x"]), Category(7, "dog")], {}, "'person' and 'dog' have the same id, 7"),
        ([Category(7, "person")], {"length": 6}, "lists no keypoints, and its annotations have 6 numbers"),
        ([Category(7, "person")], {}, "lists no keypoints, and its annotations have no numbers"),
        ([Category(7, "person")], {"length": 6}, "`build` and `evaluate` take --keypoints"),
    ],
)
def test_what_cannot_be_chosen_is_told_with_what_there_is(categories, options, says):
    with pytest.raises(AnnotationError, match=says):
        find(*categories, **options)


@pytest.mark.parametrize("name", table_names())
def test_a_known_tables_joints_are_known_in_any_spelling_and_order(name):
    table = named_table(name)
    plain = find(Category(1, "x", list(table.names)))
    assert (plain.table, plain.in_order, plain.notes) == (table, True, ())
    loud = [joint.replace("_", " ").title() for joint in table.names]
    spelt = find(Category(1, "x", loud))
    assert (spelt.table, spelt.in_order, len(spelt.notes)) == (table, True, 1)
    turned = find(Category(1, "x", loud[::-1]))
    if name == "lsp-14":  # has the joints of aic-14: which of the two is meant, only the order says
        assert turned.table == named_table("aic-14")
        turned = find(Category(1, "x", loud[::-1]), table=table)
    assert turned.table == table
    assert turned.order == tuple(range(len(table)))[::-1]
    assert turned.notes == (f"the file's joints are {name}'s in another order: put in that of the table",)
    assert turned.table_as_in_file.names == table.names[::-1]
    assert turned.table_as_in_file.oks_sigmas.tolist() == table.oks_sigmas[::-1].tolist()


def test_a_category_of_a_long_name_makes_a_table_that_a_manifest_takes():
    table = find(Category(4, "x" * 1_000_000, [f"j{n}" for n in range(1000)])).table
    assert table_of(keypoint_record(table)) == table
    assert parse_table(table_toml(table).encode(), "t.toml") == table


def test_joints_of_nobodys_table():
    names = ["L Wing", "R Wing", "beak", "Tail"]
    found = find(Category(4, "bird", names, [[1, 3], [2, 3], [3, 9], [3], "x", [1.0, 2]]))
    table = found.table
    assert (table.name, table.category, table.names, table.flip_index) == ("bird-4", "bird", tuple(names), (1, 0, 2, 3))
    assert table.limbs == (("L Wing", "beak"), ("R Wing", "beak"))
    assert set(table.oks_sigmas) == {UNIFORM_SIGMA}
    assert found.notes == (
        "mirror partners by their names: L Wing - R Wing; without one: beak, Tail",
        "of the skeleton, 4 are left out that are no pair of numbers from 1 to 4",
        f"OKS by one sigma for all joints, {UNIFORM_SIGMA}: the file has none, and its joints are no known table's",
    )
    assert table.families == {"wing": (0, 1), "beak": (2,), "Tail": (3,)}


def test_sigmas_of_the_file_are_taken():
    found = find(Category(4, "bird", ["beak", "tail"], None, [0.1, 0.2]))
    assert found.table.oks_sigmas.tolist() == [0.1, 0.2]
    assert found.notes == ("no names of joints form pairs of left and right: nothing is mirrored",)


@pytest.mark.parametrize("sigmas", [[0.1], [0.1, 2], ["a", "b"], {"a": 1}, "ab", [True, True], [None, 0.1]])
def test_odd_sigmas_are_told(sigmas):
    found = find(Category(4, "bird", ["beak", "tail"], {"of": "another form"}, sigmas))
    assert set(found.table.oks_sigmas) == {UNIFORM_SIGMA}
    assert found.notes[1] == "of the skeleton, 1 are left out that are no pair of numbers from 1 to 2"
    assert "the file has others than 2 between 0 and 1" in found.notes[2]


def test_whatever_stands_beside_the_joints_of_a_known_table_costs_nothing():
    found = find(Category(1, "person", COCO, "odd", "odd"))
    assert (found.table, found.notes) == (COCO_17, ())


def test_head_and_torso_are_found_by_name():
    names = [*COCO[:13], "tail"]
    table = find(Category(1, "centaur", names)).table
    assert (table.head, table.torso) == (COCO_17.head, COCO_17.torso)


def test_a_category_without_names_has_cocos_or_those_that_are_given():
    found = find(Category(1, "person"), length=51)
    assert found.table is COCO_17
    assert found.notes == ("the category 'person' lists no joints: taken for the 17 of coco-17",)
    assert find(Category(1, "person"), table=HANDS, length=9).table is HANDS


def test_a_table_may_be_the_first_of_the_joints_that_are_listed():
    listed = Category(1, "person", list(named_table("humanart-21").names))
    found = find(listed, table=COCO_17, length=51)
    assert (found.table, found.in_order) == (COCO_17, True)
    assert found.notes == ("of the 21 joints that the category lists, the first 17 are taken",)
    with pytest.raises(AnnotationError, match="are not coco-17's"):
        find(listed, table=COCO_17, length=63)
