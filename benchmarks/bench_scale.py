"""How a local build grows with its input: rate, and peak memory of driver and workers, from 1,000 drawn images on.

`python -m benchmarks.bench_scale [--images N ...] [--folder DIR]`. The images are drawn once, each of its own; in a
folder that is named they are kept, and an interrupted drawing goes on. 30,000 take two cores some 15 minutes and 2 GB.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from benchmarks.bench_build import WORKERS, build_command, peak_memory
from cocoprep.sample import write_sample
from cocoprep.workers import default_workers

SPLIT = "train2017"


def first_images(coco: Path, images: int) -> tuple[Path, Path, int]:
    """Return an annotation file of the first `images` of a sample, the folder of its images, and how many people."""
    document = json.loads((coco / "annotations" / f"person_keypoints_{SPLIT}.json").read_text())
    kept = {image["id"] for image in document["images"][:images]}
    annotations = [a for a in document["annotations"] if a["image_id"] in kept]
    path = coco.parent / f"annotations-{images}.json"
    path.write_text(json.dumps({**document, "images": document["images"][:images], "annotations": annotations}))
    return path, coco / SPLIT, sum(a["num_keypoints"] > 0 for a in annotations)


def measure(folder: Path, images: int) -> None:
    """Build from some images and print what it took."""
    annotations, photographs, people = first_images(folder / "coco", images)
    out = folder / "out"
    started = time.monotonic()
    peaks = peak_memory(build_command((annotations, photographs), out, WORKERS), out)
    seconds = time.monotonic() - started
    print(
        f"{images} images, {people} people: {seconds:.1f} s, {people / seconds:.0f} people/s; "
        f"driver {peaks['driver']:.0f} MB, largest worker {peaks['worker']:.0f} MB",
        flush=True,
    )


def main() -> None:
    """Draw, then build one size after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 10_000, 30_000])
    parser.add_argument("--folder", type=Path, help="keep the drawn images here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as temporary:
        folder = chosen.folder or Path(temporary)
        write_sample(folder / "coco", images=max(chosen.images), val_fraction=0, workers=default_workers())
        for images in chosen.images:
            measure(folder, images)


if __name__ == "__main__":
    main()
