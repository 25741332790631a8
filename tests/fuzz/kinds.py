"""The kinds of files that a stranger may hand over: how each is damaged, and which commands then read it."""

from __future__ import annotations

import io
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from cocoprep.shards.names import BASELINE, CEILING, GROUND_TRUTH, LEDGER, MANIFEST, PLAN, UNDER_WAY
from cocoprep.shards.tfrecord import read_records
from tests.fuzz.bytes_level import damage_bytes
from tests.fuzz.chain import mend_digests
from tests.fuzz.database_level import damage_study
from tests.fuzz.json_level import damage_json
from tests.fuzz.mat_level import damage_mat
from tests.fuzz.material import ANNOTATIONS, DETECTIONS, EXCLUDE, LEAKS, PHOTOGRAPHS
from tests.fuzz.names_level import move_photographs, rename_in
from tests.fuzz.npz_level import damage_npz
from tests.fuzz.packed_level import damage_packed
from tests.fuzz.parquet_level import damage_leaks, damage_ledger
from tests.fuzz.picture_level import as_form, damage_picture, other_picture, stated_size
from tests.fuzz.sealed import damage_sealed
from tests.fuzz.tar_level import damage_tar
from tests.fuzz.text_level import damage_lines, damage_list, damage_yaml
from tests.fuzz.tfrecord_level import damage_shard, framed
from tests.fuzz.toml_level import damage_toml
from tests.fuzz.xml_level import damage_xml
from tests.fuzz.zip_level import damage_zip

Command = tuple[str, ...]  # {in} is the folder of inputs, {out} the one to write to
Damage = Callable[[bytes, Random], bytes]
Mend = Callable[[Path, Random], None]

OUT = "built"
SHARD = "out/cocoprep-train2017.tfrecord-00000-of-00002"
PHOTOGRAPH = f"{PHOTOGRAPHS}/000000000001.jpg"

