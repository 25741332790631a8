"""Photographs that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocoprep.sample import write_sample

TRAIN, VAL = 12, 4


@pytest.fixture(scope="package")
def drawn(tmp_path_factory) -> list[Path]:
    """Return drawn photographs."""
    folder = tmp_path_factory.mktemp("drawn")
    write_sample(folder, images=TRAIN, val_fraction=VAL / TRAIN)
    return sorted(folder.glob("*2017/*.jpg"))
