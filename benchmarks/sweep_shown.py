"""Show a sweep: killed in the middle and gone on with, then what it found beside settings made by hand.

`python -m benchmarks.sweep_shown [--out DIR] [--trials N] [--kill-after N] [--seeds N] [--images N]`. The drawn sample
of `make sample-shards` is searched by `model/configs/sweep-sample.toml`. Once some trials have ended and the next has
saved its first epoch, all processes of the sweep are killed; then the same command goes on to the end, and the database
tells whether a trial was lost, or run twice. The best setting, and those of `model/configs/sample.toml` in what was
searched, are trained with seeds that no trial had, for as long as a trial, and scored on a sample of another seed. Run
again with the same `--out`, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
import tomllib
from contextlib import closing
from pathlib import Path

from benchmarks.yardstick import cocoprep

CONFIGS = Path(__file__).parent.parent / "model" / "configs"
NAME = "sweep-sample"
POLL_S = 0.1
BUILD = ("--input-size", 128)
SPLITS = ("train2017", "val2017")
SCORED = "scored"
NOT_ENDED = "RUNNING"

Rows = list[list[object]]  # of trials: number, state, when it began, when it ended


def build_all(out: Path, images: int) -> None:
    """Draw and build the sample, and one of another seed to score on, as many as two fifths of the first."""
    cocoprep("sample", out / "coco", "--images", images)
    for split in SPLITS:
        cocoprep("build", "--data-dir", out / "coco", "--split", split, "--out", out / "shards" / split, *BUILD)
    cocoprep("sample", out / "others", "--images", images * 2 // 5, "--seed", 1)
    cocoprep("build", "--data-dir", out / "others", "--split", SPLITS[0], "--out", out / SCORED, *BUILD)


def write_sweep(out: Path) -> Path:
    """Write the sweep's file with the paths that hold here."""
    text = (CONFIGS / f"{NAME}.toml").read_text()
    file = out / f"{NAME}.toml"
    file.write_text(text.replace('"data/sample/', f'"{out}/').replace('"model/configs/', f'"{CONFIGS}/'))
    return file


def read_trials(database: Path) -> Rows:
    """Return the study's trials as the database has them, in the order in which they were made."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT number, state, datetime_start, datetime_complete FROM trials ORDER BY 1")
        return [list(row) for row in found]


def is_in_the_middle(out: Path, after: int) -> bool:
    """Tell whether so many trials have ended, and the next one has an epoch behind it."""
    try:
        rows = read_trials(out / "sweep.db")
    except sqlite3.OperationalError:  # there is none yet
        return False
    under_way = [row[0] for row in rows if row[1] == NOT_ENDED]
    saved = [one for n in under_way for one in (out / NAME / f"trial-{n:04d}" / "checkpoints").glob("*.npz")]
    return len(rows) - len(under_way) >= after and bool(saved)


def sweep(out: Path, trials: int, kill_after: int) -> Rows:
    """Sweep, killed once in the middle; return the trials as the kill left them."""
    at_kill = out / "at-kill.json"
    command = [
        sys.executable, "-m", "cocoprep", "sweep", str(write_sweep(out)),
        "--study", f"sqlite:///{out / 'sweep.db'}", "--trials", str(trials),
    ]  # fmt: skip
    if not at_kill.exists():
        process = subprocess.Popen(command, start_new_session=True)
        try:
            while not is_in_the_middle(out, kill_after):
                if process.poll() is not None:
                    raise SystemExit("the sweep ended before it was killed: begin anew with another --out")
                time.sleep(POLL_S)
        finally:  # Ctrl-C does not reach it
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        at_kill.write_text(json.dumps(read_trials(out / "sweep.db")))
        print("killed", flush=True)
    subprocess.run(command, check=True)
    found: Rows = json.loads(at_kill.read_bytes())
    return found


def check(out: Path, trials: int, at_kill: Rows) -> str:
    """Return in words that no trial was lost, and none run twice; end where that is not so."""
    rows = read_trials(out / "sweep.db")
    with (out / NAME / "trials.csv").open(newline="") as stream:
        table = [int(row["trial"]) for row in csv.DictReader(stream)]
    wanted = list(range(trials))
    if [row[0] for row in rows] != wanted or table != wanted:
        raise SystemExit(f"expected trials 0 to {trials - 1}, found {rows} in the database, {table} in the table")
    if NOT_ENDED in {row[1] for row in rows}:
        raise SystemExit(f"a trial has not ended: {rows}")
    ended = [row for row in at_kill if row[1] != NOT_ENDED]
    begun = [(row[0], row[2]) for row in at_kill if row[1] == NOT_ENDED]
    if any(row not in rows for row in ended) or not set(begun) <= {(row[0], row[2]) for row in rows}:
        raise SystemExit(f"trials have changed since the kill: {at_kill}, now {rows}")
    return (
        f"killed after {len(ended)} trials, within trial {', '.join(str(number) for number, _ in begun) or 'none'}; in "
        f"the end {trials} trials, 0 to {trials - 1}, each begun once, and what had ended as it was"
    )


def settings_by_hand() -> dict[str, tuple[object, ...]]:
    """Return the options of `train` by which a row differs from the best setting."""
    hand = tomllib.loads((CONFIGS / "sample.toml").read_text())
    narrow = ("--learning-rate", hand["optimizer"]["learning_rate"], "--batch-size", hand["batch_size"])
    return {
        "found by the sweep": (),
        "made by hand": (*narrow, "--channels", hand["network"]["channels"]),
        "made by hand, of the found width": narrow,
    }


def score(out: Path, name: str, seed: int, options: tuple[object, ...]) -> tuple[float, float, float]:
    """Train by the best setting but for some options; return PCK@0.2 and PCK@0.1 by box, and OKS AP."""
    run = out / "runs" / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
    figures = run / "figures.json"
    if not figures.exists():
        best = out / NAME / "best.toml"
        cocoprep("train", "--config", best, "--run-dir", run, "--resume", "--seed", seed, *options)
        cocoprep("evaluate", "--run", run, "--data", out / SCORED, "--json", figures)
    found = json.loads(figures.read_bytes())
    at = found["pck"]["box"]["at"]
    return at["0.2"]["total"], at["0.1"]["total"], found["oks"]["AP"]


def main() -> None:
    """Build, sweep, check, train with each seed, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/sweep-shown"))
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--kill-after", type=int, default=5, help="trials")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=1250, help="of the sample that is searched on, to train on")
    chosen = parser.parse_args()
    out, began = chosen.out, time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    build_all(out, chosen.images)
    told = check(out, chosen.trials, sweep(out, chosen.trials, chosen.kill_after))
    swept = time.monotonic()
    rows = {name: (options, list[tuple[float, float, float]]()) for name, options in settings_by_hand().items()}
    for seed in range(1, chosen.seeds + 1):  # 0 is that of all trials
        for name, (options, found) in rows.items():
            found.append(score(out, name, seed, options))
    print(told)
    print(f"{'settings':<36}{'PCK@0.2':>16}{'PCK@0.1':>16}{'AP':>16}")
    for name, (_, found) in rows.items():
        cells = (f"{statistics.mean(k):.3f} +- {statistics.pstdev(k):.3f}" for k in zip(*found, strict=True))
        print(f"{name:<36}" + "".join(f"{cell:>16}" for cell in cells))
    print(f"to the sweep's end {(swept - began) / 60:.1f} minutes, then {(time.monotonic() - swept) / 60:.1f}")


if __name__ == "__main__":
    main()
