"""Real detectors' boxes on small real data sets: every line is used, and sets of other joints are scored over some.

The network has COCO's 17 joints. It has learned nothing: the photographs' colours are taken out, each joint that is
labelled is painted in a colour of its own, and it knows the colours. So its figures hang on the boxes alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cocoprep.coco.truth import read_truth
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.oks_cases import Case, plain_run

pytest.importorskip("tensorflow")
pytest.importorskip("matplotlib")

INPUT_SIZE = (256, 192)


@dataclass(frozen=True)
class Detected:
    """A data set with a detector's boxes.

    Attributes:
        truth: its annotation file, within the folder of all data sets.
        boxes: the file of boxes, likewise.
        images: the folder of photographs, likewise.
        table: of its joints.
        lines: of the file of boxes.
        shared: joints that the network has too.
        people: who count.
        least: of AP in these boxes, so that it is known that people are found in them.
        prefix: what the annotation file puts before names that the folder does not have.
    """

    truth: str
    boxes: str
    images: str
    table: str
    lines: int
    shared: int
    people: int
    least: float
    prefix: str = ""


SETS = [
    Detected(
        "coco/test_coco.json", "coco/test_coco_det_AP_H_56.json", "coco", "coco-17", lines=118, shared=17, people=12,
        least=0.6,
    ),
    Detected(
        "crowdpose/test_crowdpose.json", "crowdpose/test_crowdpose_det_AP_40.json", "crowdpose", "crowdpose-14",
        lines=6, shared=12, people=4, least=0.4,
    ),
    Detected(
        "humanart/test_humanart.json", "humanart/test_humanart_det_AP_H_56.json", "humanart", "humanart-21",
        lines=13, shared=17, people=4, least=0.6, prefix="HumanArt/images/",
    ),
    Detected(
        "posetrack18/annotations/test_posetrack18_val.json",
        "posetrack18/annotations/test_posetrack18_human_detections.json", "posetrack18", "posetrack-17",
        lines=278, shared=15, people=14, least=0.4,
    ),
]  # fmt: skip
each_set = pytest.mark.parametrize("one", SETS, ids=lambda one: one.images)


@pytest.fixture(scope="module")
def run_dir(people_folder, tmp_path_factory):
    """Return the folder of a run whose network knows colours."""
    from tests.support.painted import colour_network
    from tests.support.runs import write_run

    data = people_folder(size=INPUT_SIZE)
    crop = read_manifest(str(data), LocalFiles()).crop
    return write_run(tmp_path_factory.mktemp("detected") / "run", data, colour_network(crop))


def plain_figures(truth, results, table):
    """Return pycocotools' ten figures over the joints that are COCO's too, by a plain script of its own."""
    content = json.loads(truth.read_text())
    (category,) = content["categories"]
    names = category.get("keypoints_21", category["keypoints"])
    shared = [k for k, name in enumerate(names) if name in COCO_17.names]
    theirs = [COCO_17.names.index(names[k]) for k in shared]
    for one in content["annotations"]:
        triples = np.reshape(one.get("keypoints_21", one["keypoints"]), (-1, 3))[shared]
        width, height = one["bbox"][2:]
        one["keypoints"] = triples.ravel().tolist()
        one["num_keypoints"] = int((triples[:, 2] > 0).sum())
        one["area"] = one.get("area", 0.53 * width * height)
    lines = json.loads(results.read_text())
    for line in lines:
        line["keypoints"] = np.reshape(line["keypoints"], (-1, 3))[theirs].ravel().tolist()
    sigmas = dict(zip(table.names, table.oks_sigmas, strict=True))
    some = KeypointTable("shared", tuple(Joint(names[k], names[k], sigmas[names[k]]) for k in shared), ())
    return plain_run(Case(content, lines, some, None)).stats


@each_set
def test_every_box_is_used(one, run, run_dir, skeletons, tmp_path):
    from tests.support.painted import paint_over

    truth = read_truth(str(skeletons / one.truth), LocalFiles())
    painted = paint_over(truth, skeletons / one.images, tmp_path / "painted", prefix=one.prefix)
    boxes = skeletons / one.boxes
    code, text, err = run(
        "evaluate", "--run", run_dir, "--annotations", skeletons / one.truth, "--images", painted,
        "--boxes", boxes, "--boxes", "truth", "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 0, err
    said = " ".join(text.split())
    assert f"BOXES ARE A DETECTOR'S: {one.lines} of the {one.lines} of {boxes}." in said
    assert "WHOEVER IS THERE COUNTS AS MISSED" not in said
    assert err.count("not quite the photographs' own") == bool(one.prefix)
    out = tmp_path / "out" / Path(one.boxes).stem
    figures = json.loads((out / "figures.json").read_text())
    used = figures["boxes_used"]
    assert (used["listed"], used["looked at"], sum(used.values())) == (one.lines, one.lines, 2 * one.lines)
    assert figures["counts"]["people"] == one.people
    assert figures["counts"]["predictions"] + figures["found_twice"] == one.lines
    table = named_table(one.table)
    across = f"{one.shared} of the {len(table)} joints of the data ({one.table}) are predicted (coco-17)"
    assert (across in said) == ("JOINTS ARE THOSE THAT BOTH HAVE" in said) == (one.table != "coco-17")
    for name in (out.name, "truth"):
        folder = tmp_path / "out" / name
        oks = json.loads((folder / "figures.json").read_text())["oks"]
        plain = plain_figures(skeletons / one.truth, folder / "results.json", table)
        assert list(oks.values()) == plain.tolist()
    assert figures["oks"]["AP"] > one.least


@each_set
def test_the_photographs_as_they_are(one, run, run_dir, skeletons, tmp_path):
    """The command of the docs, with nothing changed: the network has never seen the like, and each box is used."""
    code, _, err = run(
        "evaluate", "--run", run_dir, "--annotations", skeletons / one.truth, "--images", skeletons / one.images,
        "--boxes", skeletons / one.boxes, "--json", tmp_path / "figures.json",
    )  # fmt: skip
    assert code == 0, err
    used = json.loads((tmp_path / "figures.json").read_text())["boxes_used"]
    assert (used["listed"], used["looked at"]) == (one.lines, one.lines)
