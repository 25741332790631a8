"""How often the intervals of `cocoprep compare` hold the truth, on simulated pairs of results.

`python -m benchmarks.bench_compare [--pairs N] [--images I] [--draws B]`: two simulated networks, of which one is a
little worse, predict the people of a large population of photographs, whose figures are taken for the truth. Again and
again I photographs are taken from it, without looking at the others, and the interval of the difference in OKS AP is
made of them alone. Intervals of 95 % are to hold the truth in 93 to 97 % of the pairs; of 200 pairs the share itself is
sure to 1.5 %, so that more pairs say more.

With `--peers-python PATH`, a Python that has hotcoco (see `bench_evaluate`), `cocoprep compare` and hotcoco's `compare`
stand side by side instead: whole processes on as many people as COCO's val2017 has, in turn, and how wide their
intervals are. hotcoco takes the photographs of a draw as a set, each once however often it was drawn: so its draws
differ less from each other than draws with replacement do, by sqrt((1 - 0.632) / 0.632) = 0.76. Ours, drawn so, stands
beside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench_evaluate import PEOPLE, deal_truth, measure, noisy_results
from benchmarks.drawn_people import write_input
from cocoprep.coco.results import read_results
from cocoprep.coco.truth import read_truth
from cocoprep.evaluation.average_precision import measure_precision
from cocoprep.evaluation.bootstrap import draw_copies, interval_of
from cocoprep.evaluation.oks import score_oks
from cocoprep.evaluation.oks_pairs import People
from cocoprep.evaluation.people_found import PeopleFound, find_people
from cocoprep.storage.local import LocalFiles

POPULATION, JOINTS, SIGMAS = 6000, 5, np.full(5, 0.05)
FIGURES = ("AP", "AP50", "AP75", "AR")
HOT = """
import json, sys
from hotcoco import COCO, COCOeval, compare
truth, sides = COCO(sys.argv[1]), []
for path in sys.argv[2:4]:
    sides.append(COCOeval(truth, truth.load_res(path), "keypoints"))
    sides[-1].evaluate()
found = compare(*sides, n_bootstrap=int(sys.argv[4]), seed=0)
ends = {name: [one["lower"], one["upper"]] for name, one in found["ci"].items()}
json.dump({"deltas": found["deltas"], "ci": ends}, open(sys.argv[5], "w"))
"""


def draw_people(rng: np.random.Generator) -> People:
    """Draw people: one to four on a photograph, of sizes as COCO's, each joint labelled or not."""
    image_ids = np.repeat(np.arange(POPULATION), rng.integers(1, 5, POPULATION))
    scale = np.exp(rng.uniform(3.2, 5.2, len(image_ids)))
    labelled = rng.uniform(size=(len(image_ids), JOINTS)) < 0.8
    labelled[:, 0] = True
    corner = rng.uniform(0, 500, (len(image_ids), 1, 2))
    nobody = np.zeros(len(image_ids), bool)
    return People(
        image_ids=image_ids,
        keypoints=corner + rng.uniform(0, 1, (len(image_ids), JOINTS, 2)) * scale[:, None, None],
        labelled=labelled,
        bbox=np.column_stack([corner[:, 0], scale, scale]),
        area=np.square(scale) * 0.6,
        ignored=nobody,
        crowd=nobody,
    )


def predict(people: People, hard: NDArray[np.float64], noise: float, rng: np.random.Generator) -> PeopleFound:
    """Predict everybody, off by more where people are `hard` (N,), with a false one on every fourth photograph."""
    off = noise * hard * np.sqrt(people.area)
    near = people.keypoints + rng.normal(0, 1, people.keypoints.shape) * off[:, None, None]
    strays = np.flatnonzero(rng.uniform(size=POPULATION) < 0.25)
    stray = rng.uniform(0, 600, (len(strays), JOINTS, 2))
    scores = np.concatenate([1 / (1 + hard) + rng.normal(0, 0.1, len(hard)), rng.uniform(0, 0.6, len(strays))])
    keypoints = np.concatenate([near, stray])
    sides = keypoints.max(axis=1) - keypoints.min(axis=1)
    image_ids = np.concatenate([people.image_ids, strays])
    return find_people(
        people, np.arange(POPULATION), image_ids=image_ids, keypoints=keypoints, scores=scores,
        area=sides.prod(axis=1), sigmas=SIGMAS,
    )  # fmt: skip


def taken(found: PeopleFound, images: NDArray[np.int64]) -> PeopleFound:
    """Return what was found on some photographs alone, whose places rise."""
    mine = np.isin(found.image, images)
    return PeopleFound(
        images=found.images[images],
        image=np.searchsorted(images, found.image[mine]),
        line=found.line[mine],
        right=np.ascontiguousarray(found.right[..., mine]),
        counted=np.ascontiguousarray(found.counted[..., mine]),
        people=found.people[:, images],
    )


