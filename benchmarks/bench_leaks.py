"""The parts of `cocoprep leaks`: fingerprints beside imagehash's, the search beside faiss's, and what is found.

`python -m benchmarks.bench_leaks [FOLDER] [--runs N]`. FOLDER has photographs, at any depth; without it they are drawn.
imagehash (with PyWavelets and SciPy) and faiss-cpu are compared with where they are installed, or on PYTHONPATH. Every
figure to quote is a ratio within one run, the median of `--runs` pairs in turn, of one thread each.

The last part plants a copy of every photograph, of each kind, and counts those that are found.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from cocoprep.coco.source_file import parse_source
from cocoprep.inspection.candidates import MOST_BITS, find_candidates
from cocoprep.inspection.fingerprint_folder import FingerprintFolder
from cocoprep.inspection.fingerprints import SIDE, fingerprint
from cocoprep.inspection.hashes import hash_thumbnails
from cocoprep.inspection.leaks import find_leaks
from cocoprep.inspection.listed import list_photographs
from cocoprep.inspection.opened import Opener, close_all
from cocoprep.inspection.reading import see_photographs
from cocoprep.sample import write_sample
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.copies import FOUND, NOT_PROMISED, write_photographs

FIRST, SECOND, PLANTED = 5_000, 118_287, 500  # photographs of COCO's val2017 and train2017; copies among them
PHOTOGRAPHS = 150


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(ours: Callable[[], object], theirs: Callable[[], object] | None, runs: int) -> str:
    """Return what both sides take, and the ratio of their times."""
    pairs = [(seconds_of(ours), seconds_of(theirs) if theirs else 0.0) for _ in range(runs)]
    mine = statistics.median(pair[0] for pair in pairs)
    if theirs is None:
        return f"{mine:.2f} s"
    ratios = [pair[0] / pair[1] for pair in pairs]
    other = statistics.median(pair[1] for pair in pairs)
    return (
        f"{mine:.2f} s, theirs {other:.2f} s; ours over theirs {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


def measure_fingerprints(photographs: list[bytes], runs: int) -> None:
    """Print how long fingerprints take: digest, size and thumbnail, beside a perceptual hash alone."""

    def ours() -> None:
        for data in photographs:
            fingerprint(data, "x")

    theirs = None
    if find_spec("imagehash"):
        import imagehash  # type: ignore[import-not-found, unused-ignore]

        def theirs() -> None:
            for data in photographs:
                imagehash.phash(Image.open(io.BytesIO(data)))

    size = sum(map(len, photographs)) / len(photographs)
    print(f"fingerprints of {len(photographs)} photographs of {size / 1000:.0f} kB: {in_turn(ours, theirs, runs)}")
    rate = len(photographs) / statistics.median(seconds_of(ours) for _ in range(runs))
    print(f"  {rate:.0f} photographs/s by one process")


def synthetic_thumbnails(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return (count, `SIDE`, `SIDE`) uint8 whose spectrum falls as that of photographs."""
    frequency = 1 + np.hypot(*np.meshgrid(np.arange(16), np.arange(16)))
    place = np.arange(SIDE)
    cosines = np.cos(np.pi * (2 * place[:, None] + 1) * np.arange(16) / (2 * SIDE)).astype(np.float32)
    found = np.empty((count, SIDE, SIDE), np.uint8)
    for start in range(0, count, 4096):
        amplitudes = rng.normal(size=(min(4096, count - start), 16, 16)) / frequency
        pictures = cosines @ amplitudes.astype(np.float32) @ cosines.T
        found[start : start + 4096] = np.clip(128 + 40 * pictures, 0, 255)
    return found


