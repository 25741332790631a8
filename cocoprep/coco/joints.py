"""Whose joints an annotation file holds: the category, its keypoint table, and the order of its numbers.

Whatever is guessed is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Protocol

from cocoprep.coco.format import Category
from cocoprep.errors import AnnotationError
from cocoprep.pose.joint_names import mirror_partners, name_key
from cocoprep.pose.keypoints import SIGMA_NOTE, Joint, KeypointTable
from cocoprep.pose.tables import COCO_17, LEAST_SIGMA, MAX_JOINTS, MAX_NAME, named_table, table_names

ALL = "all"
PERSON = "person"
UNIFORM_SIGMA = 0.067  # the mean of COCO's 17: where nobody has measured how far annotators are apart
OTHER_ORDER = "in another order: put in that of the table"  # the end of a note
_SHOWN = 20


@dataclass(frozen=True)
class FoundJoints:
    """What of a file's categories is read, and how.

    Attributes:
        table: the K joints.
        order: place in the file's numbers of each of the table's joints.
        categories: ids of the categories whose entries are read.
        category_id: that results and ground truth bear.
        category_name: what they are called there.
        names: of the categories that are read, by id.
        notes: what was guessed, in sentences.
    """

    table: KeypointTable
    order: tuple[int, ...]
    categories: frozenset[int]
    category_id: int
    category_name: str
    names: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def in_order(self) -> bool:
        """Tell whether the file has the joints in the table's order."""
        return self.order == tuple(range(len(self.order)))

    @property
    def table_as_in_file(self) -> KeypointTable:
        """Return the table with its joints in the order of the file."""
        places = {place: k for k, place in enumerate(self.order)}
        return replace(self.table, joints=tuple(self.table.joints[places[n]] for n in range(len(self.order))))


class Entries(Protocol):
    """What a file's annotations say of its categories; asked only where these do not say enough."""

    def categories(self) -> set[int]:
        """Return the ids that annotations name."""
        ...

    def numbers(self) -> int | None:
        """Return how many numbers the `keypoints` of the first annotation have that has any."""
        ...


def find_joints(
    categories: Sequence[Category],
    path: str,
    *,
    table: KeypointTable | None = None,
    name: str | None = None,
    entries: Entries,
    unlisted: KeypointTable = COCO_17,
    boxes_only: bool = False,
) -> FoundJoints:
    """Choose the category of a file and find its joints.

    Args:
        categories: the file's.
        path: named in messages.
        table: the joints, where the user says which; else those that the category lists.
        name: of the category, where the user says which; `all` for all that share their joints.
        entries: what the annotations say, where the categories do not say enough.
        unlisted: the joints of a category that lists none, where the user does not say which.
        boxes_only: nobody asks which joints are which, so that any number of those that no category lists will do.

    Raises:
        AnnotationError: there is no such category, several could be meant, or its joints are not the table's.
    """
    chosen = _named(categories, path, name) if name is not None else _choose(categories, path, entries)
    _refuse_shared_ids(categories, {category.id for category in chosen}, path)
    listed = next((category.keypoints for category in chosen if category.keypoints), None)
    notes: list[str] = []
    if listed is None:
        found = _unlisted(table or unlisted, path, entries, boxes_only=boxes_only)
        notes.append(
            f"the category {chosen[0].name!r:.100} lists no joints: taken for the {len(found)} of {found.name}"
        )
        order = tuple(range(len(found)))
    else:
        if table is not None and _are_first(table, listed, entries):
            notes.append(f"of the {len(listed)} joints that the category lists, the first {len(table)} are taken")
            listed = listed[: len(table)]
        found, order = _listed(chosen[0], listed, table, path, notes)
    if found.uniform_sigma is not None and not any(note.startswith(SIGMA_NOTE) for note in notes):
        notes.append(f"{SIGMA_NOTE}, {found.uniform_sigma:g}")
    alone = len(chosen) == 1
    others = {category.id for category in categories} - {category.id for category in chosen}
    return FoundJoints(
        table=found,
        order=order,
        categories=frozenset(category.id for category in chosen),
        # Of all together 1, unless results of that id are of a category that is not read.
        category_id=chosen[0].id if alone else next(number for number in count(1) if number not in others),
        category_name=chosen[0].name if alone else found.category,
        names={category.id: category.name[:MAX_NAME] for category in chosen},
        notes=tuple(notes),
    )


