"""Regions of Label Studio, joints, rectangles and what joins them, made into people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cocoprep.importers.account import Account, Tally
from cocoprep.importers.by_name import NamedPerson
from cocoprep.pose.affine import point_to_index
from cocoprep.pose.boxes import BBox

PERSON = "person"
_KEYPOINT, _RECTANGLE, _RELATION = "keypointlabels", "rectanglelabels", "relation"
_ALONE = "annotations have joints and no rectangle: taken for one person each"
_ONLY = "joints have no rectangle by parentID or relation: taken for the only one's"
_Side = Annotated[int, Meta(ge=1, le=10**9)]


class _Value(msgspec.Struct):
    x: float = math.nan
    y: float = math.nan
    width: float = math.nan
    height: float = math.nan
    rotation: float | None = 0
    keypointlabels: list[str] | None = None
    rectanglelabels: list[str] | None = None


class _Raw(msgspec.Struct):
    type: str = ""
    id: str = ""
    parentID: str | None = None  # noqa: N815 - Label Studio's spelling
    value: _Value | None = None
    original_width: _Side | None = None
    original_height: _Side | None = None
    image_rotation: float | None = 0
    from_id: str = ""
    to_id: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """One region.

    Attributes:
        kind: of which it is.
        id: its own.
        parent: of the region above it, or else of one end of a relation; empty where there is none.
        other: of the other end of a relation.
        label: what it is called.
        size: (width, height) of the photograph; None where not stated.
        corner: x, y in pixels from the picture's corner.
        bbox: of a rectangle: x, y, width, height in pixels.
    """

    kind: Literal["joint", "box", "relation"]
    id: str = ""
    parent: str = ""
    other: str = ""
    label: str = ""
    size: tuple[int, int] | None = None
    corner: tuple[float, float] = (0.0, 0.0)
    bbox: BBox | None = None


_decoder = msgspec.json.Decoder(_Raw)


def parse_region(raw: msgspec.Raw, name: str, left_out: Tally) -> Region | None:
    """Return a region; None, and counted, where it is of another kind or cannot be used."""
    try:
        found = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        left_out.add("regions are malformed", name)
        return None
    if found.type == _RELATION:
        return Region("relation", parent=found.from_id, other=found.to_id)
    if found.type not in (_KEYPOINT, _RECTANGLE):
        left_out.add("regions are neither KeyPointLabels nor RectangleLabels", found.type)
        return None
    fault = _fault(found)
    if fault:
        left_out.add(fault, name)
        return None
    return _joint(found) if found.type == _KEYPOINT else _rectangle(found)


def _fault(found: _Raw) -> str | None:
    if found.original_width is None or found.original_height is None:
        return "regions have no size of their photograph"
    if found.image_rotation:
        return "regions are of a photograph that was turned in Label Studio"
    value = found.value
    if value is None or not (math.isfinite(value.x) and math.isfinite(value.y)):
        return "regions have no place"
    if found.type == _RECTANGLE and not (math.isfinite(value.width) and math.isfinite(value.height)):
        return "regions have no place"
    labels = value.keypointlabels if found.type == _KEYPOINT else value.rectanglelabels
    return None if labels and len(labels) == 1 else "regions have no label, or several"


def _joint(found: _Raw) -> Region:
    value, size = _placed(found)
    label = (value.keypointlabels or [""])[0]
    corner = value.x / 100 * size[0], value.y / 100 * size[1]
    return Region("joint", found.id, found.parentID or "", label=label, size=size, corner=corner)


def _rectangle(found: _Raw) -> Region:
    value, (width, height) = _placed(found)
    left, top = value.x / 100 * width, value.y / 100 * height
    w, h = value.width / 100 * width, value.height / 100 * height
    turn = math.radians(value.rotation or 0.0)
    # Label Studio turns a rectangle about its left upper corner, clockwise.
    xs = [left + dx * math.cos(turn) - dy * math.sin(turn) for dx, dy in ((0, 0), (w, 0), (w, h), (0, h))]
    ys = [top + dx * math.sin(turn) + dy * math.cos(turn) for dx, dy in ((0, 0), (w, 0), (w, h), (0, h))]
    box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)) if turn else (left, top, w, h)
    label = (value.rectanglelabels or [PERSON])[0]
    return Region("box", found.id, found.parentID or "", label=label, size=(width, height), bbox=box)


def _placed(found: _Raw) -> tuple[_Value, tuple[int, int]]:
    return found.value or _Value(), (found.original_width or 0, found.original_height or 0)


def people_of(regions: Sequence[Region], place: int, name: str, account: Account) -> Iterator[NamedPerson]:
    """Yield the people of one annotation: each rectangle that has joints, or all joints where there is none."""
    boxes = _boxes(regions, name, account)
    joints = [region for region in regions if region.kind == "joint"]
    if joints and not boxes:
        account.guessed.add(_ALONE, name)
        yield NamedPerson(place, PERSON, _by_label(joints, name, account), None)
        return
    of_box: dict[str, list[Region]] = {}
    related = _relations(regions)
    for joint in joints:
        owner = _owner(joint, boxes, related)
        if owner is None and len(boxes) == 1:
            account.guessed.add(_ONLY, name)
            owner = next(iter(boxes))
        if owner is None:
            account.left_out.add("joints are of none of several rectangles", name)
        else:
            of_box.setdefault(owner, []).append(joint)
    for number, box in boxes.items():
        yield NamedPerson(place, box.label, _by_label(of_box.get(number, []), name, account), box.bbox)


def _boxes(regions: Sequence[Region], name: str, account: Account) -> dict[str, Region]:
    """Return rectangles by id: of several with one id the first, since nothing says whose the joints are."""
    boxes: dict[str, Region] = {}
    for region in regions:
        if region.kind == "box" and boxes.setdefault(region.id, region) is not region:
            account.left_out.add("rectangles have no id, or that of another: the first is taken", name)
    return boxes


def _relations(regions: Sequence[Region]) -> dict[str, list[str]]:
    related: dict[str, list[str]] = {}
    for region in regions:
        if region.kind == "relation":
            related.setdefault(region.parent, []).append(region.other)
            related.setdefault(region.other, []).append(region.parent)
    return related


def _owner(joint: Region, boxes: Mapping[str, Any], related: Mapping[str, list[str]]) -> str | None:
    candidates = {other for other in (joint.parent, *related.get(joint.id, ())) if other in boxes}
    return candidates.pop() if len(candidates) == 1 else None


def _by_label(joints: Sequence[Region], name: str, account: Account) -> dict[str, tuple[float, float, int]]:
    found: dict[str, tuple[float, float, int]] = {}
    for joint in joints:
        if joint.label in found:
            account.left_out.add("joints are there twice: the first is taken", name)
            continue
        x, y = point_to_index(joint.corner).tolist()
        found[joint.label] = x, y, 2
    return found
