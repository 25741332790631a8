"""Train a network on real sports photographs, and score it on others: what a change is to be held against.

`python -m benchmarks.yardstick LSPET [--recipe R] [--out DIR] [--epochs N] [--seed N] [--without-suspects]`. LSPET is a
folder in COCO's layout of the Leeds Sports Poses, extended (Johnson and Everingham 2011), 14 joints a person: images
whose ids end in 1, 2, 3, 6 or 7 are trained on, those that end in 8 scored, without and with the flip test. The recipe
is `plain`, the settings that changes are held against, or `lspet`, `model/configs/lspet.toml`. `--without-suspects`
trains without the people whose labels `cocoprep check` suspects, and scores the same others, with all their labels. Run
again with the same `--out`, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

SPLIT = "train2017"
LAST_DIGITS = {"train": (1, 2, 3, 6, 7), "score": (8,)}
HERE = Path(__file__).parent


class Recipe(NamedTuple):
    """How people are stored, and how they are learned from: options of `build`, and a config of `train`."""

    build: tuple[str, ...]
    config: Path


RECIPES = {
    "plain": Recipe(("--input-size", "128"), HERE / "yardstick.toml"),
    "lspet": Recipe(
        ("--input-size", "192", "--heatmap-stride", "8", "--sigma", "1.5"), HERE.parent / "model/configs/lspet.toml"
    ),
}


def write_images(lspet: Path, wanted: Callable[[int], bool], path: Path) -> int:
    """Write the annotations of the images whose ids are wanted; return how many images there are."""
    document = json.loads((lspet / "annotations" / f"person_keypoints_{SPLIT}.json").read_bytes())
    images = [image for image in document["images"] if wanted(image["id"])]
    kept = {image["id"] for image in images}
    annotations = [one for one in document["annotations"] if one["image_id"] in kept]
    path.write_text(json.dumps({**document, "images": images, "annotations": annotations}))
    return len(images)


def write_part(lspet: Path, last_digits: Collection[int], path: Path) -> int:
    """Write the annotations of the images whose ids end in some digits; return how many images there are."""
    return write_images(lspet, lambda image_id: image_id % 10 in last_digits, path)


def cocoprep(*arguments: object) -> None:
    """Run a command; end where it fails."""
    subprocess.run([sys.executable, "-m", "cocoprep", *map(str, arguments)], check=True)


def main() -> None:
    """Build both parts, train, score, and print the figures, and how long it all took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lspet", type=Path)
    parser.add_argument("--recipe", choices=RECIPES, default="plain")
    parser.add_argument("--out", type=Path, default=Path("runs/yardstick"))
    parser.add_argument("--epochs", type=int, help="fewer or more than the recipe says")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-suspects", action="store_true", help="do not train on labels that look wrong")
    chosen = parser.parse_args()
    started, recipe, out = time.monotonic(), RECIPES[chosen.recipe], chosen.out
    out.mkdir(parents=True, exist_ok=True)
    for part, last_digits in LAST_DIGITS.items():
        labels = out / f"{part}.json"
        print(f"{part}: {write_part(chosen.lspet, last_digits, labels)} images", flush=True)
        left_out: tuple[object, ...] = ()
        if part == "train" and chosen.without_suspects:
            cocoprep("check", labels, "--out", out / "check")
            left_out = ("--exclude", out / "check" / "exclude.txt")
        cocoprep(
            "build", "--split", part, "--annotations", labels, "--images", chosen.lspet / SPLIT, "--out", out / part,
            *recipe.build, *left_out,
        )  # fmt: skip
    epochs = ("--epochs", chosen.epochs) if chosen.epochs else ()
    cocoprep(
        "train", "--data", out / "train", "--val", out / "score", "--run-dir", out / "run", "--config", recipe.config,
        "--seed", chosen.seed, "--resume", *epochs,
    )  # fmt: skip
    scored = ("evaluate", "--run", out / "run", "--data", out / "score", "--json")
    cocoprep(*scored, out / "figures.json")
    cocoprep(*scored, out / "figures-flip.json", "--flip-test")
    print(f"all of it took {(time.monotonic() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
