"""The option `--visibility` of the commands that read annotation files."""

from __future__ import annotations

from cocoprep.cli.pairs import pair_option
from cocoprep.coco.sources import VISIBILITY


def _parse(value: str) -> tuple[float, int] | None:
    theirs, _, ours = value.partition("=")
    return (float(theirs), int(ours)) if VISIBILITY.fullmatch(theirs) and ours in ("0", "1", "2") else None


visibility_option = pair_option(
    "--visibility", "visibility", form="V=0|1|2", parse=_parse,
    expected="a file's number and one of COCO's, 0, 1 or 2, such as 3=1",
    twice="expected one meaning for each number, found several",
    about="What a visibility of the annotation file means, such as 3=1: 0 not labelled, 1 hidden, 2 visible; may be "
    "repeated.",
)  # fmt: skip