VERIFY = ("verify", "{in}/out", "--workers", "1")
INFO = ("info", "{in}/out")
SHEET = ("contact-sheet", "{in}/out", "--people", "4", "--out", "{out}/sheet.png")
SHOW = ("show", "{in}/out", "102", "--images", "{in}/coco/train2017", "--out", "{out}/show.png")
SHOW_TAR = ("show", "{in}/out", "102", "--images", "{in}/train2017.tar", "--out", "{out}/show.png")
SHOW_ZIP = ("show", "{in}/out", "102", "--images", "{in}/train2017.zip", "--out", "{out}/show.png")
AUGMENT = ("augment", "{in}/out", "--people", "2", "--epochs", "1", "--out", "{out}/augment.png")
STAGE = ("stage", "{in}/out", "{out}/copy")
STATS = ("stats", f"{{in}}/{ANNOTATIONS}", "--json", "{out}/figures.json")
STATS_FOLDER = ("stats", "{in}/out", "--json", "{out}/figures.json")
STATS_DRAWN = (*STATS, "--out", "{out}/figures", "--images", "{in}/coco/train2017")
SCORE_FOLDER = ("evaluate", "--data", "{in}/out", "--results", "{in}/results.json", "--json", "{out}/figures.json")
SCORE_FILE = (
    "evaluate", "--annotations", f"{{in}}/{ANNOTATIONS}", "--results", "{in}/results.json",
    "--json", "{out}/figures.json",
)  # fmt: skip
REPORT_ZIP = (*SCORE_FILE[:5], "--images", "{in}/train2017.zip", "--out", "{out}/report")
_BUILD = ("build", "--annotations", f"{{in}}/{ANNOTATIONS}", "--input-size", "32", "--shards", "2", "--workers", "1")
DRY_RUN = (*_BUILD, "--dry-run", "--images", "{in}/coco/train2017", "--out", "{out}/built")
DRY_RUN_ZIP = (*_BUILD, "--dry-run", "--images", "{in}/train2017.zip", "--out", "{out}/built")
BUILD = ("reader:build", f"{{in}}/{ANNOTATIONS}", "{in}/coco/train2017", "{out}/built")
BUILD_UPRIGHT = ("reader:build_upright", *BUILD[1:])
BUILD_ZIP = ("reader:build", f"{{in}}/{ANNOTATIONS}", "{in}/train2017.zip", "{out}/built")
DRY_RUN_TAR = (*_BUILD, "--dry-run", "--images", "{in}/train2017.tar", "--out", "{out}/built")
BUILD_TAR = ("reader:build", f"{{in}}/{ANNOTATIONS}", "{in}/train2017.tar", "{out}/built")
REPORT_LINKS = (*SCORE_FILE[:5], "--images", "{in}/coco/train2017", "--follow-links", "--out", "{out}/report")
REPORT_TAR = (*SCORE_FILE[:5], "--images", "{in}/train2017.tar", "--out", "{out}/report")
_TO = ("--images", f"{{in}}/{PHOTOGRAPHS}", "--out", "{out}/coco")
CROPS = ("convert", "{in}/out", "--to", "coco", "--out", "{out}/coco")
MPII_JSON = ("convert", "{in}/forms/mpii.json", "--from", "mpii", *_TO)
MPII_MAT = ("convert", "{in}/forms/mpii.mat", "--from", "mpii", *_TO)
LSP = ("convert", "{in}/forms/lsp", "--from", "lsp", "--out", "{out}/coco")
YOLO = ("convert", "{in}/forms/yolo", "--from", "yolo-pose", "--out", "{out}/coco")
CVAT = ("convert", "{in}/forms/annotations.xml", "--from", "cvat", *_TO)
CVAT_ZIP = ("convert", "{in}/forms/task.zip", "--from", "cvat", "--out", "{out}/coco")
LABEL_STUDIO = ("convert", "{in}/forms/tasks.json", "--from", "labelstudio", *_TO)
REAL_BUILD = (*_BUILD, "--images", "{in}/coco/train2017", "--out", "{out}/built")
REBUILD = ("reader:build_into", "{in}/out", f"{{in}}/{ANNOTATIONS}", "{in}/coco/train2017", "{out}/built")
WITH_TABLE = (*DRY_RUN, "--keypoints", "{in}/mine.toml")
WITH_SOURCES = (
    *("build", "--source", "{in}/both.toml", "--keypoints", "coco-17", "--split", "both", "--dry-run"),
    *("--out", "{out}/built"),
)
RECORDS = ("reader:records", "{in}/out", "fail")
RESUME = ("reader:resume", "{in}/run", "{in}/out", "{out}/run")
CURVES = ("reader:curves", "{in}/run", "{out}/run")
DROP_LEAKS = ("reader:drop_leaks", f"{{in}}/{LEAKS}", f"{{in}}/{ANNOTATIONS}")
EXCLUDE_LISTED = (*DRY_RUN, "--exclude", f"{{in}}/{EXCLUDE}")
CHECK = ("check", f"{{in}}/{ANNOTATIONS}", "--out", "{out}/found", "--json", "{out}/found.json")
CHECK_FOLDER = ("check", "{in}/out", "--json", "{out}/found.json")
_FIND = ("leaks", "--workers", "1", "--out", "{out}/leaks", "--source")
FIND_LEAKS = (*_FIND, f"train={{in}}/{ANNOTATIONS},{{in}}/coco/train2017")
FIND_IN_ZIP = (*_FIND, f"train={{in}}/{ANNOTATIONS},{{in}}/train2017.zip")
FIND_IN_TAR = (*_FIND, f"train={{in}}/{ANNOTATIONS},{{in}}/train2017.tar")
BOXES = ("reader:boxes", f"{{in}}/{DETECTIONS}", f"{{in}}/{ANNOTATIONS}", "{in}/coco/train2017")
RECORDS_SKIP = ("reader:records", "{in}/out", "skip")

# Of a folder of several sources.
SEVERAL = "several/cocoprep-several.tfrecord-00000-of-00002.json"
_SEVERAL = "{in}/several"
VERIFY_SEVERAL, INFO_SEVERAL = ("verify", _SEVERAL, "--workers", "1"), ("info", _SEVERAL)
SHEET_SEVERAL = ("contact-sheet", _SEVERAL, "--people", "4", "--out", "{out}/sheet.png")
SHOW_SEVERAL = ("show", _SEVERAL, "again/102", "--images", "{in}/photographs", "--out", "{out}/show.png")
STATS_SEVERAL = ("stats", _SEVERAL, "--json", "{out}/figures.json")
SCORE_SEVERAL = ("evaluate", "--data", _SEVERAL, "--results", "{in}/several.json", "--json", "{out}/figures.json")


