from __future__ import annotations

import numpy as np

from cocoprep.coco.truth import read_truth
from cocoprep.evaluation.baseline import guess_people, read_baseline
from cocoprep.evaluation.matching import match_people
from cocoprep.evaluation.pck import measure_pck
from cocoprep.pose.tables import COCO_17
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people


def test_the_guess_scores_what_the_build_says_it_scores(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=6)
    manifest = build_folder(tmp_path / "out", annotations=annotations, images=images)
    truth = read_truth(str(tmp_path / "out" / "ground_truth.json"), LocalFiles(), COCO_17)
    baseline = read_baseline(str(tmp_path / "out"), LocalFiles())
    guess = guess_people(truth, baseline, manifest.crop.config())
    assert len(guess) == manifest.counts.people == int(truth.counts.sum())
    found = measure_pck(truth, guess, match_people(truth, guess, COCO_17), COCO_17)["box"].pck
    np.testing.assert_allclose(found.total, baseline.pck.total, atol=0.01)
    np.testing.assert_array_equal(found.joints, baseline.pck.joints)
    assert 0 < found.total[2] < 1
