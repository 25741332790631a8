"""Sound files of every kind, small: what is damaged, and what lies around it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import numpy as np

from cocoprep.builder.config import SelectConfig
from cocoprep.coco.sources import Source
from cocoprep.evaluation.ceiling import measure_ceiling
from cocoprep.model.run.checkpoints import Checkpoint, CheckpointFolder, variable_arrays
from cocoprep.model.run.folder import RunFolder
from cocoprep.model.run.resolve import resolve_config
from cocoprep.model.sweep.config import read_sweep
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17, named_table
from cocoprep.shards.exclude_list import Excluded, encode_exclude_list
from cocoprep.shards.leak_list import Leak, Leaked, LeakKind, LeakSource, encode_leaks
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.storage.local import LocalFiles
from tests.fuzz.readers import VARIABLES
from tests.support.building import build_folder
from tests.support.other_forms import (
    CocoSet,
    read_set,
    write_cvat,
    write_labelstudio,
    write_lsp,
    write_mpii_json,
    write_mpii_mat,
    write_yolo,
)
from tests.support.people import build_people
from tests.support.rooms import ROOT

ANNOTATIONS = "coco/annotations/person_keypoints_train2017.json"
PHOTOGRAPHS = "coco/train2017"
LEAKS = "leaks.parquet"
DETECTIONS = "detections.json"
EXCLUDE = "exclude.txt"
FIGURES = {"loss": 0.01, "skill": 0.1, "pck@0.2": 0.3, "pck@0.1": 0.2, "swapped": 0.05}


def make_material(root: Path) -> Path:
    """Write a data set, a folder built of it, results, a run and its settings; return where."""
    built = build_people(root, images=4, size=(32, 32), shards=2)
    manifest = read_manifest(str(built), LocalFiles())
    measure_ceiling(str(built), manifest, LocalFiles())
    (root / "train2017.zip").write_bytes(_zip_of(root / PHOTOGRAPHS))
    (root / "mine.toml").write_bytes(files("cocoprep.pose").joinpath("keypoint_tables/coco-17.toml").read_bytes())
    (root / "both.toml").write_text(SOURCES)
    shutil.make_archive(str(root / "train2017"), "tar", root / PHOTOGRAPHS, ".")
    _write_other_forms(root)
    (root / LEAKS).write_bytes(_leaks())
    (root / EXCLUDE).write_bytes(_excluded(root / ANNOTATIONS))
    (root / "sweep.toml").write_text(SWEEP)
    _write_study(root)
    (root / "results.json").write_text(json.dumps(_results(root / ANNOTATIONS)))
    (root / DETECTIONS).write_text(json.dumps(_detections(root / ANNOTATIONS)))
    _write_run(root / "run", built)
    _build_several(root)
    return root


def _build_several(root: Path) -> None:
    """Build a folder of several sources, one of two categories, and write results on it and photographs for `show`."""
    document = json.loads((root / ANNOTATIONS).read_text())
    (category,) = document["categories"]
    document["categories"] = [category, {**category, "id": 2, "name": "ape"}]
    for annotation in document["annotations"][::2]:
        annotation["category_id"] = 2
    (root / "apes.json").write_text(json.dumps(document))
    sources = [
        Source(name="all", annotations=str(root / "apes.json"), images=str(root / PHOTOGRAPHS), category="all"),
        Source(name="again", annotations=str(root / ANNOTATIONS), images=str(root / PHOTOGRAPHS), joints={"nose": ""}),
    ]
    manifest = build_folder(
        root / "several", sources=sources, split="several", table=COCO_17, crop=CropConfig(input_size=(32, 32)),
        select=SelectConfig(shards=2),
    )  # fmt: skip
    measure_ceiling(str(root / "several"), manifest, LocalFiles())
    (root / "several.json").write_text(json.dumps(_results(root / "several" / GROUND_TRUTH)))
    for source in sources:
        shutil.copytree(root / PHOTOGRAPHS, root / "photographs" / source.name)


def _write_other_forms(root: Path) -> None:
    """Write the data set in all forms that `convert` reads, of joints that each can have."""
    forms, coco = root / "forms", read_set(root / ANNOTATIONS, root / PHOTOGRAPHS)
    forms.mkdir()
    write_yolo(coco, forms / "yolo")
    write_cvat(coco, forms / "annotations.xml")
    write_labelstudio(coco, forms / "tasks.json")
    with zipfile.ZipFile(forms / "task.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(forms / "annotations.xml", "annotations.xml")
    mpii, lsp = (_with_joints(coco, name) for name in ("mpii-16", "lsp-14"))
    write_mpii_json(mpii, forms / "mpii.json")
    write_mpii_mat(mpii, forms / "mpii.mat", compressed=False)
    write_lsp(lsp, forms / "lsp", extended=True)


def _with_joints(coco: CocoSet, name: str) -> CocoSet:
    table = named_table(name)
    people = tuple({**person, "keypoints": person["keypoints"][: 3 * len(table)]} for person in coco.people)
    return CocoSet(coco.images, people, coco.photographs, table)


def add_trained_run(root: Path) -> None:
    """Train a run for an epoch, and have it want another."""
    run = root / "tiny"
    command = [sys.executable, "-m", "tests.support.training", *map(str, (root / "out", root / "out", run)), "epochs=1"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "epochs": 2}))
    shutil.copy(root / "run/thresholds.json", run)
    for name in ("pictures", "curves.png"):
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink(missing_ok=True)
    for number, path in enumerate(sorted((run / "tensorboard").iterdir())):
        path.rename(path.with_name(f"events.out.tfevents.{number}"))


def _zip_of(folder: Path) -> bytes:
    path = folder.parent / "photographs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(sorted(folder.iterdir())):
            info = zipfile.ZipInfo(name.name)
            info.compress_type = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[number % 2]
            archive.writestr(info, name.read_bytes())
    data = path.read_bytes()
    path.unlink()
    return data


def _leaks() -> bytes:
    val, *train = (
        Leaked(source, number, None, f"{number:012}.jpg", f"{number:064x}")
        for source, number in (("val", 9), ("train", 1), ("train", 2), ("train", 3))
    )
    leaks = [Leak(kind, val, one, 1 - n / 100, n) for n, (kind, one) in enumerate(zip(LeakKind, train, strict=False))]
    return encode_leaks(leaks, [LeakSource(name, f"/{name}.json", f"/{name}") for name in ("val", "train")])


def _excluded(annotations: Path) -> bytes:
    document = json.loads(annotations.read_text())
    names = {image["id"]: image["file_name"] for image in document["images"]}
    people = document["annotations"][::3]
    return encode_exclude_list([Excluded(str(one["id"]), names[one["image_id"]], "limb, 0.9: long") for one in people])


def _results(annotations: Path) -> list[dict[str, object]]:
    people = [a for a in json.loads(annotations.read_text())["annotations"] if any(a["keypoints"])]
    return [
        {
            "image_id": person["image_id"],
            "category_id": 1,
            "keypoints": [0.9 if n % 3 == 2 else value + 0.5 for n, value in enumerate(person["keypoints"])],
            "score": 1 / number,
            "bbox": person["bbox"],
        }
        for number, person in enumerate(people, start=1)
    ]


def _detections(annotations: Path) -> list[dict[str, object]]:
    """Return a box for everybody; of each second one the photograph is named by its file."""
    return [
        {
            "image_id": f"{person['image_id']:012d}.jpg" if number % 2 else person["image_id"],
            "category_id": 1,
            "bbox": person["bbox"],
            "score": 1 / number,
        }
        for number, person in enumerate(json.loads(annotations.read_text())["annotations"], start=1)
    ]


def _write_study(root: Path) -> None:
    """Sweep by a formula; of the last trial, say that it still runs."""
    from tests.support.sweeps import sweep

    (root / "study.toml").write_text(SWEEP.replace("../in/out", str(root / "out")))
    sweep(root / "swept", read_sweep(str(root / "study.toml"), LocalFiles()), 5, name="study")
    shutil.move(root / "swept/sweep.db", root / "study.db")
    with closing(sqlite3.connect(root / "study.db")) as database:
        database.execute("UPDATE trials SET state = 'RUNNING' WHERE number = 4")
        database.execute("DELETE FROM trial_values WHERE trial_id = 5")
        database.execute(
            "DELETE FROM trial_params WHERE trial_id = 5 AND param_id > (SELECT max(param_id) - 2 FROM trial_params)"
        )
        database.commit()
    shutil.rmtree(root / "swept")


def _write_run(run: Path, data: Path) -> None:
    config = resolve_config(str(run), None, {"data": str(data)}, resume=False)
    RunFolder(str(run)).begin(config, {"data": read_manifest(str(data), LocalFiles())})
    lines = [
        {"phase": phase, "step": step, "epoch": step // 4 + 1, **FIGURES} for step in (2, 4, 8, 12) for phase in _PHASES
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    chosen = {"thresholds": {name: 0.2 + n / 100 for n, name in enumerate(COCO_17.names)}, "chosen_on": "ab" * 16}
    (run / "thresholds.json").write_text(json.dumps(chosen))
    arrays = variable_arrays("network", VARIABLES)
    folder = CheckpointFolder(str(run / "checkpoints"), LocalFiles())
    for step in (4, 8):
        folder.save(Checkpoint(step, {**arrays, "window/loss": np.ones(2, np.float32)}, 0.25))
    (run / "settings.json").write_bytes((run / "config.json").read_bytes())
    (run / "settings.toml").write_text(SETTINGS)


_PHASES = ("train", "val")
SWEEP = """\
data = "../in/out"
val = ["../in/out"]
epochs = 4
batch_size = 4
oks_epochs = 2
[network]
stacks = 1
channels = 8
depth = 1
[search]
"optimizer.learning_rate" = { low = 1e-4, high = 0.05, log = true }
"network.channels" = { choices = [8, 12, 16] }
"batch_size" = { low = 2, high = 8, step = 2 }
augment = { choices = ["none", "light"] }
[search.loss]
foreground = { low = 1.0, high = 20.0 }
[sweep]
sampler = { name = "TPESampler", seed = 3, n_startup_trials = 2, multivariate = true }
pruner = { name = "SuccessiveHalvingPruner", min_resource = 1, reduction_factor = 2 }
"""
SOURCES = """\
[all]
annotations = "coco/annotations/person_keypoints_train2017.json"
images = "coco/train2017"
weight = 0.5
[again]
annotations = "coco/annotations/person_keypoints_train2017.json"
images = "train2017.zip"
category = "person"
joints = {nose = "left_eye", left_eye = ""}
visibility = {3 = 1}
"""
SETTINGS = """\
epochs = 20
batch_size = 4
subset = 0.5
augment = "medium"
precision = "float32"
cache = "auto"
[network]
stacks = 2
channels = 8
depth = 1
[optimizer]
kind = "adam"
learning_rate = 1e-3
decay_at = [0.7, 0.9]
[loss]
kind = "mse"
"""