# With a run that was trained.
_TRAINED = ("{in}/tiny", "{in}/out", "{out}/run")
TRAIN, SCORE_RUN = ("reader:train", *_TRAINED), ("reader:evaluate", *_TRAINED)
PREDICT = ("predict", f"{{in}}/{PHOTOGRAPH}", "--run", "{in}/tiny", "--out", "{out}/predicted")
PREDICT_LISTED = (
    "predict", "--annotations", f"{{in}}/{ANNOTATIONS}", "--images", "{in}/coco/train2017", "--run", "{in}/tiny",
    "--out", "{out}/predicted",
)  # fmt: skip
PREDICT_BOXES = (
    "predict", "--boxes", f"{{in}}/{DETECTIONS}", "--images", "{in}/coco/train2017", "--run", "{in}/tiny",
    "--out", "{out}/predicted",
)  # fmt: skip
EVENTS = ("reader:events", "{in}/tiny", "{out}/tensorboard")
EXPORT = ("export", "--run", "{in}/tiny", "--data", "{in}/out", "--format", "keras", "--out", "{out}/network.keras")


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        file: within the material.
        damage: what becomes of its content.
        commands: that read it; one is drawn for each case, so one that is listed twice is run twice as often.
        needs: what else of the material is there, by its first name.
        mend: brings what lies around the file in line with it.
        slow: commands that take seconds; drawn only where there is time.
    """

    file: str
    damage: Damage
    commands: tuple[Command, ...]
    needs: tuple[str, ...] = ()
    mend: Mend = lambda root, rng: None
    slow: tuple[Command, ...] = ()


def _of_folder(name: str, damage: Damage, *commands: Command) -> Kind:
    folder, _, changed = name.partition("/")

    def mend(root: Path, rng: Random) -> None:
        mend_digests(root / folder, rng, changed=changed)

    return Kind(name, damage, commands, _AROUND_FOLDER[folder], mend)


_AROUND_FOLDER = {"out": ("out", "coco", "results.json"), "several": ("several", "photographs", "several.json")}


def _damage_photograph(data: bytes, rng: Random) -> bytes:
    if rng.random() < 0.2:
        return other_picture(rng, (96, 80))
    made = as_form(data, rng) if rng.random() < 0.6 else data
    return damage_picture(made, rng) if rng.random() < 0.8 else made


def _fit_annotations(root: Path, rng: Random) -> None:
    """Have the annotations and the ground truth tell the size that a photograph states, so that it is opened.

    At times it is that of the photograph on its side, or none.
    """
    size = stated_size((root / PHOTOGRAPH).read_bytes())
    if rng.random() < 0.2:
        size = None, None
    elif size is None or min(size) < 1 or rng.random() < 0.3:
        return
    elif rng.random() < 0.4:
        size = size[::-1]
    for path in (root / ANNOTATIONS, root / "out" / GROUND_TRUTH):
        document = json.loads(path.read_bytes())
        for image in document["images"]:
            if image["id"] == 1:
                image["width"], image["height"] = size if path.name != GROUND_TRUTH or size[0] else (0, 0)
        path.write_text(json.dumps(document))


def _damage_lines(data: bytes, rng: Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines) - 1)
    lines[at] = damage_json(lines[at], rng)
    return b"\n".join(lines)


def _new_mark(data: bytes, rng: Random) -> bytes:
    del data
    host, process = rng.choice((socket.gethostname(), "elsewhere")), rng.choice((os.getpid(), 1, 2**22 + 1, 0, -1))
    now = time.time()
    mark = {"build": "ab" * 16, "host": host, "process": process, "started": now, "refreshed": now}
    return damage_json(json.dumps(mark).encode(), rng)


def _damage_events(data: bytes, rng: Random) -> bytes:
    if rng.random() < 0.3:
        return damage_bytes(data, rng)
    records = list(read_records(io.BytesIO(data)))
    at = rng.randrange(len(records))
    records[at] = damage_bytes(records[at], rng)
    return framed(records)


def damage_network(data: bytes, rng: Random) -> bytes:
    """Return a Keras file with a fault in its JSON, in its weights, or in its zip."""

    def damage_member(content: bytes, rng: Random) -> bytes:
        return damage_json(content, rng) if content.startswith(b"{") else damage_bytes(content, rng)

    return damage_zip(data, rng, damage_member=damage_member)


_IMAGES = ("coco", "out", "results.json")
KINDS: dict[str, Kind] = {
    "annotations": Kind(
        ANNOTATIONS, damage_json, (DRY_RUN, DRY_RUN, BUILD, SCORE_FILE, FIND_LEAKS, STATS, STATS, CHECK, CHECK),
        ("coco", "results.json"), slow=(REAL_BUILD, STATS_DRAWN),
    ),
    "packed annotations": Kind(ANNOTATIONS, damage_packed, (DRY_RUN, SCORE_FILE, STATS), ("coco", "results.json")),
    "packed results": Kind("results.json", damage_packed, (SCORE_FILE,), ("coco",)),
    "table": Kind("mine.toml", damage_toml, (WITH_TABLE,), ("coco",)),
    "sources": Kind("both.toml", damage_toml, (WITH_SOURCES,), ("coco", "train2017.zip")),
    "results": Kind(
        "results.json", damage_json, (SCORE_FILE, SCORE_FILE, SCORE_FOLDER), ("coco", "out"),
        slow=((*SCORE_FOLDER[:5], "--out", "{out}/report"),),
    ),
    "detections": Kind(DETECTIONS, damage_json, (BOXES,), ("coco",)),
    "manifest": _of_folder(
        f"out/{MANIFEST}", damage_sealed, VERIFY, INFO, SHEET, STAGE, SHOW, SCORE_FOLDER, AUGMENT, RECORDS, REBUILD,
        CROPS, STATS_FOLDER,
    ),
    "sidecar": _of_folder(SHARD + ".json", damage_sealed, VERIFY, SHEET, SHOW, AUGMENT, RECORDS, REBUILD, REBUILD),
    "shard": _of_folder(SHARD, damage_shard, VERIFY, VERIFY, SHEET, SHOW, AUGMENT, RECORDS, RECORDS_SKIP, STAGE, CROPS),
    "ledger": _of_folder(f"out/{LEDGER}", damage_ledger, VERIFY, VERIFY, SHOW, SHOW, STAGE, REBUILD, STATS_FOLDER),
    "plan": _of_folder(f"out/{PLAN}", damage_sealed, VERIFY, VERIFY, STAGE, REBUILD),
    "ground truth": _of_folder(
        f"out/{GROUND_TRUTH}", damage_json, VERIFY, SHOW, SHOW, SCORE_FOLDER, SCORE_FOLDER, STATS_FOLDER,
        CHECK_FOLDER,
    ),
    "baseline": _of_folder(f"out/{BASELINE}", damage_npz, INFO, INFO, SCORE_FOLDER, VERIFY),
    "ceiling": _of_folder(f"out/{CEILING}", damage_sealed, INFO, INFO, SCORE_FOLDER, VERIFY, STAGE),
    "manifest of several": _of_folder(
        f"several/{MANIFEST}", damage_sealed, VERIFY_SEVERAL, INFO_SEVERAL, SHEET_SEVERAL, SHOW_SEVERAL, STATS_SEVERAL,
        SCORE_SEVERAL,
    ),
    "sidecar of several": _of_folder(SEVERAL, damage_sealed, VERIFY_SEVERAL, SHEET_SEVERAL, SCORE_SEVERAL),
    "ledger of several": _of_folder(
        f"several/{LEDGER}", damage_ledger, VERIFY_SEVERAL, INFO_SEVERAL, SHEET_SEVERAL, SHOW_SEVERAL, STATS_SEVERAL
    ),
    "ground truth of several": _of_folder(
        f"several/{GROUND_TRUTH}", damage_json, SHOW_SEVERAL, STATS_SEVERAL, SCORE_SEVERAL, SCORE_SEVERAL
    ),
    "mark": Kind(f"out/{UNDER_WAY}", _new_mark, (REBUILD,), ("out", "coco")),
    "mpii json": Kind("forms/mpii.json", damage_json, (MPII_JSON,), ("coco",)),
    "mpii mat": Kind("forms/mpii.mat", damage_mat, (MPII_MAT,), ("coco",)),
    "lsp": Kind("forms/lsp/joints.mat", damage_mat, (LSP,)),
    "data.yaml": Kind("forms/yolo/data.yaml", damage_yaml, (YOLO,)),
    "yolo labels": Kind("forms/yolo/labels/train/000000000001.txt", damage_lines, (YOLO,)),
    "cvat": Kind("forms/annotations.xml", damage_xml, (CVAT,), ("coco",)),
    "cvat zip": Kind("forms/task.zip", partial(damage_zip, damage_member=damage_xml), (CVAT_ZIP,)),
    "label studio": Kind("forms/tasks.json", damage_json, (LABEL_STUDIO,), ("coco",)),
    "zip": Kind(
        "train2017.zip", partial(damage_zip, damage_member=damage_picture),
        (BUILD_ZIP, BUILD_ZIP, DRY_RUN_ZIP, SHOW_ZIP, FIND_IN_ZIP), _IMAGES, slow=(REPORT_ZIP,),
    ),
    "tar": Kind(
        "train2017.tar", partial(damage_tar, damage_member=damage_picture),
        (BUILD_TAR, BUILD_TAR, DRY_RUN_TAR, SHOW_TAR, FIND_IN_TAR), _IMAGES, slow=(REPORT_TAR,),
    ),
    "file names": Kind(
        ANNOTATIONS, rename_in,
        (BUILD, BUILD, (*DRY_RUN, "--follow-links"), BUILD_ZIP, BUILD_TAR),
        (*_IMAGES, "train2017.zip", "train2017.tar"),
        lambda root, rng: move_photographs(root / PHOTOGRAPHS, rng), slow=(REPORT_LINKS, REAL_BUILD),
    ),
    "photograph": Kind(
        PHOTOGRAPH, _damage_photograph, (BUILD, BUILD_UPRIGHT, DRY_RUN, SHOW, FIND_LEAKS), (*_IMAGES, "tiny"),
        _fit_annotations, slow=(PREDICT, STATS_DRAWN),
    ),
    "leaks": Kind(LEAKS, damage_leaks, (DROP_LEAKS,), ("coco",)),
    "exclude": Kind(EXCLUDE, damage_list, (EXCLUDE_LISTED,), ("coco",)),
    "settings.toml": Kind("run/settings.toml", damage_toml, (("reader:settings", "{in}/run/settings.toml", "{out}"),)),
    "settings.json": Kind("run/settings.json", damage_json, (("reader:settings", "{in}/run/settings.json", "{out}"),)),
    "sweep": Kind("sweep.toml", damage_toml, (("reader:sweep", "{in}/sweep.toml"),), ("out",)),
    "study": Kind(
        "study.db", damage_study, (("reader:study", "{in}/study.db", "{in}/sweep.toml", "{out}/swept"),),
        ("out", "sweep.toml"),
    ),
    "config": Kind("run/config.json", damage_json, (RESUME,), ("run", "out")),
    "run": Kind("run/run.json", damage_json, (RESUME,), ("run", "out")),
    "log": Kind("run/log.jsonl", _damage_lines, (("reader:log", "{in}/run", "{out}/run"),), ("run",), slow=(CURVES,)),
    "thresholds": Kind("run/thresholds.json", damage_json, (("reader:thresholds", "{in}/run"),), ("run",)),
    "checkpoint": Kind(
        "run/checkpoints/checkpoint-00000008.npz", damage_npz, (("reader:checkpoint", "{in}/run"),), ("run",)
    ),
}  # fmt: skip

_AROUND = ("coco", "out")
# Of a run that was trained: most cases take seconds.
TRAINED_KINDS: dict[str, Kind] = {
    "trained config": Kind("tiny/config.json", damage_json, (PREDICT, EXPORT), _AROUND, slow=(TRAIN, SCORE_RUN)),
    "trained run": Kind("tiny/run.json", damage_json, (PREDICT, EXPORT), _AROUND, slow=(TRAIN, SCORE_RUN)),
    "trained thresholds": Kind("tiny/thresholds.json", damage_json, (PREDICT,), _AROUND, slow=(SCORE_RUN,)),
    "trained checkpoint": Kind("tiny/checkpoints/checkpoint-00000002.npz", damage_npz, (TRAIN,), _AROUND),
    "events": Kind(
        "tiny/tensorboard/events.out.tfevents.0",
        _damage_events,
        (EVENTS,),
        _AROUND,
        slow=(TRAIN,),
    ),
    "network": Kind("tiny/best.keras", damage_network, (PREDICT, SCORE_RUN, EXPORT), _AROUND),
    "detected": Kind(DETECTIONS, damage_json, (PREDICT_BOXES,), ("tiny", "coco")),
    "listed": Kind(ANNOTATIONS, damage_json, (PREDICT_LISTED,), ("tiny",)),
}
ALL_KINDS = KINDS | TRAINED_KINDS
