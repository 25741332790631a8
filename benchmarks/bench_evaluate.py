"""`cocoprep evaluate --annotations --results --json` beside bare pycocotools and its peers on the same two files.

`python -m benchmarks.bench_evaluate [--runs N] [--peers-python PATH]`: whole processes, in turn, on drawn people dealt
out to a ground truth of the size of COCO's val2017, and noisy results for them. Every figure to quote is a ratio within
one run, the median of `--runs` rounds; the seconds and megabytes beside are of this machine. The ten OKS figures of
pycocotools must be equal to ours; how far a peer's are off is printed.

faster-coco-eval and hotcoco are no dependencies of ours: put them into an environment of their own (`python -m venv
peers; peers/bin/pip install faster-coco-eval hotcoco`) and name its interpreter.

A first round, which is not counted, leaves every side's byte code in a folder of its own, as an installation does.
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
FASTER = """
import json, sys
from faster_coco_eval import COCO, COCOeval_faster
truth = COCO(sys.argv[1])
evaluation = COCOeval_faster(truth, truth.loadRes(sys.argv[2]), "keypoints", print_function=lambda *_: None)
evaluation.evaluate()
evaluation.accumulate()
evaluation.summarize()
json.dump([float(one) for one in evaluation.stats], open(sys.argv[3], "w"))
"""
HOT = """
import json, sys
from hotcoco import COCO, COCOeval
truth = COCO(sys.argv[1])
evaluation = COCOeval(truth, truth.load_res(sys.argv[2]), "keypoints")
evaluation.evaluate()
evaluation.accumulate()
evaluation.summarize()
json.dump([float(one) for one in evaluation.stats], open(sys.argv[3], "w"))
"""
PEERS = {"faster-coco-eval": FASTER, "hotcoco": HOT}


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


def measure(command: list[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a process to its end, with nothing shown of what it prints."""
    null = os.open(os.devnull, os.O_WRONLY)
    started = time.perf_counter()
    process = os.posix_spawn(
        command[0], command, environment or dict(os.environ), file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)]
    )
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - started
    os.close(null)
    if status:
        raise SystemExit(f"{' '.join(command)}: failed")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)  # Linux counts in kilobytes


def sides_of(folder: Path, peers_python: str | None) -> dict[str, list[str]]:
    """Write the two files; return the command of each side, which leaves its ten figures in a file of its name."""
    rng = np.random.default_rng(0)
    truth = deal_truth(json.loads(write_input(folder, 1)[0].read_text()), rng)
    gt, results = str(folder / "truth.json"), str(folder / "results.json")
    Path(gt).write_text(json.dumps(truth))
    Path(results).write_text(json.dumps(noisy_results(truth, rng)))
    ours = ["-m", "cocoprep", "evaluate", "--annotations", gt, "--results", results, "--json", str(folder / "ours")]
    bare = {"bare pycocotools": [sys.executable, "-c", BARE, gt, results, str(folder / "bare pycocotools")]}
    for name, code in PEERS.items() if peers_python else ():
        bare[name] = [str(peers_python), "-c", code, gt, results, str(folder / name)]
    return {"ours": [sys.executable, *ours], **bare}


def check_figures(folder: Path, names: list[str]) -> None:
    """Stop where pycocotools' figures are not ours; print how far the others' are off."""
    ours = list(json.loads((folder / "ours").read_text())["oks"].values())
    for name in names:
        theirs = json.loads((folder / name).read_text())
        off = float(np.abs(np.subtract(ours, theirs)).max())
        print(f"ten OKS figures of {name}: {'equal to the bit' if ours == theirs else f'off by up to {off:.2g}'}")
        if name == "bare pycocotools" and ours != theirs:
            raise SystemExit("the ten figures differ from pycocotools'")


def main() -> None:
    """Print all sides, and ours over each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers-python", metavar="PATH", help="a Python that has faster-coco-eval and hotcoco")
    chosen = parser.parse_args()
    if not chosen.peers_python:
        print("without --peers-python there is pycocotools alone to compare with", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-evaluate-") as temporary:
        folder = Path(temporary)
        sides = sides_of(folder, chosen.peers_python)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        rounds = [{name: measure(one, environment) for name, one in sides.items()} for _ in range(chosen.runs + 1)][1:]
        check_figures(folder, list(sides)[1:])
    print(f"{PEOPLE} people, {ANNOTATIONS} annotations, {IMAGES} images")
    for name in sides:
        middle = [statistics.median(one[name][n] for one in rounds) for n in range(3)]
        print(f"{name}: {middle[0]:.2f} s, {middle[1]:.2f} s of processor time, {middle[2]:.0f} MB at most")
        for n, what in enumerate(("time", "processor time", "memory")) if name != "ours" else ():
            ratios = [one["ours"][n] / one[name][n] for one in rounds]
            print(f"  {what}, ours over it: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
