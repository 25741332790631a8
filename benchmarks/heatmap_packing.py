"""What packing heatmaps costs: bytes and microseconds a record for zlib's levels and strategies, and both orders.

`python -m benchmarks.heatmap_packing [FOLDER]`: of the records of a built folder, or of a drawn sample.
"""

from __future__ import annotations

import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import cocoprep

STRATEGIES = {"default": zlib.Z_DEFAULT_STRATEGY, "filtered": zlib.Z_FILTERED, "run-length": zlib.Z_RLE}
LEVELS = (1, 3, 6, 9)


def pack(data: bytes, level: int, strategy: int) -> bytes:
    """Return one zlib stream."""
    packer = zlib.compressobj(level, strategy=strategy)
    return packer.compress(data) + packer.flush()


def sample_heatmaps(folder: Path) -> list[NDArray[np.uint8]]:
    """Build a small sample and return its heatmaps."""
    from cocoprep.builder.config import BuildConfig
    from cocoprep.pipelines.local.run import run_local_build
    from cocoprep.sample import write_sample

    write_sample(folder / "coco", images=100)
    annotations = folder / "coco" / "annotations" / "person_keypoints_train2017.json"
    images, out = folder / "coco" / "train2017", folder / "out"
    run_local_build(BuildConfig(split="bench", annotations=str(annotations), images=str(images), out=str(out)))
    return [person["heatmaps"] for person in cocoprep.open_dataset(out)]


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            heatmaps = [person["heatmaps"] for person in cocoprep.open_dataset(sys.argv[1])]
        else:
            heatmaps = sample_heatmaps(Path(folder))
    orders = {"h, w, K": heatmaps, "K, h, w": [np.ascontiguousarray(maps.transpose(2, 0, 1)) for maps in heatmaps]}
    print(f"{len(heatmaps)} records of {heatmaps[0].nbytes} bytes")
    for order, arrays in orders.items():
        for name, strategy in STRATEGIES.items():
            for level in LEVELS:
                started = time.perf_counter()
                size = sum(len(pack(array.tobytes(), level, strategy)) for array in arrays) / len(arrays)
                microseconds = (time.perf_counter() - started) / len(arrays) * 1e6
                print(f"({order})  {name:10}  level {level}:  {size:6.0f} bytes  {microseconds:6.0f} us")


if __name__ == "__main__":
    main()