def write_files(folder: Path) -> list[str]:
    """Write a ground truth of the size of COCO's val2017 and two equally good results; return their paths."""
    truth = deal_truth(json.loads(write_input(folder, 1)[0].read_text()), np.random.default_rng(0))
    contents: list[Any] = [truth, *(noisy_results(truth, np.random.default_rng(seed)) for seed in (1, 2))]
    paths = [str(folder / name) for name in ("truth.json", "one.json", "other.json")]
    for path, content in zip(paths, contents, strict=True):
        Path(path).write_text(json.dumps(content))
    return paths


def widths_each_once(truth_path: str, results: list[str], draws: int) -> dict[str, float]:
    """Return how wide our intervals are where a draw counts each of its photographs once."""
    files = LocalFiles()
    truth = read_truth(truth_path, files)
    found = [score_oks(truth, read_results(one, files, truth, truth.table), truth.table).found for one in results]
    once = np.minimum(draw_copies(len(truth.images), draws=draws, seed=0), 1)
    one, other = (measure_precision(side, once).figures for side in found)
    photographs = len(set(truth.image_ids[truth.counts].tolist()))
    ends = {name: interval_of(0.0, other[name] - one[name], photographs=photographs) for name in one}
    return {name: end.high - end.low for name, end in ends.items()}


def stand_beside(peers_python: str, runs: int, draws: int) -> None:
    """Print what `cocoprep compare` and hotcoco's take, and how wide their intervals are."""
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as temporary:
        folder = Path(temporary)
        truth, *results = write_files(folder)
        ours, theirs = str(folder / "ours"), str(folder / "theirs")
        flags = ["--annotations", truth, "--draws", str(draws), "--json", ours]
        sides = {
            "ours": [sys.executable, "-m", "cocoprep", "compare", *results, *flags],
            "hotcoco": [peers_python, "-c", HOT, truth, *results, str(draws), theirs],
        }
        rounds = [{name: measure(command) for name, command in sides.items()} for _ in range(runs + 1)][1:]
        differences = json.loads(Path(ours).read_text())["differences"]["other.json"]
        found = json.loads(Path(theirs).read_text())
        once = widths_each_once(truth, results, draws)
    print(f"{PEOPLE} people, two results, {draws} draws")
    for name in sides:
        wall, busy = (statistics.median(one[name][n] for one in rounds) for n in range(2))
        print(f"{name}: {wall:.2f} s, {busy:.2f} s of processor time")
    for n, what in enumerate(("time", "processor time")):
        ratios = [one["ours"][n] / one["hotcoco"][n] for one in rounds]
        print(f"  {what}, ours over hotcoco: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    for name, (low, high) in found["ci"].items():
        mine = differences[name]
        print(
            f"{name}: difference {mine['value']:+.4f}, hotcoco's {found['deltas'][name]:+.4f}; its interval "
            f"{(high - low) / (mine['high'] - mine['low']):.2f} times as wide as ours, "
            f"{(high - low) / once[name]:.2f} times where ours counts each photograph of a draw once"
        )


def main() -> None:
    """Print of each figure the share of intervals that hold the truth, and how wide they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3, help="with --peers-python: rounds")
    parser.add_argument("--peers-python", metavar="PATH", help="a Python that has hotcoco, to stand beside")
    chosen = parser.parse_args()
    if chosen.peers_python:
        stand_beside(chosen.peers_python, chosen.runs, chosen.draws)
        return
    rng = np.random.default_rng(chosen.seed)
    people = draw_people(rng)
    hard = np.exp(rng.normal(0, 0.6, POPULATION))[people.image_ids] * np.exp(rng.normal(0, 0.4, len(people.area)))
    both = [predict(people, hard, noise, rng) for noise in (0.05, 0.055)]
    truth = [measure_precision(one).figures for one in both]
    held, width, started = dict.fromkeys(FIGURES, 0), dict.fromkeys(FIGURES, 0.0), time.process_time()
    for pair in range(chosen.pairs):
        images = np.sort(rng.choice(POPULATION, chosen.images, replace=False))
        some = [taken(one, images) for one in both]
        copies = draw_copies(chosen.images, draws=chosen.draws, seed=pair)
        whole, drawn = [[measure_precision(one, of).figures for one in some] for of in (None, copies)]
        for name in FIGURES:
            value = float((whole[1][name] - whole[0][name])[0])
            found = interval_of(value, drawn[1][name] - drawn[0][name], photographs=chosen.images)
            held[name] += bool(found.low <= (truth[1][name] - truth[0][name])[0] <= found.high)
            width[name] += found.high - found.low
    seconds = (time.process_time() - started) / chosen.pairs
    print(f"{chosen.pairs} pairs of {chosen.images} photographs, {chosen.draws} draws, seed {chosen.seed}")
    print(f"{seconds:.2f} s of processor time a pair")
    for name in FIGURES:
        difference = float((truth[1][name] - truth[0][name])[0])
        print(
            f"{name}: true difference {difference:+.4f}, intervals {width[name] / chosen.pairs:.4f} wide on average, "
            f"{held[name] / chosen.pairs:.1%} of them hold it"
        )


if __name__ == "__main__":
    main()