def measure_search(runs: int) -> None:
    """Print how long the pairs of two data sets of COCO's size take, and the memory that it adds."""
    rng = np.random.default_rng(0)
    thumbnails = synthetic_thumbnails(rng, FIRST + SECOND)
    noise = rng.normal(0, 4, (PLANTED, SIDE, SIDE))
    planted = np.arange(FIRST, FIRST + PLANTED)
    thumbnails[planted] = np.clip(thumbnails[:PLANTED] + noise, 0, 255)
    homes = np.repeat([0, 1], [FIRST, SECOND])
    before = psutil.Process().memory_info().rss
    found = find_candidates(thumbnails, homes, across=True)
    more = (psutil.Process().memory_info().rss - before) / 1e6
    hits = set(zip(found.later.tolist(), found.earlier.tolist(), strict=True))
    missed = PLANTED - len(hits & set(zip(planted.tolist(), range(PLANTED), strict=True)))
    print(f"search among {SECOND} x {FIRST}, and mirrored: {len(found)} pairs, {missed} of {PLANTED} planted missed;")
    print(f"  {more:.0f} MB more; {in_turn(lambda: find_candidates(thumbnails, homes, across=True), None, runs)}")
    everything = seconds_of(lambda: find_candidates(thumbnails, homes))
    print(f"  with pairs within each of both: {everything:.1f} s")
    if find_spec("faiss"):
        _measure_faiss(thumbnails, homes, runs)


def _measure_faiss(thumbnails: np.ndarray, homes: np.ndarray, runs: int) -> None:
    import faiss  # type: ignore[import-not-found, unused-ignore]

    faiss.omp_set_num_threads(1)

    def theirs() -> None:
        of_second = hash_thumbnails(thumbnails[FIRST:]).view(np.uint8).reshape(-1, 8)
        for mirrored in (False, True):
            index = faiss.IndexBinaryFlat(64)
            index.add(hash_thumbnails(thumbnails[:FIRST], mirrored=mirrored).view(np.uint8).reshape(-1, 8))
            index.range_search(of_second, MOST_BITS + 1)

    print(f"  beside faiss: {in_turn(lambda: find_candidates(thumbnails, homes, across=True), theirs, runs)}")


def count_found(photographs: dict[str, bytes], kind: str, folder: Path) -> tuple[int, int]:
    """Plant a copy of every photograph; return how many are found, and how many are taken for another."""
    make = {**FOUND, **NOT_PROMISED}[kind]
    copies = {name: make(Image.open(io.BytesIO(data)).convert("RGB")) for name, data in photographs.items()}
    files, opener = AnyFiles(), Opener(AnyFiles())
    sets = {"val": write_photographs(folder / "val", photographs), "train": write_photographs(folder / "train", copies)}
    listed = list_photographs([parse_source(f"{name}={where}", "", files) for name, where in sets.items()], opener)
    seen = see_photographs(listed, FingerprintFolder(str(folder / "fingerprints"), files), opener)
    found = find_leaks(listed, seen, opener, across=True)
    close_all()
    right = {leak.dropped.file_name for leak in found.leaks if leak.dropped.file_name == leak.kept.file_name}
    return len(right), len(found.leaks) - len(right)


def main() -> None:
    """Measure fingerprints and search, then count what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="photographs, at any depth")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--most", type=int, default=PHOTOGRAPHS, help="photographs to take, evenly spread")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-leaks-") as temporary:
        folder = chosen.folder or Path(temporary) / "drawn"
        if chosen.folder is None:
            write_sample(folder, images=chosen.most, val_fraction=0)
        paths = sorted(folder.rglob("*.jpg"))
        paths = paths[:: -(-len(paths) // chosen.most)]
        photographs = {f"{number}.jpg": path.read_bytes() for number, path in enumerate(paths)}
        measure_fingerprints(list(photographs.values()), chosen.runs)
        measure_search(chosen.runs)
        for kind in (*FOUND, *NOT_PROMISED):
            right, wrong = count_found(photographs, kind, Path(temporary))
            print(f"{kind}: {right} of {len(photographs)} found, {wrong} taken for another", flush=True)


if __name__ == "__main__":
    main()
