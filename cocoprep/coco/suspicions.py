"""Labels of a right form that look wrong, as some converters write them: told with the likely cause.

What is judged are shares of a file's people, not single ones. Measured on sound labels, 6,200 people of COCO, LSPET,
MPII, CrowdPose, AIC, OCHuman, PoseTrack, Human-Art, hands and animals: no labelled joint at (0, 0), nobody within 0..1,
no box that reaches far out of its photograph, and 1 of COCO's 86 people with most joints outside of the box. Boxes that
would do as corners too are 3 in 10 of LSPET's, whose people fill their photographs, and 1 in 12 of COCO's; where boxes
are made corners, 9 in 10 of COCO's read so, and 6 in 10 reach far out, of LSPET's all and 1 in 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.truth import Truth

WARNING = "warning: "
_AT_CORNER = 1e-4  # of labelled joints; in millions, one or two are right
_WITHIN_ONE = 0.5  # of people
_LIKE_CORNERS = 0.8  # of boxes; not all, since some joints lie outside of theirs
_FAR_OUT = 0.05  # of boxes; and of the photograph's side, by which such a box reaches out of it at least
_FAR_OF_BOX = 0.17  # of the box's side, which it does too; those padded by a quarter around joints reach out by 1/6
_OUTSIDE = 0.05  # of people
_SLACK = 0.1  # of a box's longer side, by which joints may lie outside of it
_MOST, _NEARLY_ALL = 0.5, 0.9  # of a person's joints

_Bools = NDArray[np.bool_]
_Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Labels:
    """N people with K joints, at least one of each labelled.

    Attributes:
        image_ids: (N,) int64.
        sizes: (N, 2) width and height of each person's photograph, 0 where not known.
        bbox: (N, 4) x, y, width, height.
        x, y: (N, K) pixel indices.
        labelled: (N, K) bool.
    """

    image_ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    bbox: _Floats
    x: _Floats
    y: _Floats
    labelled: _Bools


def suspicions(parts: Iterable[Labels], source_ids: Mapping[int, str]) -> tuple[str, ...]:
    """Return a warning for each way in which the labels of a file look wrong.

    Args:
        parts: its people, some at a time.
        source_ids: the own id of images whose id is no number.
    """
    counts, example = Counter[str](), dict[str, int]()
    for people in parts:
        counts["people"] += len(people.bbox)
        counts["joints"] += int(people.labelled.sum())
        at_corner = people.labelled & (people.x == 0) & (people.y == 0)
        counts["joints at corner"] += int(at_corner.sum())
        kinds = {"at corner": at_corner.any(axis=1), **_kinds_of(people, people.labelled & ~at_corner)}
        for kind, chosen in kinds.items():
            counts[kind] += int(chosen.sum())
            if chosen.any():
                lowest = int(people.image_ids[chosen].min())  # whatever the file's order
                example[kind] = min(lowest, example.get(kind, lowest))
    named = {kind: f"image {source_ids.get(number, number)!r:.200}" for kind, number in example.items()}
    return tuple(f"{WARNING}{text}" for text in _told(counts, named))


def labels_of(truth: Truth) -> Labels:
    """Return what there is to judge of a ground truth: the people that count."""
    sizes = {image["id"]: (image["width"], image["height"]) for image in truth.images}
    image_ids = truth.image_ids[truth.counts]
    return Labels(
        image_ids=image_ids,
        sizes=np.array([sizes[number] for number in image_ids.tolist()], np.int64).reshape(-1, 2),
        bbox=truth.bbox[truth.counts],
        x=truth.keypoints[truth.counts, :, 0],
        y=truth.keypoints[truth.counts, :, 1],
        labelled=truth.visibility[truth.counts] > 0,
    )


def _kinds_of(people: Labels, joints: _Bools) -> dict[str, _Bools]:
    """Return (N,) which people are of each kind, by those (N, K) of their joints that are not at (0, 0)."""
    x, y, w, h = np.moveaxis(people.bbox, -1, 0)
    sized, fit, far = _as_corners(people.bbox, people.sizes)
    within_one = (people.x >= 0) & (people.x <= 1) & (people.y >= 0) & (people.y <= 1)
    like_corners = sized & fit & _holds(np.stack([x, y, w - x, h - y], axis=-1), people, joints, _NEARLY_ALL)
    boxed = joints.any(axis=1) & (w > 0) & (h > 0)
    outside = boxed & ~_holds(people.bbox, people, joints)
    return {
        "within one": joints.any(axis=1) & (within_one | ~joints).all(axis=1),
        "sized": sized,
        "like corners": like_corners,
        "far out": far & like_corners,
        "boxed": boxed,
        "outside": outside,
        "centred": outside & _holds(np.stack([x - w / 2, y - h / 2, w, h], axis=-1), people, joints),
    }


def _as_corners(bbox: _Floats, sizes: NDArray[np.int64]) -> tuple[_Bools, _Bools, _Bools]:
    """Return (N,) whether boxes have a photograph of known size, fit as corners, and reach far out as they are."""
    x, y, w, h = np.moveaxis(bbox, -1, 0)
    width, height = sizes[:, 0], sizes[:, 1]
    far_right = x + w - width > np.maximum(_FAR_OUT * width, _FAR_OF_BOX * w)
    far_down = y + h - height > np.maximum(_FAR_OUT * height, _FAR_OF_BOX * h)
    fit = (x < w) & (y < h) & (w <= (1 + _FAR_OUT) * width) & (h <= (1 + _FAR_OUT) * height)
    return (width > 0) & (height > 0), fit, far_right | far_down


def suspicious_boxes(bbox: _Floats, sizes: NDArray[np.int64]) -> tuple[str, ...]:
    """Return a warning where a detector's boxes (N, 4) look like corners in photographs of `sizes` (N, 2), 0 unknown.

    Sound detectors' boxes stay within their photograph.
    """
    sized, fit, far = _as_corners(bbox, sizes)
    known, like_corners, far_out = (int(one.sum()) for one in (sized, sized & fit, sized & fit & far))
    if like_corners < _LIKE_CORNERS * known or far_out <= _FAR_OUT * known:
        return ()
    text = (
        f"{far_out} of the detections' {known} boxes reach far out of their photograph, but as corners x1, y1, x2, y2 "
        "they would fit. They are taken as COCO's, x, y, width, height: if they are corners, write x2 - x1 for x2, "
        "y2 - y1 for y2"
    )
    return (f"{WARNING}{text}",)


def _holds(bbox: _Floats, people: Labels, joints: _Bools, share: float = _MOST) -> _Bools:
    """Return (N,) whether boxes (N, 4) hold at least a share of their people's joints (N, K)."""
    x, y, w, h = np.moveaxis(bbox[:, None].astype(people.x.dtype), -1, 0)
    slack = _SLACK * np.maximum(w, h)
    across = (people.x >= x - slack) & (people.x <= x + w + slack)
    down = (people.y >= y - slack) & (people.y <= y + h + slack)
    held = np.count_nonzero(across & down & joints, axis=1)
    enough: _Bools = held >= share * np.count_nonzero(joints, axis=1)
    return enough


