"""The sheet of pairs: which two belong together, and that they are two."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cocoprep.coco.source_file import parse_source
from cocoprep.inspection.leak_sheet import draw_leaks
from cocoprep.inspection.listed import list_photographs
from cocoprep.inspection.opened import Opener, close_all
from cocoprep.shards.leak_list import Leak, Leaked, LeakKind
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.copies import as_jpeg, write_photographs


def test_the_two_of_a_pair_stand_apart_and_nearer_than_pairs(tmp_path):
    white = as_jpeg(Image.new("RGB", (80, 80), (255, 255, 255)))
    names = ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    source = write_photographs(tmp_path / "a", dict.fromkeys(names, white))
    files = AnyFiles()
    opener = Opener(files)
    listed = list_photographs([parse_source(f"a={source}", "train2017", files)], opener)
    one, two, three, four = (Leaked("a", number, None, name, "0" * 64) for number, name in enumerate(names, 1))
    leaks = [Leak(LeakKind.SAME_FILE, one, two), Leak(LeakKind.SAME_FILE, three, four)]
    page = np.asarray(draw_leaks(leaks, listed, opener))
    close_all()
    photographs = (page > 250).all(axis=2)
    row = photographs[photographs.sum(axis=1).argmax()].astype(int)  # through all four
    starts, ends = (np.diff(row, prepend=0) == 1).nonzero()[0], (np.diff(row, append=0) == -1).nonzero()[0]
    assert len(starts) == len(ends) == 4
    within, between, also_within = starts[1:] - ends[:-1] - 1
    assert 0 < within == also_within < between
