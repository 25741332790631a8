"""What `cocoprep check` finds of faults that are planted into 2 % of people, kind by kind, and how long it takes.

`python -m benchmarks.bench_check [--annotations FILE] [--images N] [--kinds KIND...] [--run RUN] [--sleap-python EXE]`:
on a drawn sample, whose labels are exact, or on a file whose own labels may be wrong as well: there a suspicion that
was not planted need not be false, and what counts is how many of the planted ones are among the first. Recall is of the
planted people, those that are suspected of the kind itself; precision of the suspicions of that kind, those whose
annotation was planted.

With `--run`, such as that of `make train`, whose sample has another seed, the network is asked about the drawn people
as they are, and kinds that leave boxes as they are are measured without it and with it.

hotcoco's `healthcheck` is asked as well where it is installed, or on PYTHONPATH: of what is planted it looks for
annotations of one box. So is SLEAP's `LabelQCDetector`, where `--sleap-python` names a Python that has it (`python -m
venv peers; peers/bin/pip install --no-deps sleap; peers/bin/pip install sleap-io scikit-learn scipy networkx
scikit-image pandas`): of all it says how odd they are, and flags some.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults import ALSO, Document, Faults
from cocoprep.builder.config import BuildConfig
from cocoprep.inspection.check.check import CheckedLabels, check_labels
from cocoprep.inspection.check.network import Predicted
from cocoprep.inspection.data_set import DataSet
from cocoprep.inspection.read_data_set import read_data_set
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.sample import write_sample
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.workers import default_workers

ANNOTATIONS = "annotations/person_keypoints_train2017.json"
SHARE = 0.02
MANY = 10_000  # people, of the speed
FIRST = (1, 2, 5)  # times as many suspects as were planted
SAMPLE_SEED = 1000  # not that of `make train`
OTHER_BOXES = {"duplicate", "box"}  # kinds that change what a network would look at


def read(path: Path) -> DataSet:
    """Read a data set as the command does."""
    return read_data_set(str(path), path.stem, AnyFiles())


def measure_kind(
    document: Document,
    kind: str,
    faults: Faults,
    folder: Path,
    predicted: Predicted | None,
    *,
    sleap: str | None = None,
) -> None:
    """Plant one kind of fault, and print what is found of it: without and with a network, and by others' checks."""
    planted, faulty = faults.plant(document, kind, SHARE)
    if not faulty:
        print(f"{kind:12} cannot be planted here")
        return
    path = folder / "planted.json"
    path.write_text(json.dumps(planted))
    data_set = read(path)
    print(f"{kind:12} {_figures(check_labels(data_set), kind, faulty)}{_theirs(path, faulty)}", flush=True)
    if predicted is not None and kind not in OTHER_BOXES:
        print(f"{'  with run':12} {_figures(check_labels(data_set, predicted), kind, faulty)}", flush=True)
    if sleap:
        print(f"{'  SLEAP':12} {_by_sleap(sleap, path, data_set.table, faulty)}", flush=True)


def _figures(found: CheckedLabels, kind: str, faulty: set[int]) -> str:
    """Return in words what was found of one kind of fault, planted into the annotations `faulty`."""
    told = {kind} | ALSO.get(kind, frozenset())
    of_kind = [one for one in found.suspects if one.kind.value in told]
    right = [one for one in of_kind if faulty & {one.annotation_id, _pair(one, kind)}]
    hit = {number for one in right for number in (one.annotation_id, _pair(one, kind))} & faulty
    anyhow = {one.annotation_id for one in found.suspects} & faulty
    first = [_among_first(found, faulty, kind, times * len(faulty)) for times in FIRST]
    return (
        f"{len(faulty):4} planted  recall {len(hit) / len(faulty):.2f}  precision "
        f"{len(right) / max(len(of_kind), 1):.2f} of {len(of_kind)}  as whatever kind {len(anyhow) / len(faulty):.2f}  "
        f"among the first {', '.join(f'{times} x' for times in FIRST)}: "
        f"{', '.join(f'{share:.2f}' for share in first)}"
    )


def ask(run: Path, folder: Path) -> Predicted:
    """Return what the network of a run says of the drawn people of a folder. Raises ConfigError if it has seen them."""
    from cocoprep.cli.check_run import ask_network
    from cocoprep.model.run.folder import RunFolder
    from cocoprep.pipelines.local.run import run_local_build

    built = folder / "built"
    crop = RunFolder(str(run), AnyFiles()).read_geometry()[0].config()
    run_local_build(
        BuildConfig(
            split="bench", annotations=str(folder / ANNOTATIONS), images=str(folder / "train2017"), out=str(built),
            crop=crop,
        )
    )  # fmt: skip
    return ask_network(str(run), read(built), AnyFiles())


