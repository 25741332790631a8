"""All checks of a data set's labels, ranked together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cocoprep.inspection.check.boxes import find_boxes, find_visibility
from cocoprep.inspection.check.expected import MOST_JOINTS
from cocoprep.inspection.check.finding import Finding
from cocoprep.inspection.check.limbs import find_in_limbs
from cocoprep.inspection.check.near import MOST_COMPARED, crowded
from cocoprep.inspection.check.network import Predicted, find_elsewhere, said_of
from cocoprep.inspection.check.others import find_beside
from cocoprep.inspection.check.people import Checked, checked_people, is_checked
from cocoprep.inspection.check.sides import find_sides
from cocoprep.inspection.check.suspect import Suspect, SuspectKind
from cocoprep.inspection.data_set import DataSet

_EXPLAIN = (SuspectKind.OTHER, SuspectKind.VISIBILITY)
_OF_JOINTS = (SuspectKind.LIMB, SuspectKind.FAR)
_SIDES = (SuspectKind.SIDES, SuspectKind.ARMS, SuspectKind.LEGS)
_FEW = 100  # people: by fewer, what is usual is not known well


@dataclass(frozen=True)
class CheckedLabels:
    """What was found.

    Attributes:
        suspects: the surest first.
        people: how many were checked.
        notes: what was not checked, in sentences.
    """

    suspects: tuple[Suspect, ...]
    people: int
    notes: tuple[str, ...]

    @property
    def people_suspected(self) -> int:
        """Count the annotations that are suspected of anything."""
        return len({one.place for one in self.suspects})

    @property
    def by_kind(self) -> dict[SuspectKind, int]:
        """Count the suspects of each kind, the kinds in their order."""
        counts = Counter(one.kind for one in self.suspects)
        return {kind: counts[kind] for kind in SuspectKind if counts[kind]}


def check_labels(data_set: DataSet, predicted: Predicted | None = None) -> CheckedLabels:
    """Check the labels of a data set; `predicted` is what a network that has not learned from its people says."""
    if not is_checked(data_set.people).any():
        return CheckedLabels((), 0, ("nobody has a label to check",))
    checked = checked_people(data_set.people, data_set.table)
    said = None if predicted is None else said_of(checked, predicted)
    sides = find_sides(checked, said)
    exchanged = {one.person for one in sides}
    findings = _once([
        *find_beside(checked), *find_in_limbs(checked), *sides, *find_boxes(checked), *find_visibility(checked),
        *([] if said is None else find_elsewhere(checked, said, exchanged)),
    ])  # fmt: skip
    findings.sort(key=lambda one: (-one.score, checked.people.annotation_ids[one.person], one.kind))
    suspects = tuple(_suspect(one, checked, data_set) for one in findings)
    return CheckedLabels(suspects, len(checked), tuple(_notes(checked)))


def _notes(checked: Checked) -> Iterator[str]:
    """Yield what was not checked, or not well."""
    noun, count = checked.table.noun, len(checked)
    if not checked.table.has_pairs:
        yield "no joints form pairs: whether left and right are exchanged was not checked"
    if count < _FEW:
        yield f"what is usual was learnt of {noun.count(count)} alone: take suspicions for hints"
    if many := crowded(checked.people.images):
        yield f"{noun.count(many)} are on photographs with more than {MOST_COMPARED}: not compared with each other"
    if len(checked.table) > MOST_JOINTS:
        yield f"poses were compared by {MOST_JOINTS} of the {len(checked.table)} joints"


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings without those that another one explains: of each person one of a kind, the surest.

    A joint that lies on somebody else makes limbs long, and any stray joint may look like sides exchanged.
    """
    best: dict[tuple[int, SuspectKind], Finding] = {}
    for one in sorted(findings, key=lambda one: -one.excess):
        first = best.setdefault((one.person, one.kind), one)
        if one.kind is SuspectKind.OTHER and first is not one:
            best[one.person, one.kind] = replace(first, joints=tuple(dict.fromkeys((*first.joints, *one.joints))))
    on_others = _joints_of(best.values(), _EXPLAIN)
    strayed = on_others | _joints_of(best.values(), _OF_JOINTS)
    explained_by = {**dict.fromkeys(_OF_JOINTS, on_others), **dict.fromkeys(_SIDES, strayed)}
    return [one for one in best.values() if one.excess > _explained(one, explained_by.get(one.kind, {}))]


def _joints_of(findings: Iterable[Finding], kinds: Sequence[SuspectKind]) -> dict[tuple[int, int], float]:
    """Return the excess of each joint (person, joint) that findings of some kinds are about."""
    return {(one.person, k): one.excess for one in findings if one.kind in kinds for k in one.joints}


def _explained(one: Finding, by: Mapping[tuple[int, int], float]) -> float:
    """Return the excess of what explains a finding by one of its joints; 0 where nothing does."""
    return max((by.get((one.person, k), 0.0) for k in one.joints), default=0.0)


def _suspect(one: Finding, checked: Checked, data_set: DataSet) -> Suspect:
    numbers, place = checked.people.annotation_ids, int(checked.places[one.person])
    number = int(numbers[one.person])
    return Suspect(
        kind=one.kind,
        annotation_id=number,
        own_id=data_set.own_ids.get(number, str(number)),
        place=place,
        image=data_set.images[checked.people.images[one.person]].file_name,
        joints=one.joints,
        score=one.score,
        why=one.why,
        other_id=None if one.other is None else int(numbers[one.other]),
    )
