"""CVAT's "CVAT for images 1.1", an `annotations.xml` whose images have skeletons (docs.cvat.ai: XML annotation format).

A skeleton has `points`, one a joint, named by `label`: `outside` means that it is not labelled, `occluded` that it is
hidden. The labels under `meta` say which joints a skeleton has, in which order, and in their SVG which of them a line
joins. Older tasks have single `points` that are grouped, and a `box` in the group. CVAT's coordinates are measured from
the picture's corner, as its boxes are: a pixel's centre is at a half, which is taken off, since COCO's are indices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cocoprep.errors import AnnotationError
from cocoprep.importers.account import Account
from cocoprep.importers.by_name import NamedPerson, add_named, categories_by_name
from cocoprep.importers.dataset import ImportedDataset, SplitDraft
from cocoprep.importers.names import split_name
from cocoprep.importers.photographs import Source
from cocoprep.importers.xml_events import read_xml
from cocoprep.importers.zipped import is_zip, read_member
from cocoprep.pose.affine import point_to_index
from cocoprep.pose.boxes import BBox

NOT_CARRIED = (
    "boxes of skeletons, unless a box is grouped with one: the extent of the joints stands for them",
    "tags, attributes, polygons, masks and whatever else has no joints",
)
PERSON = "person"
_FILE = "annotations.xml"
# Bounded so that a megabyte of beginnings without an end is passed over at once.
_CIRCLE = re.compile(r"<circle\b[^<>]*>")
_LINE = re.compile(r"<line\b[^<>]*>")
_ATTRIBUTE = re.compile(r'data-([a-z-]{1,40})="([^"]*)"')
_SHAPES = frozenset({"box", "polygon", "polyline", "ellipse", "cuboid", "mask", "tag"})
_Joint = tuple[float, float, int]


def read_cvat(source: Source) -> ImportedDataset:
    """Return the people of an annotations.xml, or of the zip that it lies in.

    Raises:
        AnnotationError: it is none, or nobody in it has joints.
    """
    draft = SplitDraft(Account())
    reader = CvatReader(draft)
    zipped = is_zip(source.path, source.files)
    data = read_member(source.path, _FILE, source.files) if zipped else source.read("CVAT's annotations.xml")
    read_xml(data, source.path, reader)
    if not reader.people:
        told = "; ".join(draft.account.left_out.lines)
        raise AnnotationError(
            f"{source.path}: no skeleton in it. Expected an export as CVAT for images 1.1. {told:.400}"
        )
    categories = categories_by_name(reader.people, reader.joints, reader.limbs, source.table, source.path)
    add_named(draft, reader.people, categories, source.table)
    images = source.images or (source.path if zipped else source.find_images(source.beside("images", "")))
    split = draft.finish(split_name(reader.task or "cvat"), images)
    return ImportedDataset(tuple(categories.values()), (split,), draft.account, NOT_CARRIED)


@dataclass
class _Label:
    name: str = ""
    parent: str = ""
    svg: str = ""


@dataclass
class _Group:
    joints: dict[str, _Joint] = field(default_factory=dict)
    box: BBox | None = None
    skeletons: int = 0


@dataclass
class CvatReader:
    """Collects people as elements go by; see `XmlReader`."""

    draft: SplitDraft
    people: list[NamedPerson] = field(default_factory=list)
    joints: dict[str, list[str]] = field(default_factory=dict)
    limbs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    task: str = ""
    _stack: list[str] = field(default_factory=list)
    _label: _Label = field(default_factory=_Label)
    _place: int | None = None
    _name: str = ""
    _skeleton: str | None = None
    _skeleton_group: str = "0"
    _skeleton_joints: dict[str, _Joint] = field(default_factory=dict)
    _groups: dict[str, _Group] = field(default_factory=dict)
    _of_image: list[tuple[str, dict[str, _Joint], str]] = field(default_factory=list)

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """See `XmlReader`."""
        if not self._stack and name != "annotations":
            raise ValueError(f"the element {name:.100}, expected annotations, CVAT's")
        self._stack.append(name)
        if name == "track":
            raise ValueError("a track: this is CVAT for video. Export the task as CVAT for images 1.1")
        if name == "label":
            self._label = _Label()
        elif name == "image":
            self._begin_image(attributes)
        elif "image" in self._stack:
            self._begin_shape(name, attributes)

    def end(self, name: str, text: str) -> None:
        """See `XmlReader`."""
        self._stack.pop()
        inside = self._stack[-1] if self._stack else ""
        if inside == "label" and name in ("name", "parent", "svg"):
            setattr(self._label, name, text.strip() if name != "svg" else text)
        elif name == "label":
            self._end_label()
        elif name == "name" and inside in ("task", "project", "job"):
            self.task = self.task or text.strip()
        elif name == "skeleton" and self._skeleton is not None:
            self._of_image.append((self._skeleton, self._skeleton_joints, self._skeleton_group))
            self._skeleton = None
        elif name == "image":
            self._end_image()

    def _end_label(self) -> None:
        label = self._label
        if label.parent:
            joints = self.joints.setdefault(label.parent, [])
            if label.name not in joints:
                joints.append(label.name)
        elif label.svg:
            self.limbs[label.name] = limbs_of(label.svg)

    def _begin_image(self, attributes: Mapping[str, str]) -> None:
        sides = [attributes.get(side, "") for side in ("width", "height")]
        width, height = (int(s) if s.isascii() and s.isdigit() and len(s) < 10 else 0 for s in sides)
        self._name = attributes.get("name", "")
        self._place = self.draft.photograph(self._name, *((width, height) if width and height else (0, 0)))
        self._groups, self._of_image = {}, []

    def _begin_shape(self, name: str, attributes: Mapping[str, str]) -> None:
        label, group = attributes.get("label", ""), attributes.get("group_id", "0")
        if name == "skeleton":
            self._skeleton, self._skeleton_joints, self._skeleton_group = label, {}, group
        elif name == "points":
            self._add_points(label, group, attributes)
        elif name == "box" and group != "0":
            self._put_box(self._groups.setdefault(group, _Group()), self._box(attributes))
        elif name in _SHAPES:
            self.draft.account.left_out.add(f"{name} shapes are in no group with joints")

    def _add_points(self, label: str, group: str, attributes: Mapping[str, str]) -> None:
        left_out = self.draft.account.left_out
        try:
            (x, y), *others = (map(float, pair.split(",")) for pair in attributes.get("points", "").split(";"))
        except ValueError:
            left_out.add("points have no two coordinates", self._name)
            return
        x, y = point_to_index([x, y]).tolist()
        is_outside, is_hidden = (attributes.get(name) == "1" for name in ("outside", "occluded"))
        joint = x, y, 0 if is_outside else 1 if is_hidden else 2
        if others:
            left_out.add("shapes have several points, which do not say which joint each is", self._name)
        elif self._skeleton is not None:
            self._put(self._skeleton_joints, label, joint)
        elif group != "0":
            self._put(self._groups.setdefault(group, _Group()).joints, label, joint)
        else:
            left_out.add("points are in no skeleton and no group", self._name)

    def _put(self, joints: dict[str, _Joint], label: str, joint: _Joint) -> None:
        if label in joints:
            self.draft.account.left_out.add("joints are there twice: the first is taken", self._name)
        joints.setdefault(label, joint)

    def _put_box(self, group: _Group, box: BBox | None) -> None:
        if group.box is not None and box is not None:
            self.draft.account.left_out.add("rectangles are not the first of their group", self._name)
        group.box = group.box or box

    def _box(self, attributes: Mapping[str, str]) -> BBox | None:
        try:
            left, top, right, bottom = (float(attributes.get(side, "")) for side in ("xtl", "ytl", "xbr", "ybr"))
        except ValueError:
            self.draft.account.left_out.add("rectangles have no four sides", self._name)
            return None
        return left, top, right - left, bottom - top

    def _end_image(self) -> None:
        for category, joints, group in self._of_image:
            found = self._groups.get(group) if group != "0" else None
            if found is not None:
                found.skeletons += 1
            box = found.box if found is not None and found.skeletons == 1 else None
            self._add(category, joints, box)
        for loose in self._groups.values():
            if loose.skeletons > 1 and loose.box is not None:
                self.draft.account.left_out.add("rectangles are in a group of several skeletons", self._name)
            if loose.joints:
                self._add(PERSON, loose.joints, loose.box)
            elif loose.box is not None and not loose.skeletons:
                self.draft.account.left_out.add("box shapes are in no group with joints")
        self._of_image, self._groups = [], {}

    def _add(self, category: str, joints: Mapping[str, _Joint], box: BBox | None) -> None:
        if self._place is None:
            self.draft.skip("annotations are on a photograph whose name cannot be used", self._name)
        else:
            self.people.append(NamedPerson(self._place, category, joints, box))


def limbs_of(svg: str) -> list[tuple[str, str]]:
    """Return the pairs of joints that the lines of a skeleton's SVG join, by name."""
    circles = [dict(_ATTRIBUTE.findall(tag)) for tag in _CIRCLE.findall(svg)]
    names = {circle["node-id"]: circle["label-name"] for circle in circles if {"node-id", "label-name"} <= set(circle)}
    lines = [dict(_ATTRIBUTE.findall(tag)) for tag in _LINE.findall(svg)]
    ends = [(line.get("node-from"), line.get("node-to")) for line in lines]
    return [(names[a], names[b]) for a, b in ends if a in names and b in names]