def _refuse_shared_ids(categories: Sequence[Category], chosen: set[int], path: str) -> None:
    """Refuse an id of two names: of which of them an annotation is, nobody can tell."""
    first: dict[int, str] = {}
    for category in categories:
        name = first.setdefault(category.id, category.name)
        if name != category.name and category.id in chosen:
            raise AnnotationError(
                f"{path}: the categories {name!r:.100} and {category.name!r:.100} have the same id, {category.id}, so "
                "that nobody can tell of which an annotation is. Give each an id of its own, or remove one."
            )


def _named(categories: Sequence[Category], path: str, name: str) -> list[Category]:
    found = [category for category in categories if name in (ALL, category.name)]
    if name == ALL:
        found = [category for category in found if category.keypoints] or found
    lists = {tuple(category.keypoints or ()) for category in found}
    if not found:
        raise AnnotationError(f"{path}: --category: expected one of {_shown(categories)}, found {name!r:.100}.")
    if len(lists) > 1:
        raise AnnotationError(
            f"{path}: --category: expected categories that share their joints, found {len(lists)} lists of joints: "
            f"{_shown(found)}. Choose one."
        )
    return found


def _choose(categories: Sequence[Category], path: str, entries: Entries) -> list[Category]:
    """Return the person, else the only category that lists joints, else the only one of those that is used."""
    with_joints = [category for category in categories if category.keypoints]
    people = [category for category in categories if category.name == PERSON]
    for found in ([c for c in people if c.keypoints], with_joints, [] if with_joints else people):
        if len(found) == 1:
            return found
    used = entries.categories()
    found = [category for category in with_joints or categories if category.id in used]
    if len(found) == 1:
        return found
    raise AnnotationError(
        f"{path}: expected a category {PERSON!r}, or one alone that lists joints, found {_shown(categories)}. Choose "
        f"one with --category NAME, or all of them with --category {ALL}."
    )


def _shown(categories: Sequence[Category]) -> str:
    some = [f"{c.name!r:.100} ({len(c.keypoints or ())} joints)" for c in categories[:_SHOWN]]
    return (", ".join(some) or "none") + (f" and {len(categories) - _SHOWN} more" if len(categories) > _SHOWN else "")


