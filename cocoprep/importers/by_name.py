"""Joints that a file names one by one: into an order, and into COCO's list of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cocoprep.coco.format import Category as ListedCategory
from cocoprep.coco.joints import find_joints
from cocoprep.errors import AnnotationError
from cocoprep.importers.dataset import Category, ImportedPerson, SplitDraft, without_unlabelled
from cocoprep.pose.boxes import BBox
from cocoprep.pose.joint_names import name_key
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import MAX_JOINTS, MAX_NAME

Limbs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """One person whose joints are known by name.

    Attributes:
        photograph: its place.
        category: what it is called.
        joints: x, y as pixel indices and visibility, by name.
        bbox: None where there is none.
    """

    photograph: int
    category: str
    joints: Mapping[str, tuple[float, float, int]]
    bbox: BBox | None


class _Nothing:
    def categories(self) -> set[int]:
        return set()

    def numbers(self) -> int | None:
        return None


def categories_by_name(
    people: Iterable[NamedPerson],
    listed: Mapping[str, Sequence[str]],
    limbs: Mapping[str, Limbs],
    table: KeypointTable | None,
    path: str,
) -> dict[str, Category]:
    """Return the categories of people by name, in order.

    Args:
        people: whose joints are taken, sorted by name, where their category lists none.
        listed: joints by category.
        limbs: pairs of joints by category.
        table: the joints of all, where the user says which.
        path: named in messages.

    Raises:
        AnnotationError: joints cannot be those of a table: too many, too long a name, or twice the same.
    """
    seen: dict[str, set[str]] = {}
    for person in people:
        seen.setdefault(person.category, set()).update(person.joints)
    found = {}
    for name in sorted(seen):
        if table is not None:
            found[name] = Category.of(table, name)
        elif joints := tuple(listed.get(name) or sorted(seen[name])):
            found[name] = Category(name, joints, _skeleton(name, joints, limbs.get(name, ()), path))
    return found


def _skeleton(name: str, joints: tuple[str, ...], limbs: Limbs, path: str) -> tuple[tuple[int, int], ...]:
    places = {joint: k for k, joint in enumerate(joints, 1)}
    pairs = [[places[a], places[b]] for a, b in limbs if a in places and b in places and a != b]
    if len(joints) > MAX_JOINTS or max(map(len, joints)) > MAX_NAME:
        raise AnnotationError(
            f"{path}: {name!r:.100} has {len(joints)} joints; expected at most {MAX_JOINTS}, and names of at most "
            f"{MAX_NAME} characters."
        )
    known = find_joints([ListedCategory(1, name, list(joints), pairs)], path, entries=_Nothing())
    return tuple((a, b) for a, b in known.table_as_in_file.skeleton)


def add_named(
    draft: SplitDraft, people: Iterable[NamedPerson], categories: Mapping[str, Category], table: KeypointTable | None
) -> None:
    """Put people into a draft, their joints in the order of their category; joints that it lacks are counted."""
    places = {name: _places(category, table) for name, category in categories.items()}
    order = {name: n for n, name in enumerate(categories)}
    for person in people:
        if person.category not in categories:
            draft.skip("annotations have no joints", person.category)
            continue
        triples = [(0.0, 0.0, 0)] * len(categories[person.category].joints)
        for joint, triple in person.joints.items():
            place = places[person.category].get(joint if table is None else name_key(joint))
            if place is None:
                draft.account.left_out.add("joints are none of their category's", joint)
            else:
                triples[place] = triple
        draft.add(ImportedPerson(person.photograph, without_unlabelled(triples), person.bbox, order[person.category]))


def _places(category: Category, table: KeypointTable | None) -> dict[object, int]:
    if table is None:
        return {name: k for k, name in enumerate(category.joints)}
    return {name_key(name): k for k, joint in enumerate(table.joints) for name in (joint.name, *joint.synonyms)}
