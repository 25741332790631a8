"""Statistics as JSON has them: every figure, not rounded, with the names of joints; null where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cocoprep.inspection.box_figures import EDGES, SIZES, BoxFigures
from cocoprep.inspection.crop_figures import SCALES, CropFigures
from cocoprep.inspection.crowding import OVERLAPS, CrowdingFigures
from cocoprep.inspection.effects import Effect
from cocoprep.inspection.image_figures import ImageFigures
from cocoprep.inspection.label_figures import LabelFigures
from cocoprep.inspection.shifts import Shift
from cocoprep.inspection.spread import QUANTILES, Spread
from cocoprep.inspection.statistics import Statistics
from cocoprep.storage.json_file import as_builtins
from cocoprep.version import __version__

FORMAT = "cocoprep statistics 1"


def statistics_as_json(data_sets: Sequence[Statistics], shifts: Sequence[Shift]) -> dict[str, Any]:
    """Return statistics of data sets, and what shifted between them, as JSON takes it."""
    content = {
        "format": FORMAT,
        "version": __version__,
        "data_sets": [_data_set(one) for one in data_sets],
        "shifts_from": data_sets[0].name if len(data_sets) > 1 else None,
        "shifts": [_shift(one, [other.name for other in data_sets]) for one in shifts],
    }
    cleaned: dict[str, Any] = as_builtins(content)
    return cleaned


def _data_set(one: Statistics) -> dict[str, Any]:
    known, names = one.known, one.table.names
    return {
        "name": one.name,
        "path": one.path,
        "joints": list(names),
        "entries": {
            "read": one.entries.read, "other_categories": one.entries.other_categories,
            "malformed": one.entries.malformed, "twice": one.entries.twice,
        },
        "built": None if one.kept is None else {"kept": one.kept, "dropped": dict(one.dropped)},
        "whole_file_has": known and {
            "images": known.images, "annotations": known.annotations, "labelled": known.labelled
        },
        "photographs": {**_photographs(one.images), **_crowding(one.crowding)},
        "labels": {**_labels(one.labels, names), "without_labels_by_likely_cause": dict(one.unlabelled)},
        "boxes": _boxes(one.boxes),
        "overlap": _overlap(one.crowding),
        "crops": {
            "input_size": list(one.crop.input_size), "bbox_scale": one.crop.bbox_scale, **_crops(one.crops, names)
        },
        "notes": list(one.notes),
    }  # fmt: skip


def _photographs(images: ImageFigures) -> dict[str, Any]:
    return {
        "listed": images.listed,
        "of_known_size": images.sized,
        "width_px": _spread(images.width),
        "height_px": _spread(images.height),
        "commonest_sizes": [{"width": w, "height": h, "photographs": many} for (w, h), many in images.common],
    }


def _crowding(crowding: CrowdingFigures) -> dict[str, Any]:
    return {
        "with_annotations": crowding.with_people,
        "with_several": crowding.with_several,
        "by_annotations": {str(n): crowding.by_count[n] for n in np.flatnonzero(crowding.by_count).tolist()},
    }


def _overlap(crowding: CrowdingFigures) -> dict[str, Any]:
    return {
        "largest_iou": _spread(crowding.overlap),
        "over": {f"{least:g}": crowding.over[n] for n, least in enumerate(OVERLAPS)},
        "not_compared": crowding.not_compared,
    }


def _labels(labels: LabelFigures, names: Sequence[str]) -> dict[str, Any]:
    kinds = ("not_labelled", "hidden", "visible")
    kept = ("people", "photographs", "joints")
    return {
        "annotations": labels.annotations,
        "crowds": labels.crowds,
        "without_labels": labels.unlabelled,
        "people": labels.people,
        "by_labelled_joints": labels.by_labelled,
        "visibility": {
            name: {
                **dict(zip(kinds, labels.visibility[k], strict=True)),
                "not_looked_for": labels.people - labels.looked_for[k],
            }
            for k, name in enumerate(names)
        },
        "kept_by_min_keypoints": {
            str(k): dict(zip(kept, found, strict=True)) for k, found in enumerate(labels.kept, start=1)
        },
    }  # fmt: skip


def _boxes(boxes: BoxFigures) -> dict[str, Any]:
    return {
        "people": boxes.people,
        "by_area": {
            kind: {"people": boxes.sizes[n], "without_labels": boxes.unlabelled[n]} for n, kind in enumerate(SIZES)
        },
        "side_px": _spread(boxes.side, logarithms=True),
        "side_of_photograph": _spread(boxes.share, logarithms=True),
        "width_by_height": _spread(boxes.aspect, logarithms=True),
        "on_photographs_of_known_size": boxes.sized,
        "at_edge": {"any": boxes.cut, **dict(zip(EDGES, boxes.touching, strict=True))},
        "at_edge_without_labels": boxes.cut_unlabelled,
    }


def _crops(crops: CropFigures, names: Sequence[str]) -> dict[str, Any]:
    return {
        "people": crops.people,
        "left_out": crops.left_out,
        "joints": crops.joints.sum(),
        "outside_box": crops.outside_box,
        "outside_crop_at_scale": {f"{scale:g}": crops.outside_crop[n] for n, scale in enumerate(SCALES)},
        "places": {
            name: {"joints": crops.joints[k], "mean": crops.mean[k], "deviation": crops.deviation[k]}
            for k, name in enumerate(names)
        },
    }


def _spread(spread: Spread, *, logarithms: bool = False) -> dict[str, Any]:
    """Return a spread; of logarithms to base 2 the numbers', with geometric mean and deviation's factor."""

    def plain(number: float) -> float:
        return 2.0**number if logarithms else number

    named = {"geometric_mean": plain(spread.mean), "deviation_factor": plain(spread.deviation)}
    return {
        "count": spread.count,
        **(named if logarithms else {"mean": spread.mean, "deviation": spread.deviation}),
        "quantiles": {f"{q:g}": plain(n) for q, n in zip(QUANTILES, spread.quantiles, strict=True)},
        "least": plain(spread.least),
        "most": plain(spread.most),
        "edges": [plain(edge) for edge in spread.edges],
        "bins": spread.bins,
    }


def _shift(shift: Shift, names: Sequence[str]) -> dict[str, Any]:
    return {
        "figure": shift.name,
        "shown": dict(zip(names, shift.shown, strict=True)),
        "effects": {
            name: effect and {**_effect(effect), "js_distance": distance}
            for name, effect, distance in zip(names[1:], shift.effects, shift.distances, strict=True)
        },
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "measure": f"Cohen's {effect.measure}", "size": effect.size, "standard_error": effect.error,
        "words": effect.words, "may_be_chance": effect.may_be_chance,
    }  # fmt: skip
