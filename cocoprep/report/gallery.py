"""The gallery's data: what the page's script searches and draws, as JSON takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cocoprep.checks import printable
from cocoprep.draw.palette import joint_colours, limb_colours
from cocoprep.inspection.check.suspect import Suspect
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.report.content import Picture
from cocoprep.report.entry import Entry
from cocoprep.report.wording import words


@dataclass(frozen=True)
class Files:
    """The names of an entry's pictures, as the page refers to them; empty where there is none."""

    crop: str = ""
    maps: str = ""


def gallery_data(
    entries: Sequence[Entry],
    files: Mapping[str, Files],
    suspects: Sequence[Suspect],
    surroundings: Mapping[int, Picture],
    *,
    table: KeypointTable,
    crop: CropConfig,
    command: str,
    built: bool,
) -> dict[str, Any]:
    """Return all that the script is given.

    Args:
        entries: in the order of the gallery.
        files: of each entry by its key.
        suspects: labels that look wrong, surest first.
        surroundings: their pictures by their place.
        table: the K joints.
        crop: how people are cropped.
        command: draws an entry, before its id; empty where no command does.
        built: the entries are those of a built folder.
    """
    by_annotation: dict[int, list[int]] = {}
    for n, suspect in enumerate(suspects):
        by_annotation.setdefault(suspect.annotation_id, []).append(n)
    height, width = crop.heatmap_size
    return {
        "joints": [_text(words(name)) for name in table.names],
        "colours": [_hex(colour) for colour in joint_colours(table).tolist()],
        "limbs": [list(ends) for ends in table.limb_index],
        "limbColours": [_hex(colour) for colour in limb_colours(table).tolist()],
        "size": [crop.input_size[1], crop.input_size[0]],
        "map": [width, height],
        "command": _text(command),
        "built": built,
        "suspects": [
            {
                "kind": one.kind.value,
                "joints": list(one.joints),
                "score": round(float(one.score), 4),
                "why": _text(one.why),
                "other": one.other_id,
                "picture": surroundings[n].address if n in surroundings else "",
            }
            for n, one in enumerate(suspects)
        ],
        "people": [_entry(one, files.get(one.key, Files()), by_annotation, crop) for one in entries],
    }


def _entry(one: Entry, files: Files, suspects: Mapping[int, list[int]], crop: CropConfig) -> dict[str, Any]:
    """Return one entry; what is as it mostly is, is left out."""
    fate = one.fate
    found: dict[str, Any] = {
        "key": one.key,
        "id": fate.annotation_id,
        "image": fate.image_id,
        "file": _text(one.file_name),
        "reason": fate.reason,
        "detail": _text(fate.detail),
        "own": _text(fate.own_id) if fate.own_id != str(fate.annotation_id) else "",
        "source": _text(fate.source),
        "row": fate.row,
        "shard": _text(fate.shard),
        "size": list(one.size) if one.size != crop.input_size[::-1] else None,
        "bbox": None if one.bbox is None else [round(side, 2) for side in one.bbox],
        "crop": files.crop,
        "maps": files.maps,
    }
    if one.window is not None:
        found["box"] = _rounded(one.box() or ())
        found["points"] = _points(one)
    if fate.annotation_id is not None and fate.place is not None:
        found["suspects"] = suspects.get(fate.annotation_id)
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _points(one: Entry) -> list[list[float]]:
    """Return joint, x, y and visibility of the labelled joints; what lies far away is brought within numbers."""
    if one.joints is None:
        return []
    points = np.clip(one.points(), -1e5, 1e5)
    return [[k, *_rounded(points[k, :2].tolist()), int(points[k, 2])] for k in np.flatnonzero(points[:, 2]).tolist()]


def _rounded(numbers: Sequence[float]) -> list[float]:
    return [round(min(max(number, -1e5), 1e5), 1) for number in numbers]


def _text(text: str) -> str:
    return printable(text)


def _hex(colour: Sequence[float]) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in colour)
