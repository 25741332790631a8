from __future__ import annotations

import gc

import pytest

from cocoprep.coco.collector import without_collection


def fail_within():
    with without_collection():
        assert not gc.isenabled()
        raise ValueError("within")


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_afterwards_as_it_was(was_on):
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        with pytest.raises(ValueError, match="within"):
            fail_within()
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()
