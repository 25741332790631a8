"""One page for one annotation: the steps from photograph to heatmaps, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.checks import require_choice
from cocoprep.draw import ink
from cocoprep.draw.dropped import draw_dropped, other_keys
from cocoprep.draw.heat import heatmaps_overlay, joint_heatmap, unit_values, zoomed_heatmap
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
from cocoprep.draw.palette import BOX, CANONICAL, DIM_TEXT, OUTLINE, STORED
from cocoprep.draw.photograph import Marks, draw_photograph
from cocoprep.draw.skeleton import draw_skeleton
from cocoprep.draw.subject import Subject
from cocoprep.draw.text import shorten, write
from cocoprep.pose import affine
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.boxes import stored_window
from cocoprep.pose.heatmaps import decode_heatmaps
from cocoprep.pose.keypoints import VISIBLE, KeypointTable

CELL = 384  # the longer side of a panel with a crop
WIDEST_PHOTOGRAPH = 940
LOWEST_BODY = 640  # so that flat crops leave the photograph room
HEADER = 124
MARGIN_SHADE = 0.3


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where the panels go. `cell` is the (H, W) of a panel with a crop."""

    cell: tuple[int, int]
    body: int
    key_rows: int

    @property
    def photograph(self) -> tuple[int, int]:
        """Return the largest (H, W) of the photograph's panel: the key stands below it."""
        return self.body - PANEL_HEAD - 14 - self.key_rows * KEY_ROW, WIDEST_PHOTOGRAPH


def draw_steps(subject: Subject, *, joint: str | None = None) -> Image.Image:
    """Return one picture of what the build made of an annotation.

    For a kept person: the photograph with all boxes and the crop's windows, the stored crop, the canonical crop with
    joints and limbs, one joint's heatmap, and all heatmaps over the crop. For a dropped annotation: its photograph, if
    it can be read, and the reason.

    Args:
        subject: from `find_subject`.
        joint: whose heatmap is shown; None chooses a labelled one within the crop.

    Raises:
        ConfigError: there is no joint of this name.
    """
    if joint is not None:
        check_joint(joint, subject.table)
    if subject.person is None:
        return draw_dropped(subject)
    return _draw_kept(subject, subject.person, joint)


def check_joint(joint: str, table: KeypointTable) -> None:
    """Raise ConfigError where a table has no joint of this name."""
    require_choice("--joint", joint, table.names)


def choose_joint(points: NDArray[np.floating], visibility: NDArray[np.integer], size: tuple[int, int]) -> int:
    """Return the index of the joint to show: within the crop of `size` (H, W) if any is, and visible if one is."""
    labelled, within = visibility > 0, affine.inside(points, size)
    rank = 4 * (labelled & within) + 2 * labelled + 1 * (visibility == VISIBLE)
    return int(rank.argmax())


def panel_size(heatmap_size: tuple[int, int], longest: int = CELL) -> tuple[int, int]:
    """Return the (H, W) of a panel with a crop: a whole number of pixels for each heatmap pixel where that fits."""
    most = max(heatmap_size)
    scale = longest // most if most <= longest else longest / most
    return max(1, round(heatmap_size[0] * scale)), max(1, round(heatmap_size[1] * scale))


