"""`cocoprep stats FILE --json` beside reading the same file as a build does: time and memory of fresh processes.

`python -m benchmarks.bench_stats [--runs N] [--annotations N]`: on drawn annotations of the number, shape and size of
COCO's train2017: 118,287 photographs, 262,465 annotations of which 149,813 have labels, some 200 MB. The two run in
turn; every figure to quote is a ratio within one run, the median of `--runs` pairs. The seconds and megabytes beside
are of this machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_evaluate import measure
from cocoprep.coco.official import KNOWN_PEOPLE
from cocoprep.pose.tables import COCO_17

IMAGES = 118_287
WHOLE = KNOWN_PEOPLE["person_keypoints_train2017.json"]
MOST = 1.5  # that time and memory may be of the reading alone
SIZE = (640, 480)
READ = """
import sys
from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.coco.people import parse_entries
parse_entries(parse_annotation_file(open(sys.argv[1], "rb").read(), sys.argv[1]))
"""


def annotation(number: int, rng: np.random.Generator) -> dict[str, Any]:
    """Draw one annotation: a box, joints in it for as many as in COCO, and a polygon of COCO's mean length."""
    x, y = rng.integers(0, 400, 2).tolist()
    w, h = rng.integers(8, 240, 2).tolist()
    visibility = rng.integers(0, 3, len(COCO_17)) * (rng.uniform() < WHOLE.labelled / WHOLE.annotations)
    points = rng.integers((x, y), (x + w, y + h), (len(COCO_17), 2))
    joints = np.column_stack([points * (visibility > 0)[:, None], visibility])
    return {
        "segmentation": [rng.uniform(0, 400, 44).round(2).tolist()],
        "num_keypoints": int(np.count_nonzero(visibility)), "area": w * h * 0.5, "iscrowd": 0,
        "keypoints": joints.ravel().tolist(), "image_id": int(rng.integers(1, WHOLE.images + 1)),
        "bbox": [x + 0.25, y + 0.5, w + 0.31, h + 0.07], "category_id": 1, "id": number,
    }  # fmt: skip


def pieces(annotations: int) -> Iterator[str]:
    """Yield the text of an annotation file."""
    rng = np.random.default_rng(0)
    yield '{"images": ['
    for n in range(1, IMAGES + 1):
        image = {"license": 1, "file_name": f"{n:012}.jpg", "coco_url": f"http://images.cocodataset.org/{n:012}.jpg",
                 "height": SIZE[1], "width": SIZE[0], "date_captured": "2013-11-14 17:02:52", "id": n}  # fmt: skip
        yield f"{', ' if n > 1 else ''}{json.dumps(image)}"
    category = {"id": 1, "name": "person", "keypoints": list(COCO_17.names), "skeleton": COCO_17.skeleton}
    yield f'], "categories": [{json.dumps(category)}], "annotations": ['
    for n in range(1, annotations + 1):
        yield f"{', ' if n > 1 else ''}{json.dumps(annotation(n, rng))}"
    yield "]}"


def main() -> None:
    """Print both sides and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--annotations", type=int, default=WHOLE.annotations)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-stats-") as temporary:
        path, figures = Path(temporary, "drawn.json"), Path(temporary, "figures.json")
        with path.open("w") as stream:
            stream.writelines(pieces(chosen.annotations))
        stats = [sys.executable, "-m", "cocoprep", "stats", str(path), "--json", str(figures)]
        read = [sys.executable, "-c", READ, str(path)]
        pairs = [(measure(stats), measure(read)) for _ in range(chosen.runs)]
        size = path.stat().st_size / 1e6
        counted = json.loads(figures.read_text())["data_sets"][0]["labels"]["annotations"]
    print(f"{counted} annotations on {IMAGES} photographs, {size:.0f} MB")
    for side, name in enumerate(("cocoprep stats", "reading alone")):
        middle = [statistics.median(pair[side][n] for pair in pairs) for n in range(3)]
        print(f"{name}: {middle[0]:.2f} s, {middle[1]:.2f} s of processor time, {middle[2]:.0f} MB at most")
    for n, name in enumerate(("time", "processor time", "memory")):
        ratios = [mine[n] / other[n] for mine, other in pairs]
        print(f"{name}, stats over reading: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"{MOST:g} at most is the aim")


if __name__ == "__main__":
    main()
