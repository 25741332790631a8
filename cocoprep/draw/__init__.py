"""Pictures of a built folder: skeletons, heatmaps, the steps of one annotation, contact sheets."""

from __future__ import annotations

from cocoprep.draw.heat import heatmaps_overlay, joint_heatmap
from cocoprep.draw.saving import picture_format, save_picture
from cocoprep.draw.sheet import Tile, contact_sheet, sheet_of
from cocoprep.draw.skeleton import draw_skeleton
from cocoprep.draw.steps import check_joint, draw_steps
from cocoprep.draw.subject import Subject, find_subject

__all__ = [
    "Subject",
    "Tile",
    "check_joint",
    "contact_sheet",
    "draw_skeleton",
    "draw_steps",
    "find_subject",
    "heatmaps_overlay",
    "joint_heatmap",
    "picture_format",
    "save_picture",
    "sheet_of",
]
