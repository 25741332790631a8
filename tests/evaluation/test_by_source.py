"""Figures by source, against those of a file of each source alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cocoprep.coco.truth import read_truth
from cocoprep.errors import RecordError
from cocoprep.evaluation.as_json import evaluation_as_json
from cocoprep.evaluation.by_source import measure_by_source
from cocoprep.evaluation.evaluate import evaluate
from cocoprep.pose.tables import named_table
from cocoprep.report.by_source import source_table
from cocoprep.storage.local import LocalFiles
from tests.support.scoring import coco_of, person, predictions_of, write_json

TABLE = named_table("lsp-14")
SOURCES = ("a", "b", "empty")
OF_A = 3  # of the images, the first


@pytest.fixture
def two(tmp_path):
    """Return the truth of people on images of two sources, and predictions that are worse on those of the second."""
    rng = np.random.default_rng(0)
    people = [
        person(n + 1, *[(*rng.uniform(0, 100, 2).tolist(), int(v)) for v in rng.integers(0, 3, 14)], image=n // 2 + 1)
        for n in range(14)
    ]
    document = coco_of(*people, images=7, table=TABLE)
    for n, image in enumerate(document["images"]):
        image["source_id"] = f"{'a' if n < OF_A else 'b'}/{n}/x"
    rows = [
        (
            one["image_id"],
            float(rng.uniform()),
            np.reshape(one["keypoints"], (-1, 3))[:, :2] + rng.normal(0, 2 + 3 * (one["image_id"] > OF_A), (14, 2)),
        )
        for one in people[:-1]
    ]
    return document, read_truth(write_json(tmp_path, document), LocalFiles()), predictions_of(*rows)


def test_each_has_the_figures_of_a_file_of_its_own(two, tmp_path):
    document, truth, predictions = two
    found = evaluate(truth, predictions, TABLE, sources=SOURCES, thresholds=(0.1, 0.2)).by_source
    assert list(found) == list(SOURCES)
    for name, images in (("a", [1, 2, 3]), ("b", [4, 5, 6, 7])):
        part = {
            **document,
            "images": [one for one in document["images"] if one["id"] in images],
            "annotations": [one for one in document["annotations"] if one["image_id"] in images],
        }
        (tmp_path / name).mkdir()
        alone = read_truth(write_json(tmp_path / name, part), LocalFiles())
        rows = np.isin(predictions.image_ids, images)
        fields = {key: getattr(predictions, key)[rows] for key in ("image_ids", "keypoints", "confidence", "scores")}
        expected = evaluate(alone, replace(predictions, **fields), TABLE, thresholds=(0.1, 0.2))
        assert found[name].oks == expected.oks.figures
        np.testing.assert_array_equal(found[name].pck.pck.total, expected.pck["box"].pck.total)
        assert (found[name].images, found[name].people) == (len(images), int(alone.counts.sum()))
        assert found[name].predicted == int((expected.matches >= 0).sum())
    assert found["a"].oks["AP"] > found["b"].oks["AP"]
    assert (found["empty"].images, found["empty"].people, found["empty"].oks["AP"]) == (0, 0, -1)


def test_it_stands_in_figures_and_on_the_page(two):
    _, truth, predictions = two
    evaluation = evaluate(truth, predictions, TABLE, sources=SOURCES)
    told = evaluation_as_json(evaluation, TABLE, context={})["by_source"]
    assert told["b"]["oks"] == evaluation.by_source["b"].oks
    assert told["b"]["pck_by_box"]["at"]["0.2"] == float(evaluation.by_source["b"].pck.pck.total[2])
    assert told["empty"]["pck_by_box"]["at"]["0.2"] is None
    rows = {row[0]: row[1] for row in source_table(evaluation).rows}
    assert rows["b"] == f"{evaluation.by_source['b'].oks['AP']:.3f}"
    assert rows["all"] == f"{evaluation.oks.figures['AP']:.3f}"


@pytest.mark.parametrize("sources", [(), ("a",)])
def test_of_one_source_there_is_none(two, sources):
    _, truth, predictions = two
    evaluation = evaluate(truth, predictions, TABLE, sources=sources)
    assert evaluation.by_source is None
    assert "by_source" not in evaluation_as_json(evaluation, TABLE, context={})
    assert source_table(evaluation) is None


def test_an_image_of_no_source_is_told(two):
    _, truth, predictions = two
    matches = np.full(len(truth.annotation_ids), -1)
    with pytest.raises(RecordError, match=r"image 4: expected a source_id of one of the sources a, c, found 'b/3/x'"):
        measure_by_source(truth, predictions, matches, TABLE, sources=("a", "c"))