def _draw_kept(subject: Subject, person: dict[str, Any], joint: str | None) -> Image.Image:
    cell = panel_size(subject.crop.heatmap_size)
    keys = _key_rows(subject, person)
    grid = _Grid(cell, max(2 * (PANEL_HEAD + cell[0]) + GAP, LOWEST_BODY), len(keys) + 1)
    photograph = _photograph_panel(subject, person, grid)
    left_width = max(photograph.picture.width, 500)
    right = EDGE + left_width + GAP
    cell_width = max(cell[1], 288)
    page = new_page(right + 2 * cell_width + GAP + EDGE, HEADER + grid.body + EDGE)
    _write_header(page, subject, person)
    place_panel(page, photograph, EDGE, HEADER, left_width)
    key_top = HEADER + PANEL_HEAD + photograph.picture.height + 14
    below = place_key(page, keys, EDGE, key_top, left_width)
    place_joint_key(page, EDGE, below, sides=subject.table.has_pairs)
    for n, panel in enumerate(_crop_panels(subject, person, cell, joint)):
        x = right + (n % 2) * (cell_width + GAP)
        place_panel(page, panel, x, HEADER + (n // 2) * (PANEL_HEAD + cell[0] + GAP), cell_width)
    return page


def _write_header(page: Image.Image, subject: Subject, person: dict[str, Any]) -> None:
    visibility = person["visibility"]
    hidden, visible = int((visibility == 1).sum()), int((visibility == VISIBLE).sum())
    outside = int(((visibility > 0) & ~affine.inside(person["keypoints"], subject.crop.input_size)).sum())
    width = page.width - 2 * EDGE
    write(page, (EDGE, EDGE + 10), shorten(subject.title, 30, page.width // 2), 30, anchor="lm")
    kept = shorten(f"kept in {subject.shard}", 16, width - 420)
    write(page, (page.width - EDGE, EDGE + 10), kept, 16, colour=DIM_TEXT, anchor="rm")
    where = (
        f"image {person['image_id']}  ·  {person['file_name']}  ·  "
        f"{person['image_width']} x {person['image_height']} px  ·  row {subject.row} of the annotation file"
    )
    if subject.rivals:
        where += f"  ·  {subject.rivals} more with this id dropped"
    write(page, (EDGE, EDGE + 42), shorten(where, 16, width), 16, colour=DIM_TEXT, anchor="lm")
    what = (
        f"{hidden + visible} of {len(visibility)} joints labelled:  {visible} visible  ·  {hidden} hidden  ·  "
        f"{len(visibility) - hidden - visible} not labelled"
    )
    if outside:
        what += f"  ·  {outside} outside the crop"
    write(page, (EDGE, EDGE + 64), shorten(what, 16, width), 16, anchor="lm")


def _photograph_panel(subject: Subject, person: dict[str, Any], grid: _Grid) -> Panel:
    if subject.photograph is None:
        height, width = grid.photograph
        picture = message_picture(subject.fault, (height, min(width, 620)))
        return Panel("Photograph", "not available", picture, 1)
    window = CropWindow(*map(float, person["crop_window"]))
    marks = Marks(
        box=tuple(map(float, person["bbox"])),  # type: ignore[arg-type]  # four numbers
        others=tuple((a.bbox, kept) for a, kept in subject.others),
        canonical=window,
        stored=stored_window(window, subject.crop),
    )
    count = len(subject.others) + 1
    subtitle = f"{count} annotated {subject.table.noun.of(count)}; what lies outside the stored window is dark"
    return Panel("Photograph", subtitle, draw_photograph(subject.photograph, marks, grid.photograph), 1)


def _key_rows(subject: Subject, person: dict[str, Any]) -> list[Key]:
    crop = subject.crop
    window = CropWindow(*map(float, person["crop_window"]))
    stored = stored_window(window, crop)

    def becomes(w: CropWindow, size: tuple[int, int]) -> str:
        return f"{w.width:.0f} x {w.height:.0f} px, becomes {size[1]} x {size[0]}"

    box_width, box_height = person["bbox"][2:]
    rows = [
        Key(f"annotated box:  {box_width:.0f} x {box_height:.0f} px", BOX, "thick"),
        Key(f"canonical window:  {becomes(window, crop.input_size)}", CANONICAL, "plain"),
    ]
    if crop.margin_px:  # else it is the canonical window
        rows.append(
            Key(f"stored window:  {becomes(stored, crop.stored_size)}, margin {crop.margin_px}", STORED, "dashed")
        )
    return rows + other_keys(subject)


def _crop_panels(subject: Subject, person: dict[str, Any], cell: tuple[int, int], joint: str | None) -> list[Panel]:
    crop, table = subject.crop, subject.table
    margin, (height, width) = crop.margin_px, crop.input_size
    canonical = person["image"][margin : margin + height, margin : margin + width]
    overlay = heatmaps_overlay(canonical, person["heatmaps"], table=table, size=cell)
    skeleton = draw_skeleton(canonical, person["keypoints"], person["visibility"], table=table, size=cell)
    around = f"a margin of {margin} px" if margin else "no margin"
    stored_size = f"{crop.stored_size[1]} x {crop.stored_size[0]}, with {around}"
    return [
        Panel("Stored crop", stored_size, draw_stored(person["image"], margin, cell), 2),
        Panel("Canonical crop", f"{width} x {height}, with joints and limbs", skeleton, 3),
        _heatmap_panel(subject, person, canonical, cell, joint),
        Panel("All heatmaps", f"{len(table)} maps, coloured by {'side' if table.has_pairs else 'joint'}", overlay, 5),
    ]


def draw_stored(stored: ink.Picture, margin: int, cell: tuple[int, int]) -> Image.Image:
    """Return a stored crop enlarged to a panel of `cell` (H, W), the canonical crop's rectangle marked."""
    image = stored if isinstance(stored, Image.Image) else Image.fromarray(stored)
    corners = [(margin, margin), (image.width - margin, image.height - margin)]
    (left, top), (right, bottom) = affine.image_to_crop(corners, CropWindow(0, 0, image.width, image.height), cell)
    canvas = ink.canvas_of(ink.enlarge(image, cell))
    if margin:
        inner = canvas[round(top) : round(bottom), round(left) : round(right)].copy()
        ink.fill(canvas, (0, 0, cell[1], cell[0]), OUTLINE, MARGIN_SHADE)
        canvas[round(top) : round(bottom), round(left) : round(right)] = inner
        ink.box(canvas, (left, top, right, bottom), CANONICAL)
    return ink.picture_of(canvas)


def _heatmap_panel(
    subject: Subject, person: dict[str, Any], canonical: NDArray[np.uint8], cell: tuple[int, int], joint: str | None
) -> Panel:
    points, visibility, crop = person["keypoints"], person["visibility"], subject.crop
    k = choose_joint(points, visibility, crop.input_size) if joint is None else subject.table.names.index(joint)
    heatmap = person["heatmaps"][..., k]
    name = subject.table.names[k].replace("_", " ")
    size = f"{crop.heatmap_size[1]} x {crop.heatmap_size[0]}"
    if not visibility[k]:
        return Panel(
            f"Heatmap: {name}", f"{size}; not labelled, so all zero", joint_heatmap(heatmap, cell, under=canonical), 4
        )
    within = bool(affine.inside(points[k], crop.input_size))
    if not within:
        picture = joint_heatmap(heatmap, cell, under=canonical)
        return Panel(f"Heatmap: {name}", f"{size}; the joint is outside the crop", picture, 4)
    decoded, _ = decode_heatmaps(person["heatmaps"])
    x, y = decoded[k]
    mark = affine.crop_to_heatmap(points[k], crop.heatmap_stride)
    picture = zoomed_heatmap(heatmap, cell, under=canonical, point=mark)
    highest = float(unit_values(heatmap).max())
    return Panel(f"Heatmap: {name}", f"{size}; peak {highest:.2f} at x {x:.2f}, y {y:.2f}", picture, 4)
