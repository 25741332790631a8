"""Folders built of a drawn sample, to train on and to score."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.ablation_people import People, read_people
from cocoprep.pose.crop_config import CropConfig
from cocoprep.sample import write_sample
from tests.support.building import build_folder


@dataclass(frozen=True)
class Sample:
    """Paths of two built folders, and their people."""

    paths: list[str]
    people: dict[str, People]

    @property
    def train(self) -> Path:
        return Path(self.paths[0])


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Sample:
    root = tmp_path_factory.mktemp("sample")
    write_sample(root / "coco", images=12)
    paths = []
    for split in ("train2017", "val2017"):
        annotations = root / "coco" / "annotations" / f"person_keypoints_{split}.json"
        build_folder(
            root / split, annotations=annotations, images=root / "coco" / split, split=split,
            crop=CropConfig(input_size=(64, 64)),
        )  # fmt: skip
        paths.append(str(root / split))
    return Sample(paths, read_people(paths))
