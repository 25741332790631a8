"""Whose joints an annotation file holds: the category, its keypoint table, and the order of its numbers.

Whatever is guessed is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cocoprep.coco.format import Category
from cocoprep.errors import AnnotationError
from cocoprep.pose.joint_names import mirror_partners, plain_name
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17, named_table, table_names

ALL = "all"
PERSON = "person"
UNIFORM_SIGMA = 0.067  # the mean of COCO's 17: where nobody has measured how far annotators are apart
_SHOWN = 20


@dataclass(frozen=True)
class FoundJoints:
    """What of a file's categories is read, and how.

    Attributes:
        table: the K joints.
        order: place in the file's numbers of each of the table's joints.
        categories: ids of the categories whose entries are read.
        category_id: that results and ground truth bear.
        notes: what was guessed, in sentences.
    """

    table: KeypointTable
    order: tuple[int, ...]
    categories: frozenset[int]
    category_id: int
    notes: tuple[str, ...] = ()

    @property
    def in_order(self) -> bool:
        """Tell whether the file has the joints in the table's order."""
        return self.order == tuple(range(len(self.order)))


def find_joints(
    categories: Sequence[Category],
    path: str,
    *,
    table: KeypointTable | None = None,
    name: str | None = None,
    used: Counter[int],
    length: int | None = None,
) -> FoundJoints:
    """Choose the category of a file and find its joints.

    Args:
        categories: the file's.
        path: named in messages.
        table: the joints, where the user says which; else those that the category lists.
        name: of the category, where the user says which; `all` for all that share their joints.
        used: how many annotations each category id has.
        length: of the first annotation's `keypoints` in numbers, where there is one: for categories that list none.

    Raises:
        AnnotationError: there is no such category, several could be meant, or its joints are not the table's.
    """
    chosen = _choose(categories, path, name, used)
    listed = next((category.keypoints for category in chosen if category.keypoints), None)
    notes: list[str] = []
    if listed is None:
        found = _unlisted(table, path, length)
        notes.append(f"the category {chosen[0].name!r:.100} lists no joints: taken for {found.name}'s {len(found)}")
        order = tuple(range(len(found)))
    else:
        found, order = _listed(chosen, listed, table, path, notes)
    category_id = chosen[0].id if len(chosen) == 1 or name != ALL else 1
    return FoundJoints(found, order, frozenset(category.id for category in chosen), category_id, tuple(notes))


def _choose(categories: Sequence[Category], path: str, name: str | None, used: Counter[int]) -> list[Category]:
    with_joints = [category for category in categories if category.keypoints]
    if name == ALL:
        shared = {tuple(category.keypoints or ()) for category in with_joints}
        if len(shared) > 1:
            raise AnnotationError(
                f"{path}: --category all: expected categories that share their joints, found {len(shared)} lists of "
                f"joints: {_shown(with_joints)}. Choose one."
            )
        found = with_joints or list(categories)
    elif name is not None:
        found = [category for category in categories if category.name == name]
    else:
        named = [category for category in categories if category.name == PERSON]
        found = next(
            (
                some
                for some in (
                    [category for category in named if category.keypoints],
                    with_joints,
                    [category for category in with_joints if used[category.id]],
                    named,
                    [category for category in categories if used[category.id]],
                )
                if len(some) == 1 or (some and some == named)
            ),
            [],
        )
    if not found or (name != ALL and len({tuple(category.keypoints or ()) for category in found}) > 1):
        wanted = f"a category {name!r:.100}" if name else f"a category {PERSON!r}, or one alone that lists joints"
        raise AnnotationError(
            f"{path}: expected {wanted}, found {_shown(categories)}. Choose with --category NAME, or all of them with "
            f"--category {ALL}."
        )
    return found


