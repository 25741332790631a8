"""`cocoprep evaluate` on a folder that was built of several sources."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.coco.results import result_lines
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.two_sources import COCO, two_sources


def test_figures_stand_by_source(run, tmp_path):
    pytest.importorskip("matplotlib")
    built = tmp_path / "built"
    select = SelectConfig(max_bad_fraction=0.5)
    build_folder(built, sources=two_sources(tmp_path), table=COCO, crop=CropConfig(input_size=(64, 64)), select=select)
    truth = read_ground_truth(str(built), LocalFiles())
    source_of = {image["id"]: image["source_id"].partition("/")[0] for image in truth["images"]}
    lines = []
    for entry in truth["annotations"]:
        off = 100.0 if source_of[entry["image_id"]] == "lsp" else 0.0
        if entry["num_keypoints"]:
            points = np.reshape(entry["keypoints"], (1, -1, 3))[..., :2] + off
            lines += result_lines([entry["image_id"]], points, [0.5], 1)
    (tmp_path / "results.json").write_text(json.dumps(lines))
    code, text, err = run(
        "evaluate", "--data", built, "--results", tmp_path / "results.json", "--json", tmp_path / "figures.json",
        "--out", tmp_path / "report",
    )  # fmt: skip
    assert code == 0, err
    figures = json.loads((tmp_path / "figures.json").read_text())
    by_source = {name: (one["oks"]["AP"], one["pck_by_box"]["at"]["0.2"]) for name, one in figures["by_source"].items()}
    assert by_source == {"coco": (pytest.approx(1), 1), "lsp": (0, 0)}
    assert 0 < figures["oks"]["AP"] < 1
    assert "by source: OKS, and PCK by box" in text
    assert re.search(r"coco +1\.0000", text)
    assert re.search(r"lsp +0\.0000", text)
    page = (tmp_path / "report" / "report.html").read_text()
    assert 'href="#sources"' in page
    assert "Source by source" in page
