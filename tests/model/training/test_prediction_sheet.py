"""The picture of what the network says: tiles in their places, and only joints that it is sure of."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.draw.layout import EDGE
from cocoprep.draw.palette import SIDE_COLOURS
from cocoprep.model.training.prediction_sheet import (
    CAPTION,
    GAP,
    HEADER,
    SHOWN_PEAK,
    SheetRow,
    prediction_sheet,
)
from cocoprep.pose.heatmaps import encode_heatmaps, quantise_heatmaps
from cocoprep.pose.tables import COCO_17

STRIDE, TILE = 4, 128
LEFT_WRIST = COCO_17.names.index("left_wrist")
TRUE, SAID = (18.0, 22.0), (34.0, 46.0)


def row(*, peak: float = 1.0, stacks: int = 2) -> SheetRow:
    """Return a person 64 pixels high and 48 wide with one joint, which the last stack sees elsewhere."""
    points, visibility = np.zeros((17, 2)), np.zeros(17, int)
    points[LEFT_WRIST], visibility[LEFT_WRIST] = TRUE, 2
    said = np.tile(np.array(SAID), (17, 1))

    def maps(at):
        return encode_heatmaps(at / STRIDE, visibility > 0, size=(16, 12), sigma_px=1.5)

    predicted = np.stack([np.zeros((16, 12, 17)), peak * maps(said)][-stacks:]).astype(np.float32)
    picture = np.full((64, 48, 3), 90, np.uint8)
    return SheetRow("annotation 7", picture, points, visibility, quantise_heatmaps(maps(points)), predicted)


def sheet_of(*rows: SheetRow):
    return prediction_sheet(rows, title="epoch 1", table=COCO_17, stride=STRIDE, tile_px=TILE)


def tile(sheet, row: int, column: int) -> np.ndarray:
    left, top = EDGE + column * (96 + GAP), EDGE + HEADER + row * (TILE + CAPTION)
    return np.asarray(sheet, int)[top : top + TILE, left : left + 96]


def centre_of(picture: np.ndarray) -> tuple[float, float] | None:
    """Return the point of a tile in pixels of the crop where there is the left side's colour; None for none."""
    rows, columns = np.nonzero((np.abs(picture - SIDE_COLOURS["left"]) <= 40).all(axis=-1))
    return ((columns.mean() + 0.5) / 2, (rows.mean() + 0.5) / 2) if len(rows) else None


def test_truth_and_prediction_stand_beside_each_other():
    sheet = sheet_of(row())
    for column, at in enumerate((TRUE, SAID, TRUE, None, SAID)):
        assert centre_of(tile(sheet, 0, column)) == (at and pytest.approx(at, abs=0.6)), column


@pytest.mark.parametrize(("peak", "drawn"), [(SHOWN_PEAK - 0.02, False), (SHOWN_PEAK + 0.02, True)])
def test_a_joint_is_drawn_where_the_network_is_sure_of_it(peak, drawn):
    prediction = tile(sheet_of(row(peak=peak)), 0, 1)
    assert (centre_of(prediction) is not None) == drawn
    assert drawn or (prediction == 90).all()


def test_there_is_a_row_a_person_and_a_column_a_stack():
    one, two, single = sheet_of(row()), sheet_of(row(), row()), sheet_of(row(stacks=1))
    assert two.height - one.height == TILE + CAPTION
    assert one.width - single.width == 96 + GAP
    np.testing.assert_array_equal(tile(two, 0, 1), tile(two, 1, 1))
    np.testing.assert_array_equal(tile(single, 0, 3), tile(one, 0, 4))
