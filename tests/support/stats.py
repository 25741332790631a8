"""Data sets for statistics: drawn at random, and read from a file that a test writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from cocoprep.inspection.data_set import DataSet, People
from cocoprep.inspection.read_data_set import read_data_set
from cocoprep.storage.local import LocalFiles


def read(path: Path, name: str = "set") -> DataSet:
    """Return a data set of a file or folder."""
    return read_data_set(str(path), name, LocalFiles())


def changed(path: Path, change) -> Path:
    """Rewrite an annotation file by a function of its document; return its path."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


@st.composite
def some_people(draw, joints: int | None = None) -> People:
    """Return up to 12 people on up to 4 photographs, some of unknown size, with boxes of any form."""
    count = draw(st.integers(0, 12))
    joints = joints or draw(st.sampled_from([1, 3, 5]))
    images = np.array(draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)), np.int64)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sizes = rng.integers(1, 60, (4, 2)) * rng.choice([0, 1, 1, 1], (4, 1))
    bbox = rng.integers(-20, 60, (count, 4)).astype(float) + rng.choice([0, 0.5, 0.25], (count, 4))
    bbox[:, 2:] = np.abs(bbox[:, 2:]) * rng.choice([0, 1, 1, 1, 1], (count, 1))
    visibility = rng.integers(0, 3, (count, joints)) * rng.choice([0, 1, 1], (count, 1))
    triples = np.concatenate([rng.integers(-10, 70, (count, joints, 2)), visibility[..., None]], axis=2)
    triples[visibility == 0] = 0
    return People(
        annotation_ids=np.arange(1, count + 1), images=images, sizes=sizes[images].reshape(-1, 2).astype(np.int64),
        bbox=bbox, area=rng.choice([10.0, 1024, 2000, 9216, 20000], count), crowd=rng.uniform(size=count) < 0.2,
        joints=triples.astype(np.float32),
    )  # fmt: skip
