from __future__ import annotations

import numpy as np
import pytest

from cocoprep.coco.truth import read_truth
from cocoprep.errors import RecordError
from cocoprep.evaluation.baseline import guess_people, read_baseline
from cocoprep.evaluation.matching import match_people
from cocoprep.evaluation.pck import measure_pck
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.names import BASELINE
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people


def test_the_guess_scores_what_the_build_says_it_scores(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=6)
    manifest = build_folder(tmp_path / "out", annotations=annotations, images=images)
    truth = read_truth(str(tmp_path / "out" / "ground_truth.json"), LocalFiles(), COCO_17)
    baseline = read_baseline(str(tmp_path / "out"), manifest, LocalFiles())
    guess = guess_people(truth, baseline, manifest.crop.config())
    assert len(guess) == manifest.counts.people == int(truth.counts.sum())
    found = measure_pck(truth, guess, match_people(truth, guess, COCO_17), COCO_17)["box"].pck
    np.testing.assert_allclose(found.total, baseline.pck.total, atol=0.01)
    np.testing.assert_array_equal(found.joints, baseline.pck.joints)
    assert 0 < found.total[2] < 1


def _write(folder, **changes):
    path = folder / BASELINE
    with np.load(path) as arrays:
        np.savez(path, **{k: v for k, v in {**arrays, **changes}.items() if v is not None})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"guess": None}, "expected guess of .*found none"),
        ({"guess": np.zeros((17, 3))}, r"expected guess of .*\(17, 2\)\), found .*\(17, 3\)"),
        ({"guess": np.full((17, 2), np.nan)}, "no build has written this"),
        ({"people": np.int64(0)}, "no build has written this"),
        ({"people": np.zeros(2, np.int64)}, "expected people of"),
        ({"labelled": np.zeros(17, "M8[s]")}, "expected labelled of"),
        ({"pck_thresholds": np.zeros((2, 2))}, "expected pck_thresholds of"),
        ({"pck_total": np.zeros(1)}, "expected pck_total of"),
        ({"mean_heatmaps": np.zeros((64, 64, 12), "f4")}, "expected mean_heatmaps of .*another build's"),
    ],
)
def test_a_baseline_of_odd_shapes_is_refused(tmp_path, changes, told):
    annotations, images = write_people(tmp_path / "coco", images=3)
    manifest = build_folder(tmp_path / "out", annotations=annotations, images=images)
    _write(tmp_path / "out", **changes)
    with pytest.raises(RecordError, match=told):
        read_baseline(str(tmp_path / "out"), manifest, LocalFiles())