def _unlisted(table: KeypointTable, path: str, entries: Entries, *, boxes_only: bool) -> KeypointTable:
    length = entries.numbers()
    if length == 3 * len(table) or (boxes_only and length is None):
        return table
    if boxes_only and length is not None and length % 3 == 0 and length <= 3 * MAX_JOINTS:
        names = [f"joint {number}" for number in range(1, length // 3 + 1)]
        return KeypointTable(f"unnamed-{len(names)}", tuple(Joint(name, name, UNIFORM_SIGMA) for name in names), ())
    raise AnnotationError(
        f"{path}: the category lists no keypoints, and its annotations have {length or 'no'} numbers of them. Where "
        "this is an instances file, pass person_keypoints_*.json; else `build` and `evaluate` take --keypoints, the "
        "name of a table that `cocoprep keypoints` lists, or a file of your own."
    )


def _are_first(table: KeypointTable, names: Sequence[str], entries: Entries) -> bool:
    """Tell whether annotations have a table's joints alone, the first of those listed: Human-Art's have COCO's 17."""
    joints = len(table)
    found = len(names) > joints and _order(names[:joints], table) == tuple(range(joints))
    return found and entries.numbers() == 3 * joints


def _check_names(names: Sequence[str], path: str) -> None:
    """Raise AnnotationError where names cannot be those of a table."""
    longest = max(names, key=len)
    if len(names) > MAX_JOINTS or len(longest) > MAX_NAME:
        raise AnnotationError(
            f"{path}: the category lists {len(names)} joints, the longest name of {len(longest)} characters, "
            f"{longest!r:.40}. Expected at most {MAX_JOINTS}, and names of at most {MAX_NAME}: shorten what it lists."
        )
    if "" in names:
        raise AnnotationError(f"{path}: the category lists a joint without a name. Give each a name.")
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise AnnotationError(f"{path}: the category lists the joint {twice!r:.100} more than once. Give each a name.")


def _listed(
    category: Category, names: Sequence[str], table: KeypointTable | None, path: str, notes: list[str]
) -> tuple[KeypointTable, tuple[int, ...]]:
    _check_names(names, path)
    tables = [table] if table is not None else _likely_tables(category.name, names)
    in_order = tuple(range(len(names)))
    orders = [(one, order) for one in tables if (order := _order(names, one)) is not None]
    # Two data sets may have the same joints, each in an order of its own.
    for one, order in sorted(orders, key=lambda pair: pair[1] != in_order)[:1]:
        if order != in_order:
            notes.append(f"the file's joints are {one.name}'s {OTHER_ORDER}")
        elif tuple(names) != one.names:
            notes.append(f"the file's joints are {one.name}'s, in another spelling")
        return one, order
    if table is not None:
        raise AnnotationError(
            f"{path}: the keypoints of category {category.name!r:.100} are not {table.name}'s. Expected "
            f"{list(table.names)!r:.700}, found {list(names)!r:.700}. Leave --keypoints away to take the file's own."
        )
    return _own_table(category, names, notes), tuple(range(len(names)))


def _likely_tables(category: str, names: Sequence[str]) -> list[KeypointTable]:
    """Return the tables that come along, COCO's first, then those of this category."""
    if tuple(names) == COCO_17.names:  # of most files, for which the others need not be read
        return [COCO_17]
    known = map(named_table, table_names())
    return sorted(known, key=lambda table: (table.name != COCO_17.name, table.category != category, table.name))


def _order(names: Sequence[str], table: KeypointTable) -> tuple[int, ...] | None:
    """Return the place of each of a table's joints among names that are the same but for spelling and order."""
    if tuple(names) == table.names:
        return tuple(range(len(names)))
    places = {name_key(name): k for k, name in enumerate(names)}
    if len(names) != len(table) or len(places) != len(names):
        return None
    order = []
    for joint in table.joints:
        found = [places[key] for name in (joint.name, *joint.synonyms) if (key := name_key(name)) in places]
        if not found:
            return None
        order.append(found[0])
    return tuple(order) if len(set(order)) == len(names) else None


def _own_table(category: Category, names: Sequence[str], notes: list[str]) -> KeypointTable:
    partners = mirror_partners(names)
    pairs = [(names[k], names[other]) for k, other in enumerate(partners) if k < other]
    if pairs:
        told = ", ".join(f"{a} - {b}" for a, b in pairs[:_SHOWN])
        alone = ", ".join([name for k, name in enumerate(names) if partners[k] == k][:_SHOWN])
        notes.append(
            f"mirror partners by their names: {told:.1000}" + (f"; without one: {alone:.500}" if alone else "")
        )
    else:
        notes.append("no names of joints form pairs of left and right: nothing is mirrored")
    limbs, sigmas = _limbs(category, names, notes), _sigmas(category, len(names), notes)
    known = {name_key(name): name for name in names}
    return KeypointTable(
        name=f"{category.name[: MAX_NAME - 10] or 'file'}-{len(names)}",
        joints=tuple(
            Joint(name, names[partner], sigma) for name, partner, sigma in zip(names, partners, sigmas, strict=True)
        ),
        limbs=limbs,
        head=tuple(known[key] for name in COCO_17.head if (key := name_key(name)) in known),
        torso=tuple(
            (known[name_key(a)], known[name_key(b)])
            for a, b in COCO_17.torso
            if name_key(a) in known and name_key(b) in known
        ),
        category=category.name[:MAX_NAME] or PERSON,
    )


def _limbs(category: Category, names: Sequence[str], notes: list[str]) -> tuple[tuple[str, str], ...]:
    pairs = category.skeleton if isinstance(category.skeleton, list) else []
    limbs = tuple((names[pair[0] - 1], names[pair[1] - 1]) for pair in pairs if _is_limb(pair, len(names)))
    left_out = len(pairs) - len(limbs) or int(category.skeleton is not None and pairs is not category.skeleton)
    if left_out:
        notes.append(f"of the skeleton, {left_out} are left out that are no pair of numbers from 1 to {len(names)}")
    return limbs


def _is_limb(pair: Any, joints: int) -> bool:
    if not isinstance(pair, list) or len(pair) != 2 or pair[0] == pair[1]:
        return False
    return all(type(joint) is int and 1 <= joint <= joints for joint in pair)


def _sigmas(category: Category, joints: int, notes: list[str]) -> list[float]:
    found = category.sigmas
    right = isinstance(found, list) and all(type(s) in (int, float) and LEAST_SIGMA <= s < 1 for s in found)
    if right and len(found) == joints:
        return [float(sigma) for sigma in found]
    has = "none" if found is None else f"others than {joints} between 0 and 1"
    notes.append(f"{SIGMA_NOTE}, {UNIFORM_SIGMA}: the file has {has}, and its joints are no known table's")
    return [UNIFORM_SIGMA] * joints
