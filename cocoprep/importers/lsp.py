"""Leeds Sports Pose and its extended training set: `joints.mat`, and photographs `images/im0001.jpg` or `im00001.jpg`.

The two differ in shape and in what the third number says. LSP's is 3 x 14 x N, the third being 1 where a joint is
hidden; LSPET's is 14 x 3 x N, the third being 0 where it is not labelled. README.txt of either archive says no more
than "visibility"; programs that read both turn LSP's around. Coordinates are MATLAB's pixel indices, from 1: 1 is taken
off. The authors' protocol trains on the first 1000 of LSP's 2000.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import AnnotationError
from cocoprep.importers.account import Account
from cocoprep.importers.dataset import (
    Category,
    ImportedDataset,
    ImportedPerson,
    ImportedSplit,
    SplitDraft,
    without_unlabelled,
)
from cocoprep.importers.matlab import read_mat
from cocoprep.importers.mpii_frame import FROM_ONE
from cocoprep.importers.photographs import Source, measure
from cocoprep.pose.tables import named_table

LSP_14 = named_table("lsp-14")
NOT_CARRIED = ("boxes: the extent of the joints stands for them", "the scale of people, and head sizes")
HIDDEN_NOT_SAID = (
    "whether a joint is hidden: LSPET says only which are labelled, and all of them are written as visible"
)
_TRAINING = 1000
_MOST_PEOPLE = 200_000
_Joints = NDArray[np.float64]


def read_lsp(source: Source) -> ImportedDataset:
    """Return the people of a `joints.mat`.

    Raises:
        AnnotationError: it is no such file.
        ConfigError: what is named as photographs is none.
    """
    joints, extended = _joints(source.read("joints.mat of LSP or LSPET"), source.path)
    images = source.find_images(source.beside("images", ""))
    account = Account()
    total = len(joints)
    parts = {"lspet": (0, total)} if extended else {"lsp": (0, total)}
    if not extended and total == 2 * _TRAINING:
        parts = {"train": (0, _TRAINING), "test": (_TRAINING, total)}
    splits = tuple(
        _split(name, joints[first:last], first, extended=extended, images=images, source=source, account=account)
        for name, (first, last) in parts.items()
    )
    lacks = (*NOT_CARRIED, HIDDEN_NOT_SAID) if extended else NOT_CARRIED
    return ImportedDataset((Category.of(LSP_14),), splits, account, lacks)


def _joints(data: bytes, path: str) -> tuple[_Joints, bool]:
    """Return (N, 14, 3) as stored, and whether they are LSPET's."""
    try:
        stored = read_mat(data)["joints"].numbers()
    except (ValueError, KeyError) as error:
        what = "no array called joints" if isinstance(error, KeyError) else str(error)
        raise AnnotationError(f"{path}: not the joints.mat of LSP or LSPET ({what:.300}).") from error
    joints = len(LSP_14)
    if stored.ndim != 3 or stored.shape[:2] not in ((3, joints), (joints, 3)) or not 0 < stored.shape[2] < _MOST_PEOPLE:
        raise AnnotationError(
            f"{path}: expected joints of 3 x {joints} x N (LSP) or {joints} x 3 x N (LSPET), found "
            f"{' x '.join(map(str, stored.shape)):.100}."
        )
    extended = stored.shape[0] == joints
    return np.moveaxis(stored, (2, 0, 1), (0, 1, 2) if extended else (0, 2, 1)).astype(np.float64), extended


def _split(
    name: str, joints: _Joints, first: int, *, extended: bool, images: str | None, source: Source, account: Account
) -> ImportedSplit:
    draft = SplitDraft(account)
    form = _name_form(images, source, extended=extended)
    for number, person in enumerate(joints.tolist(), first + 1):
        place = draft.photograph(form.format(number))
        triples = [(x, y, _visibility(flag, extended=extended) if (x, y) != (0, 0) else 0) for x, y, flag in person]
        if nowhere := sum(1 for x, y, flag in person if (x, y) == (0, 0) and _visibility(flag, extended=extended)):
            account.guessed.add(
                "joints are at (0, 0), where no picture is: not labelled", form.format(number), number=nowhere
            )
        assert place is not None, "a name of ours"
        draft.add(ImportedPerson(place, without_unlabelled(triples, FROM_ONE)))
    drafted = draft.finish(name, images)
    return ImportedSplit(name, images, measure(drafted.photographs, images, source, account), drafted.people)


def _visibility(flag: float, *, extended: bool) -> int:
    if extended:
        return 2 if flag else 0
    return 1 if flag else 2


def _name_form(images: str | None, source: Source, *, extended: bool) -> str:
    """Return how photographs are called: JPEG, or PNG as the annotations mended by Pishchulin and others come with."""
    form = "im{:05d}" if extended else "im{:04d}"
    folder = images if images is not None and source.files.is_folder(images) else None
    is_png = folder is not None and source.files.exists(source.files.join(folder, form.format(1) + ".png"))
    return form + (".png" if is_png else ".jpg")
