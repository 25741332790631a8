"""The page of an annotation that gave no record: its photograph, and the reason in large letters."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cocoprep.draw.layout import (
    EDGE,
    GAP,
    KEY_ROW,
    PANEL_HEAD,
    Key,
    Panel,
    message_picture,
    new_page,
    place_joint_key,
    place_key,
    place_panel,
)
from cocoprep.draw.palette import DIM_TEXT, DROPPED, OTHER, TEXT
from cocoprep.draw.photograph import Marks, draw_photograph, view_of
from cocoprep.draw.skeleton import draw_skeleton
from cocoprep.draw.subject import Subject
from cocoprep.draw.text import LINE_HEIGHT, shorten, wrap, write, write_lines
from cocoprep.pose import affine

LARGEST_PHOTOGRAPH = (620, 860)
COLUMN = 430  # width of the text beside the photograph
HEADER = 104
LONGEST_DETAIL = 600  # characters
REASON_PX, TEXT_PX = 34, 17

MEANINGS = {
    "malformed": "The entry is not a valid annotation, so nothing can be read from it.",
    "category": "It is of another category than the one that was built, which is no fault.",
    "duplicate": "The same entry, id and all, is in the file before it.",
    "zero_keypoints": "None of this {one}'s joints is labelled: there is nothing to learn from it.",
    "crowd": "The entry marks a crowd, not one {one}.",
    "excluded": "The list of --exclude leaves it out, since its labels are taken for wrong.",
    "min_keypoints": "Fewer joints are labelled than --min-keypoints asks for.",
    "box": "No crop can be made from its box.",
    "leak": "Its photograph is in another data set too, or twice in this one, as --drop-leaks lists it.",
    "limit": "--limit left its photograph out of this build.",
    "image": "Its photograph could not be used.",
}


def draw_dropped(subject: Subject) -> Image.Image:
    """Return one picture of a dropped annotation: its photograph with boxes, if it can be read, and the reason."""
    picture = _photograph(subject)
    lines = _text(subject)
    keys = _key_rows(subject)
    with_joints = subject.photograph is not None and _has_joints(subject)
    below = 14 + (len(keys) + with_joints) * KEY_ROW
    body = PANEL_HEAD + max(picture.height + below, _height(lines))
    left_width = max(picture.width, 400)
    page = new_page(EDGE + left_width + GAP + 10 + COLUMN + EDGE, HEADER + body + EDGE)
    _write_header(page, subject)
    subtitle = _boxes_in_words(subject) if subject.photograph else "not available"
    place_panel(page, Panel("Photograph", subtitle, picture), EDGE, HEADER, left_width)
    y = place_key(page, keys, EDGE, HEADER + PANEL_HEAD + picture.height + 14, left_width)
    if with_joints:
        place_joint_key(page, EDGE, y, sides=subject.table.has_pairs)
    at = EDGE + left_width + GAP + 10, HEADER + PANEL_HEAD - 4.0
    for one, size_px, colour in lines:
        at = at[0], write_lines(page, at, [one], size_px, colour=colour)
    return page


def _photograph(subject: Subject) -> Image.Image:
    if subject.photograph is None:
        return message_picture(subject.fault, (420, 620))
    annotation = subject.annotation
    marks = Marks(
        box=annotation.bbox if annotation else None, others=tuple((a.bbox, kept) for a, kept in subject.others)
    )
    picture = draw_photograph(subject.photograph, marks, LARGEST_PHOTOGRAPH)
    if annotation is None or not annotation.num_keypoints:
        return picture
    joints = annotation.joints()
    view, size = view_of(subject.photograph, marks), (picture.height, picture.width)
    points = affine.image_to_crop(affine.index_to_point(joints[:, :2]), view, size)
    return draw_skeleton(picture, points, joints[:, 2].astype(np.int64), table=subject.table)


def _has_joints(subject: Subject) -> bool:
    return subject.annotation is not None and subject.annotation.num_keypoints > 0


def _write_header(page: Image.Image, subject: Subject) -> None:
    write(page, (EDGE, EDGE + 10), shorten(subject.title, 30, page.width // 2), 30, anchor="lm")
    write(page, (page.width - EDGE, EDGE + 10), f"dropped, {subject.manifest.split}", 18, colour=DROPPED, anchor="rm")
    where = "no image" if subject.image_id is None else f"image {subject.image_id}"
    if subject.image is not None:
        where += f"  ·  {subject.image.file_name}"
        where += f"  ·  {subject.image.width} x {subject.image.height} px" if subject.image.has_size else ""
    where += f"  ·  row {subject.row} of the annotation file"
    write(page, (EDGE, EDGE + 42), shorten(where, 16, page.width - 2 * EDGE), 16, colour=DIM_TEXT, anchor="lm")


def _boxes_in_words(subject: Subject) -> str:
    count = len(subject.others) + (subject.annotation is not None)
    return f"{count} annotated {subject.table.noun.of(count)}"


def _key_rows(subject: Subject) -> list[Key]:
    if subject.photograph is None:
        return []
    own = [Key("this annotation's box", DROPPED, "thick")] if subject.annotation else []
    return own + other_keys(subject)


def other_keys(subject: Subject) -> list[Key]:
    """Return the key's rows for the boxes of the photograph's other annotations."""
    kept = sum(one for _, one in subject.others)
    dropped = len(subject.others) - kept
    rows = [Key(f"other boxes, kept:  {kept}", OTHER, "thin")] if kept else []
    return rows + ([Key(f"other boxes, dropped:  {dropped}", OTHER, "dotted")] if dropped else [])


_Line = tuple[str, int, tuple[int, int, int]]


def _text(subject: Subject) -> list[_Line]:
    """Return the lines beside the photograph: the reason, what it means, the detail, and the facts."""
    reason = subject.reason or ""
    lines: list[_Line] = [("Dropped:", TEXT_PX, DIM_TEXT)]
    lines += [(one, REASON_PX, DROPPED) for one in wrap(reason, REASON_PX, COLUMN)]
    lines.append(("", 8, DIM_TEXT))
    paragraphs = [
        (MEANINGS.get(reason, "").format(one=subject.table.noun.one), TEXT),
        (subject.detail[:LONGEST_DETAIL], TEXT),
    ]
    paragraphs += [(fact, DIM_TEXT) for fact in _facts(subject)]
    for text, colour in paragraphs:
        if text:
            lines += [(one, TEXT_PX, colour) for one in wrap(text, TEXT_PX, COLUMN)]
            lines.append(("", 6, DIM_TEXT))
    return lines


def _facts(subject: Subject) -> list[str]:
    annotation = subject.annotation
    if annotation is None:
        return ["Its box is not known: ground_truth.json does not list this entry."]
    x, y, width, height = annotation.bbox
    facts = [
        f"box: {width:.1f} x {height:.1f} px at ({x:.1f}, {y:.1f})",
        f"labelled joints: {annotation.num_keypoints} of {len(subject.table)}",
        f"at least {subject.manifest.select.min_keypoints} labelled needed (--min-keypoints)",
    ]
    return facts + ["marked as a crowd"] * bool(annotation.iscrowd)


def _height(lines: list[_Line]) -> int:
    return sum(round(size_px * LINE_HEIGHT) for _, size_px, _ in lines)
