"""MPII as JSON: a list of people with `image`, `joints`, `joints_vis`, `center`, `scale`, as HRNet and MMPose read it.

`joints_vis` is 1 where a joint is labelled, hidden or not; where it is 0, the joint is (-1, -1) or (0, 0), and is not
labelled. Head boxes and visibility are in files of their own (gt_valid.mat), which are not read.
"""

from __future__ import annotations

import os

import msgspec

from cocoprep.errors import AnnotationError
from cocoprep.importers.account import Account
from cocoprep.importers.dataset import ImportedDataset, ImportedPerson, SplitDraft, without_unlabelled
from cocoprep.importers.json_list import read_json_list
from cocoprep.importers.mpii_frame import CATEGORY, FROM_ONE, MPII_16, box_of
from cocoprep.importers.names import split_name

NOT_CARRIED = (
    "head sizes, which PCKh needs: in this form they are in gt_valid.mat. The official MAT-file has them",
    "whether a joint is hidden: all labelled ones are written as visible",
    "activities and videos",
)
_MISSING = ((-1.0, -1.0), (0.0, 0.0))
_LISTS = "Expected a list of people, each with image, joints, joints_vis, center and scale."


class _Entry(msgspec.Struct, gc=False):
    image: str
    joints: list[tuple[float, float]]
    joints_vis: list[float]
    center: tuple[float, float] = (-1.0, -1.0)
    scale: float = -1.0


_decoder = msgspec.json.Decoder(_Entry)


def read_mpii_json(data: bytes, path: str) -> ImportedDataset:
    """Return the people of a list; sizes of photographs are not known yet. Raises AnnotationError where it is none."""
    entries = read_json_list(data, path, "MPII's JSON", _LISTS)
    account = Account()
    draft = SplitDraft(account)
    for row, raw in enumerate(entries):
        _add(draft, raw, row)
    if not draft.people:
        raise AnnotationError(f"{path}: no person in it can be used, of {len(entries)} entries. {_LISTS}")
    name = split_name(os.path.basename(path).partition(".")[0])
    return ImportedDataset((CATEGORY,), (draft.finish(name, None),), account, NOT_CARRIED)


def _add(draft: SplitDraft, raw: msgspec.Raw, row: int) -> None:
    try:
        entry = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        draft.skip("annotations are malformed", f"row {row}: {error}")
        return
    if len(entry.joints) != len(MPII_16) or len(entry.joints_vis) != len(MPII_16):
        draft.skip(f"annotations have other than {len(MPII_16)} joints", f"row {row}")
        return
    place = draft.photograph(entry.image)
    if place is None:
        draft.skip("annotations are on a photograph whose name cannot be used", f"row {row}")
        return
    triples = []
    for (x, y), visible in zip(entry.joints, entry.joints_vis, strict=True):
        if visible and (x, y) in _MISSING:
            draft.account.guessed.add("joints are at (-1, -1) or (0, 0) and said to be labelled: not labelled", row)
        triples.append((x, y, 2 if visible and (x, y) not in _MISSING else 0))
    keypoints = without_unlabelled(triples, FROM_ONE)
    draft.add(ImportedPerson(place, keypoints, box_of(*entry.center, entry.scale)))
