"""`cocoprep evaluate --annotations --results --json` beside a bare pycocotools run on the same two files.

`python -m benchmarks.bench_evaluate [--runs N]`: whole processes, in turn, on drawn people dealt out to a ground truth
of the size of COCO's val2017, and noisy results for them. Every figure to quote is a ratio within one run, the median
of `--runs` pairs; the seconds and megabytes beside are of this machine. The ten OKS figures of both must be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.drawn_people import write_input

IMAGES, ANNOTATIONS, PEOPLE = 2_693, 11_004, 6_352  # of COCO val2017 with people; those with keypoints
BARE = """
import json, sys
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
truth = COCO(sys.argv[1])
evaluation = COCOeval(truth, truth.loadRes(sys.argv[2]), "keypoints")
evaluation.evaluate()
evaluation.accumulate()
evaluation.summarize()
json.dump(list(evaluation.stats), open(sys.argv[3], "w"))
"""


class Cost(NamedTuple):
    """What one process took, of all its threads together."""

    wall_s: float
    busy_s: float
    peak_mb: float


def deal_truth(drawn: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Deal drawn people out to as many images as COCO's val2017 has, as many with and without keypoints."""
    labelled = [a for a in drawn["annotations"] if a["num_keypoints"]]
    others = [a for a in drawn["annotations"] if not a["num_keypoints"]]
    people = [labelled[n % len(labelled)] for n in range(PEOPLE)]
    people += [others[n % len(others)] for n in range(ANNOTATIONS - PEOPLE)]
    images = np.concatenate([rng.permutation(IMAGES), rng.integers(0, IMAGES, ANNOTATIONS - IMAGES)])
    rng.shuffle(images)
    annotations = [
        {**person, "id": number, "image_id": int(image) + 1}
        for number, (person, image) in enumerate(zip(people, images, strict=True), start=1)
    ]
    pictures = [{"id": n, "file_name": f"{n:012}.jpg", "width": 640, "height": 480} for n in range(1, IMAGES + 1)]
    return {"images": pictures, "annotations": annotations, "categories": drawn["categories"]}


def noisy_results(truth: dict[str, Any], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return one prediction a person with keypoints, as a network makes them: off, some much, some left and right."""
    lines = []
    for person in (a for a in truth["annotations"] if a["num_keypoints"]):
        triples = np.array(person["keypoints"], float).reshape(-1, 3)
        scale = np.sqrt(person["area"])
        off = rng.normal(0, 0.03 * scale, (len(triples), 2)) * rng.choice([1, 8], (len(triples), 1), p=[0.9, 0.1])
        triples[:, :2] += off
        if rng.uniform() < 0.1:
            triples[:, :2] = np.roll(triples[:, :2], 1, axis=0)
        triples[:, 2] = np.where(
            triples[:, 2] > 0, rng.uniform(0.4, 1, len(triples)), rng.uniform(0, 0.6, len(triples))
        )
        lines.append(
            {
                "image_id": person["image_id"], "category_id": person["category_id"],
                "keypoints": triples.ravel().round(3).tolist(), "score": float(triples[:, 2].mean()),
            }
        )  # fmt: skip
    return lines


def measure(command: list[str]) -> Cost:
    """Run a process to its end, with nothing shown of what it prints."""
    null = os.open(os.devnull, os.O_WRONLY)
    started = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - started
    os.close(null)
    if status:
        raise SystemExit(f"{' '.join(command)}: failed")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)  # Linux counts in kilobytes


def main() -> None:
    """Print both sides and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-evaluate-") as temporary:
        folder = Path(temporary)
        rng = np.random.default_rng(0)
        truth = deal_truth(json.loads(write_input(folder, 1)[0].read_text()), rng)
        gt, results, ours, plain = (str(folder / f"{name}.json") for name in ("truth", "results", "ours", "plain"))
        Path(gt).write_text(json.dumps(truth))
        Path(results).write_text(json.dumps(noisy_results(truth, rng)))
        evaluate = [
            sys.executable,
            "-m",
            "cocoprep",
            "evaluate",
            "--annotations",
            gt,
            "--results",
            results,
            "--json",
            ours,
        ]
        bare = [sys.executable, "-c", BARE, gt, results, plain]
        pairs = [(measure(evaluate), measure(bare)) for _ in range(chosen.runs)]
        if list(json.loads(Path(ours).read_text())["oks"].values()) != json.loads(Path(plain).read_text()):
            raise SystemExit("the ten figures differ from pycocotools'")
    print(f"{PEOPLE} people, {ANNOTATIONS} annotations, {IMAGES} images; the ten OKS figures are equal")
    for side, name in enumerate(("cocoprep evaluate", "bare pycocotools")):
        middle = [statistics.median(pair[side][n] for pair in pairs) for n in range(3)]
        print(f"{name}: {middle[0]:.2f} s, {middle[1]:.2f} s of processor time, {middle[2]:.0f} MB at most")
    for n, name in enumerate(("time", "processor time", "memory")):
        ratios = [mine[n] / other[n] for mine, other in pairs]
        print(f"{name}, ours over bare: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