def _pair(one: Any, kind: str) -> int | None:
    """Return the other annotation of a pair of duplicates: which of the two is the copy, nobody can tell."""
    number: int | None = one.other_id if kind == "duplicate" else None
    return number


def _among_first(found: CheckedLabels, faulty: set[int], kind: str, count: int) -> float:
    numbers = {n for one in found.suspects[:count] for n in (one.annotation_id, _pair(one, kind))}
    return len(numbers & faulty) / len(faulty)


def _theirs(path: Path, faulty: set[int]) -> str:
    """Return what hotcoco finds of the planted, where it is there."""
    if not find_spec("hotcoco"):
        return ""
    import hotcoco  # type: ignore[import-not-found, unused-ignore]

    report = hotcoco.COCO(str(path)).healthcheck()
    named = [number for part in ("errors", "warnings") for one in report[part] for number in one["affected_ids"]]
    hits = len(faulty & set(named))
    return f"  hotcoco: recall {hits / len(faulty):.2f}, precision {hits / max(len(set(named)), 1):.2f} of {len(named)}"


def _by_sleap(python: str, path: Path, table: KeypointTable, faulty: set[int]) -> str:
    """Return what SLEAP finds of the planted."""
    joints, out = path.with_name("table.json"), path.with_name("sleap.json")
    partners = [(k, partner) for k, partner in enumerate(table.flip_index) if k < partner]
    joints.write_text(json.dumps({"names": table.names, "limbs": table.limb_index, "partners": partners}))
    script = str(Path(__file__).with_name("sleap_check.py"))
    began = time.perf_counter()
    subprocess.run([python, script, str(path), str(joints), str(out)], check=True)
    taken = time.perf_counter() - began
    ranked = [(int(number), bool(flagged)) for number, _, flagged in json.loads(out.read_text())]
    named = {number for number, flagged in ranked if flagged}
    first = [len(faulty & {number for number, _ in ranked[: times * len(faulty)]}) / len(faulty) for times in FIRST]
    return (
        f"{len(faulty):4} planted  recall {len(named & faulty) / len(faulty):.2f}  precision "
        f"{len(named & faulty) / max(len(named), 1):.2f} of {len(named)}  among the first "
        f"{', '.join(f'{times} x' for times in FIRST)}: {', '.join(f'{share:.2f}' for share in first)}  {taken:.0f} s"
    )


def measure_speed(document: Document, folder: Path) -> None:
    """Print how long many people take, as often the same as needed."""
    copies = -(-MANY // sum(one["num_keypoints"] > 0 for one in document["annotations"]))
    images = [{**one, "id": one["id"] * copies + n} for n in range(copies) for one in document["images"]]
    people = [
        {**one, "id": one["id"] * copies + n, "image_id": one["image_id"] * copies + n}
        for n in range(copies)
        for one in document["annotations"]
    ]
    path = folder / "many.json"
    path.write_text(json.dumps({**document, "images": images, "annotations": people}))
    data_set = read(path)
    began, used = time.perf_counter(), time.process_time()
    found = check_labels(data_set)
    used, began = time.process_time() - used, time.perf_counter() - began
    print(f"{found.people} people: {began:.1f} s, {used:.1f} s of processor time")


def main() -> None:
    """Measure on a drawn sample, or on a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=Path, help="a COCO keypoints file, in place of a drawn sample")
    parser.add_argument("--images", type=int, default=2500, help="of the drawn sample")
    parser.add_argument("--kinds", nargs="+", help="to plant  [default: all]")
    parser.add_argument("--run", type=Path, help="of a network that has learned from another sample")
    parser.add_argument("--sleap-python", metavar="EXE", help="a Python that has SLEAP")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    chosen = parser.parse_args()
    if chosen.run is not None and chosen.annotations is not None:
        parser.error("--run is of the drawn sample: leave out --annotations")
    with tempfile.TemporaryDirectory(prefix="bench-check-") as temporary:
        folder = Path(temporary)
        path = chosen.annotations
        if path is None:
            write_sample(folder, images=chosen.images, seed=SAMPLE_SEED, val_fraction=0, workers=default_workers())
            path = folder / ANNOTATIONS
        predicted = None if chosen.run is None else ask(chosen.run, folder)
        document, data_set = json.loads(path.read_text()), read(path)
        found = check_labels(data_set)
        kinds = ", ".join(f"{count} {kind}" for kind, count in found.by_kind.items())
        print(f"as it is: {found.people_suspected} of {found.people} people suspected ({kinds})", flush=True)
        faults = Faults(data_set.table, np.random.default_rng(chosen.seed))
        for kind in chosen.kinds or faults.kinds:
            measure_kind(document, kind, faults, folder, predicted, sleap=chosen.sleap_python or "")
        measure_speed(document, folder)


if __name__ == "__main__":
    main()
