"""MPII's official MAT-file, mpii_human_pose_v1_u12_1.mat: a struct RELEASE, as its page and README.md describe it.

RELEASE.annolist(i) has `image.name` and `annorect(j)`, one a person: `x1`, `y1`, `x2`, `y2` of the head's box, `objpos`
and `scale`, and `annopoints.point(k)`: `x`, `y`, `id` from 0 to 15 and `is_visible`, which the two of the head lack.
RELEASE.img_train(i) is 1 for training. The joints of the other images came out apart, in 2021: these are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from cocoprep.errors import AnnotationError
from cocoprep.importers.account import Account
from cocoprep.importers.dataset import ImportedDataset, ImportedPerson, SplitDraft, without_unlabelled
from cocoprep.importers.matlab import Matrix, read_mat
from cocoprep.importers.mpii_frame import CATEGORY, FROM_ONE, MPII_16, box_of
from cocoprep.pose.boxes import BBox

NOT_CARRIED = (
    "people of the test images: their joints are not in this file",
    "which people stand apart (single_person), activities and videos",
)
_TEST = "test images have joints that are not in this file"
_SPLIT = "train"
_Struct = Mapping[str, Matrix]


def read_mpii_mat(
    data: bytes, path: str, on_image: Callable[[int, int], None] = lambda done, total: None
) -> ImportedDataset:
    """Return the people of the training images; sizes of photographs are not known yet.

    Args:
        data: the file's content.
        path: named in messages.
        on_image: told how many of all images are read.

    Raises:
        AnnotationError: it is not that file.
    """
    account = Account()
    draft = SplitDraft(account)
    try:
        release = read_mat(data)["RELEASE"].struct()
        is_train = np.ravel(release["img_train"].numbers()) != 0
        annolist = release["annolist"]
        if len(is_train) != annolist.count:
            raise ValueError(f"{annolist.count} images, and {len(is_train)} are said to be for training or not")
        for done, (image, train) in enumerate(zip(annolist.structs(), is_train.tolist(), strict=True), 1):
            on_image(done, annolist.count)
            if train:
                _add_image(draft, image)
            else:
                account.left_out.add(_TEST)
    except (ValueError, KeyError, TypeError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise AnnotationError(
            f"{path}: not MPII's MAT-file ({what:.300}). Expected mpii_human_pose_v1_u12_1.mat, with RELEASE in it."
        ) from error
    if not draft.people:
        raise AnnotationError(f"{path}: no person in it can be used. Expected mpii_human_pose_v1_u12_1.mat.")
    return ImportedDataset((CATEGORY,), (draft.finish(_SPLIT, None),), account, NOT_CARRIED)


def _add_image(draft: SplitDraft, image: _Struct) -> None:
    name = image["image"].struct()["name"].text()
    rectangles = image.get("annorect")
    place = draft.photograph(name)
    if place is None or rectangles is None:
        draft.skip("images have no name that can be used, or no people", name)
        return
    for person in rectangles.structs():
        try:
            _add_person(draft, person, place)
        except ValueError as error:
            draft.skip("annotations are malformed", f"{name}: {error}")


def _add_person(draft: SplitDraft, person: _Struct, place: int) -> None:
    guessed = draft.account.guessed
    joints: dict[int, tuple[float, float, int]] = {}
    for holder in _structs(person, "annopoints"):
        for point in _structs(holder, "point"):
            number, x, y = (_number(point, name) for name in ("id", "x", "y"))
            if number is None or x is None or y is None or number not in range(len(MPII_16)):
                guessed.add("joints have no place, or an id that is none from 0 to 15: not labelled")
                continue
            visible = _number(point, "is_visible")
            if visible is None:
                guessed.add("joints have no word on being hidden, as those of the head: written as visible")
            joints[int(number)] = x, y, 1 if visible == 0 else 2
    if not joints:
        guessed.add("annotations have no joints: kept without any, which a build drops as zero_keypoints")
    triples = [joints.get(k, (0.0, 0.0, 0)) for k in range(len(MPII_16))]
    box = _box(person)
    if box is None and not joints:
        draft.skip("annotations have neither joints nor a place")
        return
    draft.add(ImportedPerson(place, without_unlabelled(triples, FROM_ONE), box, head_box=_head_box(person)))


def _structs(holder: _Struct, name: str) -> list[dict[str, Matrix]]:
    return list(holder[name].structs()) if name in holder else []


def _number(holder: _Struct, name: str) -> float | None:
    return holder[name].number() if name in holder else None


def _box(person: _Struct) -> BBox | None:
    places = _structs(person, "objpos")
    scale = _number(person, "scale")
    if not places or scale is None:
        return None
    x, y = _number(places[0], "x"), _number(places[0], "y")
    return None if x is None or y is None else box_of(x, y, scale)


def _head_box(person: _Struct) -> BBox | None:
    corners = [_number(person, name) for name in ("x1", "y1", "x2", "y2")]
    found = [corner + FROM_ONE for corner in corners if corner is not None]
    return (found[0], found[1], found[2], found[3]) if len(found) == 4 else None
