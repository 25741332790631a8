"""The charts of data sets side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image

from cocoprep.draw.chart import SERIES_COLOURS, Rows, Series, bar_chart, row_chart
from cocoprep.draw.joint_places import Places, place_chart
from cocoprep.draw.palette import Colour
from cocoprep.inspection.data_set import Ints
from cocoprep.inspection.statistics import Statistics

MOST_ON_ONE = 20  # annotations of a photograph that have a bar of their own
VISIBILITIES: tuple[tuple[str, Colour], ...] = (
    ("visible", (68, 119, 170)), ("hidden", (204, 187, 68)), ("not labelled", (223, 226, 231)),
)  # fmt: skip

Draw = Callable[[Sequence[Statistics]], Image.Image]


def annotations_of_photographs(data_sets: Sequence[Statistics]) -> Image.Image:
    """Draw how many photographs have how many annotations."""
    most = min(max(len(one.crowding.by_count) for one in data_sets) - 1, MOST_ON_ONE)
    labels = [str(n) for n in range(1, most + 1)]
    beyond = any(len(one.crowding.by_count) - 1 > most for one in data_sets)
    if beyond:
        labels[-1] = f"{most}+"
    shares = [_percent(_gathered(one.crowding.by_count[1:], most)) for one in data_sets]
    return bar_chart(
        _series(data_sets, shares), labels, title="Annotations on a photograph", across="annotations",
        up="photographs with any, %",
    )  # fmt: skip


def labels_of_annotations(data_sets: Sequence[Statistics]) -> Image.Image:
    """Draw how many annotations have how many labelled joints."""
    most = max(len(one.table) for one in data_sets)
    shares = [_percent(_gathered(one.labels.by_labelled, most + 1)) for one in data_sets]
    return bar_chart(
        _series(data_sets, shares), [str(n) for n in range(most + 1)], title="Labelled joints of an annotation",
        across="labelled joints", up="annotations, %",
    )  # fmt: skip


def kept_by_min_keypoints(data_sets: Sequence[Statistics]) -> Image.Image:
    """Draw what each --min-keypoints keeps of the people that 1 keeps."""
    most = max(len(one.table) for one in data_sets)
    shares = [_of(_gathered(one.labels.kept[:, 0], most), int(one.labels.kept[0, 0])) for one in data_sets]
    return bar_chart(
        _series(data_sets, shares), [str(n) for n in range(1, most + 1)], title="What --min-keypoints keeps",
        across="--min-keypoints", up="of those that 1 keeps, %",
    )  # fmt: skip


def visibility_of_joints(data_sets: Sequence[Statistics]) -> Image.Image:
    """Draw how often each joint is visible, hidden and not labelled."""
    panels = []
    for one in data_sets:
        shares = one.labels.visibility[:, ::-1] / np.maximum(one.labels.looked_for, 1)[:, None]
        rows = tuple((float(v), float(h), float(n)) for v, h, n in shares)
        panels.append(Rows(one.name, tuple(name.replace("_", " ") for name in one.table.names), rows))
    return row_chart(
        panels, VISIBILITIES, title="Visibility of each joint", across="annotations with any label, no crowds, %"
    )


def places_of_joints(data_sets: Sequence[Statistics]) -> Image.Image:
    """Draw where each joint lies in the crop."""
    panels = [Places(one.name, one.table, one.crops.mean, one.crops.deviation) for one in data_sets]
    crop = data_sets[0].crop
    return place_chart(
        panels, crop.input_size, title=f"Joints in crops at {crop.bbox_scale:g} of the box: mean and standard deviation"
    )


CHARTS: Mapping[str, Draw] = {
    "annotations-of-photographs.png": annotations_of_photographs,
    "labels-of-annotations.png": labels_of_annotations,
    "min-keypoints.png": kept_by_min_keypoints,
    "visibility.png": visibility_of_joints,
    "places.png": places_of_joints,
}


def _series(data_sets: Sequence[Statistics], shares: Sequence[tuple[float, ...]]) -> list[Series]:
    return [
        Series(one.name, values, SERIES_COLOURS[n % len(SERIES_COLOURS)])
        for n, (one, values) in enumerate(zip(data_sets, shares, strict=True))
    ]


def _gathered(counts: Ints, most: int) -> Ints:
    """Return (most,) counts: what lies beyond is added to the last."""
    found = np.zeros(most, np.int64)
    found[: len(counts)] = counts[:most]
    if most:
        found[-1] += counts[most:].sum()
    return found


def _percent(counts: Ints) -> tuple[float, ...]:
    return _of(counts, int(counts.sum()))


def _of(counts: Ints, whole: int) -> tuple[float, ...]:
    return tuple((100 * counts / max(whole, 1)).tolist())
