"""Which confidence a joint must have."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cocoprep.errors import RecordError
from cocoprep.model.run.joint_thresholds import THRESHOLDS_FILE, find_thresholds, read_thresholds
from cocoprep.pose.tables import COCO_17


def test_what_was_asked_for_comes_first_then_what_was_chosen(tmp_path):
    run = str(tmp_path)
    assert read_thresholds(run, COCO_17) is None
    values, said = find_thresholds(run, COCO_17, None)
    np.testing.assert_array_equal(values, np.full(17, 0.2))
    assert said == "a threshold of 0.2"
    chosen = {name: n / 20 for n, name in enumerate(reversed(COCO_17.names))}
    (tmp_path / THRESHOLDS_FILE).write_text(json.dumps({"thresholds": chosen, "chosen_on": "abc"}))
    values, said = find_thresholds(run, COCO_17, None)
    np.testing.assert_allclose(values, [chosen[name] for name in COCO_17.names])
    assert "evaluate" in said
    np.testing.assert_array_equal(find_thresholds(run, COCO_17, 0.5)[0], np.full(17, 0.5))


@pytest.mark.parametrize("content", ["{", "{}", '{"thresholds": {"nose": 0.1}}', '{"thresholds": {"nose": null}}'])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / THRESHOLDS_FILE).write_text(content)
    with pytest.raises(RecordError, match=THRESHOLDS_FILE):
        read_thresholds(str(tmp_path), COCO_17)
