"""What helps a small network in a given time: many changes of one training, each trained for as long, on one GPU.

`python -m benchmarks.ablations TRAIN SCORE [--variants FILE.toml] [--out FILE] [--at-once N]`. TRAIN and SCORE are
built folders of square crops as large as the largest input: of both parts of `benchmarks.yardstick`, by `cocoprep build
--input-size 192`. Variants and their costs are those of ablations.toml beside this file: each has as many epochs as two
cores take for the plain one's. So it tells what is worth its time there, whatever the time that it takes on a GPU.

It needs PyTorch and no TensorFlow: the extra `bench`, or an environment of its own (`pip install torch numpy
opencv-python-headless msgspec protobuf simplejpeg pillow`, and google-crc32c for built folders). `--pack FILE` writes
what it takes of the folders into one file, without PyTorch; a machine with a GPU takes that in place of both.

Order, augmentation, losses, schedule and figures are those of `cocoprep train` and `cocoprep evaluate`, as the tests
hold. What differs: pictures are shrunk from one size and not rounded to 8 bits between two changes; batch normalisation
keeps unbiased variances; and convolutions on a GPU compute in TF32, both of them PyTorch's ways.

A line of JSON for each training goes to `--out`. With the same file, a further call takes from it those that have ended
and trains the others.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections import deque
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.ablation_people import pack, read_people
from benchmarks.ablation_scores import result_table
from benchmarks.ablation_variants import Task, Variants, read_variants
from cocoprep.checks import require, require_number
from cocoprep.errors import CocoprepError, ConfigError
from cocoprep.shards.exclude_list import read_exclude_list
from cocoprep.storage.local import LocalFiles

VARIANTS = Path(__file__).with_suffix(".toml")
ON_GPU, ON_CPU = 15, 1  # trainings at once


def list_tasks(variants: Variants, seeds: list[int], *, has_list: bool) -> list[Task]:
    """Return the trainings, seed after seed; without a list of people to leave out, those who need it are left out."""
    without = [name for name, variant in variants.by_name.items() if variant.exclude and not has_list]
    if without:
        print(f"left out, for want of --exclude: {', '.join(without)}")
    return [
        Task(name, variant, seed, round(variants.epochs / variant.cost, 2))
        for seed in seeds
        for name, variant in variants.by_name.items()
        if name not in without
    ]


def finished(out: Path | None) -> list[dict[str, Any]]:
    """Return the results of a file whose trainings came to their end; none where there is no file."""
    lines = out.read_text().splitlines() if out and out.exists() else []
    try:
        return [one for one in map(json.loads, lines) if one["steps"] == one["of"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"--out {out}: expected results of this benchmark, found something else ({error}). Name another file."
        ) from error


def main() -> None:
    """Train what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", nargs="+", metavar="TRAIN SCORE", help="built folders, or one packed file")
    parser.add_argument("--pack", type=Path, help="write the people into this file, and end")
    parser.add_argument("--variants", type=Path, default=VARIANTS)
    parser.add_argument("--only", nargs="+", help="names of variants, beside the plain one")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--epochs", type=float, help="of the plain one, instead of those of the file")
    parser.add_argument("--exclude", help="annotations that some variants leave out: a list of `cocoprep check --out`")
    parser.add_argument("--out", type=Path, help="file of results, a JSON line each; those there are kept")
    parser.add_argument("--at-once", type=int, help=f"trainings side by side; {ON_GPU} on a GPU, {ON_CPU} on a CPU")
    parser.add_argument("--minutes", type=float, default=1e6, help="after which trainings are cut short")
    chosen = parser.parse_args()
    try:
        sys.exit(compare(chosen))
    except CocoprepError as error:
        parser.error(str(error))


def compare(chosen: argparse.Namespace) -> int:
    """Do what the command line asks for; return 1 where a training failed, else 0."""
    people = read_people(chosen.people)
    if chosen.pack:
        pack(people, chosen.pack)
        return 0
    variants = read_variants(chosen.variants)
    if chosen.epochs is not None:
        require_number("--epochs", chosen.epochs, 0.001)
        variants = dataclasses.replace(variants, epochs=chosen.epochs)
    if chosen.at_once is not None:
        require_number("--at-once", chosen.at_once, 1, whole=True)
    if chosen.only:
        variants = variants.only(chosen.only)
    largest, built = max(one.input_size for one in variants.by_name.values()), min(one.size for one in people.values())
    require(largest <= built, "people", f"crops of {largest} pixels (--input-size {largest} of build)", built)
    if find_spec("torch") is None:
        raise ConfigError(
            "PyTorch is not installed here: see the top of this text (python -m benchmarks.ablations -h)."
        )
    excluded = set(read_exclude_list(chosen.exclude, LocalFiles()).lines) if chosen.exclude else set()
    tasks = list_tasks(variants, chosen.seeds, has_list=bool(chosen.exclude))
    from benchmarks.torch_workshop import Workshop

    workshop = Workshop(people, excluded, chosen.out, seconds=60 * chosen.minutes)
    known = {json.dumps(task.about): task for task in tasks}
    for result in finished(chosen.out):
        about = json.dumps({name: result.get(name) for name in tasks[0].about})
        if known.pop(about, None):
            workshop.results.append(result)
    at_once = chosen.at_once or (ON_GPU if workshop.device.type == "cuda" else ON_CPU)
    print(f"{len(known)} trainings on {workshop.device.type}, {at_once} at once", flush=True)
    waiting = deque(known.values())
    workshop.train_all(waiting, at_once)
    if waiting:
        print(f"not begun: {', '.join(f'{task.name} (seed {task.seed})' for task in waiting)}")
    place = {(task.name, task.seed): number for number, task in enumerate(tasks)}
    print(result_table(sorted(workshop.results, key=lambda one: place[one["variant"], one["seed"]])))
    return 1 if workshop.failed else 0


if __name__ == "__main__":
    main()
