"""Two data sets of other joints whose ids are the same."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from cocoprep.coco.sources import Source
from cocoprep.pose.tables import named_table
from tests.support.building import keypoints, write_coco

COCO, LSP = named_table("coco-17"), named_table("lsp-14")
GREY, RED = Image.new("RGB", (80, 60), (90, 90, 90)), Image.new("RGB", (60, 80), (200, 30, 30))
BODY = {"left_hip": (20, 20, 2), "right_knee": (30, 40, 1)}


def source_of(name: str, paths: tuple[Path, Path]) -> Source:
    """Return a source of what `write_coco` has written."""
    annotations, images = paths
    return Source(name=name, annotations=str(annotations), images=str(images))


def two_sources(folder: Path) -> tuple[Source, Source]:
    """Write and return `coco`, of whose three annotations two are kept, and `lsp`, of whose three one is.

    The one of lsp's that is kept is annotation 1, on photograph 1.
    """
    first = [
        {"id": 1, "image_id": 1, "keypoints": keypoints(COCO, nose=(40, 10, 2), **BODY)},
        {"id": 2, "image_id": 1, "keypoints": keypoints(COCO, nose=(41, 11, 2))},
        {"id": 3, "image_id": 2},
    ]
    second = [
        {"id": 1, "image_id": 1, "keypoints": keypoints(LSP, head_top=(30, 5, 2), **BODY)},
        {"id": 2, "image_id": 2, "keypoints": keypoints(LSP, head_top=(31, 6, 2))},
        {"id": 3, "image_id": 2, "bbox": [500, 500, 10, 10], "keypoints": keypoints(LSP, **BODY)},
    ]
    return (
        source_of("coco", write_coco(folder / "coco", {1: GREY, 2: GREY}, first)),
        source_of("lsp", write_coco(folder / "lsp", {1: RED, 2: RED}, second, table=LSP)),
    )
