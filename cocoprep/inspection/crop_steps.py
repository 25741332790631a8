"""The steps of one crop, from an annotation to heatmaps, as a build with these settings takes them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cocoprep.coco.annotations import ImageInfo, Person
from cocoprep.crops.jpeg import decode_crop
from cocoprep.crops.person import crop_person
from cocoprep.draw.heat import heatmaps_overlay
from cocoprep.draw.layout import EDGE, GAP, KEY_ROW, PANEL_HEAD, Panel, new_page, place_joint_key, place_panel
from cocoprep.draw.photograph import Marks, draw_photograph
from cocoprep.draw.skeleton import draw_skeleton
from cocoprep.draw.steps import draw_stored, panel_size
from cocoprep.draw.text import shorten, write
from cocoprep.inspection.data_set import People
from cocoprep.pose.boxes import croppable, stored_window
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import KeypointTable

HEADER = 70
WIDEST_PHOTOGRAPH = 620
TITLE_PX = 24


def choose_example(people: People, crop: CropConfig) -> int | None:
    """Return the place of the one to show: most joints labelled, and of those the largest box; None where none is."""
    good = np.flatnonzero((people.labelled > 0) & ~people.crowd & people.sized)
    good = good[croppable(people.bbox[good], people.sizes[good], crop)]
    if not len(good):
        return None
    order = np.lexsort((good, -people.bbox[good, 2:].prod(axis=1), -people.labelled[good]))
    return int(good[order[0]])


def draw_crop_steps(
    photograph: Image.Image, image: ImageInfo, person: Person, crop: CropConfig, *, table: KeypointTable, title: str
) -> Image.Image:
    """Return a page: the photograph with the windows, the stored crop, the crop with joints, and its heatmaps."""
    made = crop_person(photograph, image, person, crop)
    stored, margin, (height, width) = decode_crop(made.jpeg, crop.stored_size), crop.margin_px, crop.input_size
    canonical = stored[margin : margin + height, margin : margin + width]
    cell = panel_size(crop.heatmap_size)
    marks = Marks(person.bbox, (), made.window, stored_window(made.window, crop))
    skeleton = draw_skeleton(canonical, made.keypoints, made.visibility, table=table, size=cell)
    heatmaps = heatmaps_overlay(canonical, made.heatmaps, table=table, size=cell)
    labelled = f"{person.num_keypoints} of {len(table)} joints labelled"
    around = f"{crop.stored_size[1]} x {crop.stored_size[0]}, with a margin of {margin} px"
    panels = [
        Panel("Photograph", labelled, draw_photograph(photograph, marks, (cell[0], WIDEST_PHOTOGRAPH)), 1),
        Panel("Stored crop", around, draw_stored(stored, margin, cell), 2),
        Panel("Crop", f"{width} x {height}, with joints", skeleton, 3),
        Panel("Heatmaps", f"{crop.heatmap_size[1]} x {crop.heatmap_size[0]}", heatmaps, 4),
    ]
    return _page(panels, title, sides=table.has_pairs)


def _page(panels: list[Panel], title: str, *, sides: bool) -> Image.Image:
    widths = [max(panel.picture.width, 300) for panel in panels]
    height = max(panel.picture.height for panel in panels)
    page = new_page(
        2 * EDGE + sum(widths) + GAP * (len(panels) - 1), HEADER + PANEL_HEAD + height + KEY_ROW + 14 + EDGE
    )
    write(page, (EDGE, HEADER / 2), shorten(title, TITLE_PX, page.width - 2 * EDGE), TITLE_PX, anchor="lm")
    left = EDGE
    for panel, width in zip(panels, widths, strict=True):
        place_panel(page, panel, left, HEADER, width)
        left += width + GAP
    place_joint_key(page, EDGE, HEADER + PANEL_HEAD + height + 14, sides=sides)
    return page