def _told(counts: Counter[str], example: dict[str, str]) -> Iterable[str]:
    at_corner, outside = counts["at corner"], counts["outside"]
    if counts["joints at corner"] > _AT_CORNER * counts["joints"]:
        yield (
            f"labelled joints lie at exactly (0, 0), {counts['joints at corner']} in all, in {at_corner} of "
            f"{counts['people']} annotations, as on {example['at corner']}: converters write that where a joint is "
            "missing. Give it visibility 0"
        )
    if counts["within one"] > _WITHIN_ONE * counts["people"]:
        yield (
            f"the joints of {counts['within one']} of {counts['people']} annotations lie within 0 and 1, as on "
            f"{example['within one']}: as if divided by the photograph's size. Multiply them by it, and boxes too: "
            "COCO's are pixels"
        )
    elif counts["like corners"] >= _LIKE_CORNERS * counts["sized"] and counts["far out"] > _FAR_OUT * counts["sized"]:
        yield (
            f"{counts['far out']} of {counts['sized']} boxes reach far out of their photograph, as on "
            f"{example['far out']}, but as corners x1, y1, x2, y2 they would fit and hold the joints. COCO's boxes are "
            "x, y, width, height: write x2 - x1 for x2, y2 - y1 for y2"
        )
    elif outside > _OUTSIDE * counts["boxed"]:
        cause = "of another photograph, or of one of another size"
        if counts["centred"] >= _LIKE_CORNERS * outside:
            cause = "given by their centres; COCO's x, y are the left upper corner"
        yield (
            f"most joints of {outside} of {counts['boxed']} annotations lie outside of their box, as on "
            f"{example['outside']}: as if the boxes were {cause}"
        )