def _shown(categories: Sequence[Category]) -> str:
    some = [f"{c.name!r:.100} ({len(c.keypoints or ())} joints)" for c in categories[:_SHOWN]]
    return (", ".join(some) or "none") + (f" and {len(categories) - _SHOWN} more" if len(categories) > _SHOWN else "")


def _unlisted(table: KeypointTable | None, path: str, length: int | None) -> KeypointTable:
    if table is not None:
        return table
    if length == 3 * len(COCO_17):
        return COCO_17
    raise AnnotationError(
        f"{path}: the category lists no joints, and its annotations have {length} numbers in 'keypoints'. Where it is an "
        "instances file, pass a person_keypoints_*.json; else name the joints: --keypoints, see `cocoprep keypoints`."
    )


def _listed(
    chosen: Sequence[Category], names: Sequence[str], table: KeypointTable | None, path: str, notes: list[str]
) -> tuple[KeypointTable, tuple[int, ...]]:
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise AnnotationError(f"{path}: the category lists the joint {twice!r:.100} more than once. Give each a name.")
    tables = [table] if table is not None else [named_table(known) for known in _by_likelihood(chosen[0].name)]
    for one in tables:
        order = _order(names, one)
        if order is not None:
            if order != tuple(range(len(order))):
                notes.append(f"the file's joints are {one.name}'s in another order: put in that of the table")
            elif tuple(names) != one.names:
                notes.append(f"the file's joints are {one.name}'s, in another spelling")
            return one, order
    if table is not None:
        raise AnnotationError(
            f"{path}: the keypoints of category {chosen[0].name!r:.100} are not {table.name}'s. Expected "
            f"{list(table.names)!r:.700}, found {list(names)!r:.700}. Leave --keypoints away to take the file's own."
        )
    return _own_table(chosen[0], names, notes), tuple(range(len(names)))


def _by_likelihood(category: str) -> list[str]:
    return sorted(table_names(), key=lambda name: (name != COCO_17.name, named_table(name).category != category, name))


def _order(names: Sequence[str], table: KeypointTable) -> tuple[int, ...] | None:
    """Return the place of each of a table's joints among names, equal but for case, space, hyphen and order."""
    places = {plain_name(name): k for k, name in enumerate(names)}
    if len(names) != len(table) or len(places) != len(names):
        return None
    order = [places.get(plain_name(joint.name)) for joint in table.joints]
    return None if None in order else tuple(k for k in order if k is not None)


def _own_table(category: Category, names: Sequence[str], notes: list[str]) -> KeypointTable:
    partners = mirror_partners(names)
    pairs = [(names[k], names[other]) for k, other in enumerate(partners) if k < other]
    if pairs:
        told = ", ".join(f"{a} - {b}" for a, b in pairs[:_SHOWN])
        notes.append(f"mirror partners by their names: {told:.1000}")
    else:
        notes.append("no names of joints form pairs of left and right: nothing is mirrored")
    sigmas = category.sigmas
    if sigmas is None or len(sigmas) != len(names) or not all(0 < sigma < 1 for sigma in sigmas):
        sigmas = [UNIFORM_SIGMA] * len(names)
        notes.append(f"OKS by one sigma for all joints, {UNIFORM_SIGMA}: the file has none, nor has a known table")
    limbs = tuple(
        (names[pair[0] - 1], names[pair[1] - 1])
        for pair in category.skeleton or ()
        if len(pair) == 2 and all(1 <= joint <= len(names) for joint in pair) and pair[0] != pair[1]
    )
    plain = {plain_name(name): name for name in names}
    return KeypointTable(
        name=f"{category.name or 'file'}-{len(names)}",
        joints=tuple(
            Joint(name, names[partner], sigma) for name, partner, sigma in zip(names, partners, sigmas, strict=True)
        ),
        limbs=limbs,
        head=tuple(plain[name] for name in COCO_17.head if name in plain),
        torso=tuple((plain[a], plain[b]) for a, b in COCO_17.torso if a in plain and b in plain),
        category=category.name or PERSON,
    )
