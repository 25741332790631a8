from __future__ import annotations

import numpy as np

from cocoprep.baseline import read_baseline
from cocoprep.files import LocalFiles
from cocoprep.keypoints import COCO_17
from cocoprep.matching import match_people
from cocoprep.mean_guess import guess_people
from cocoprep.pck import measure_pck
from cocoprep.truth import read_truth
from tests.cocoprep.building import build_folder
from tests.cocoprep.people import write_people


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
