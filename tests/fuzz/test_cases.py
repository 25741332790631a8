"""What the fuzzer has found, each in the fewest words that show it: files that broke a rule, and what read them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cocoprep.shards.ledger import SCHEMA
from cocoprep.shards.record import _Example
from cocoprep.shards.seal import seal
from cocoprep.shards.tfrecord import read_records
from tests.fuzz import kinds
from tests.fuzz.chain import mend_digests
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.json_level import Literal, write_json
from tests.fuzz.material import LEAKS, make_material
from tests.fuzz.tfrecord_level import framed

TOML, JSON = "run/settings.toml", "run/settings.json"


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    (folder / "material").mkdir()
    fuzzer = Fuzzer(make_material(folder / "material"), folder)
    yield fuzzer
    fuzzer.worker.close()


def written(name, data):
    """Return what puts some content in a file's place."""

    def damage(root: Path) -> None:
        (root / name).write_bytes(data)

    return damage


def respelt(name, pattern, text):
    """Return what puts a text in the place of the first match of a pattern."""

    def damage(root: Path) -> None:
        (root / name).write_bytes(re.sub(pattern, text, (root / name).read_bytes(), count=1))

    return damage


def changed(name, change):
    """Return what changes the content of a JSON file; one of a built folder is sealed again where it was."""

    def damage(root: Path) -> None:
        path = root / name
        content = json.loads(path.read_bytes())
        is_sealed = isinstance(content, dict) and "digest" in content
        if is_sealed:
            del content["digest"]
        change(content)
        path.write_bytes(seal(content) if is_sealed else write_json(content))
        if name.startswith("out/"):
            mend_digests(root / "out", Random(1), changed=name.removeprefix("out/"))

    return damage


def with_record(change):
    """Return what changes the features of the first record of a shard, and makes all digests right again."""

    def damage(root: Path) -> None:
        path = root / kinds.SHARD
        first, *others = read_records(io.BytesIO(path.read_bytes()))
        example = _Example.FromString(first)
        change(example.features.feature)
        path.write_bytes(framed([example.SerializeToString(deterministic=True), *others]))
        mend_digests(root / "out", Random(1), changed=path.name)

    return damage


def with_ledger(**columns):
    """Return what writes a ledger of many rows into few bytes."""

    def damage(root: Path) -> None:
        nothing = {"row": np.zeros(ROWS, np.int64), "kept": np.ones(ROWS, bool), "detail": pa.array([""] * ROWS)}
        arrays = [pa.array({**nothing, **columns}.get(f.name, [None] * ROWS), f.type) for f in SCHEMA]
        pq.write_table(pa.table(arrays, schema=SCHEMA), root / "out/ledger.parquet", compression="zstd")
        mend_digests(root / "out", Random(1), changed="ledger.parquet")

    return damage


def with_odd_column(root: Path) -> None:
    path = root / "out/ledger.parquet"
    path.write_bytes(path.read_bytes().replace(b"image_id", b"image_\xff\xff"))
    mend_digests(root / "out", Random(1), changed="ledger.parquet")


def with_sources(text):
    """Return what writes into a list of shared photographs what it says of its data sets."""

    def damage(root: Path) -> None:
        table = pq.read_table(root / LEAKS).replace_schema_metadata({"cocoprep.leaks": text})
        pq.write_table(table, root / LEAKS)

    return damage


def with_nameless_member(root: Path) -> None:
    data = (root / "train2017.zip").read_bytes()
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = ""
        archive.writestr(info, b"")
    (root / "train2017.zip").write_bytes(stream.getvalue())


def set_floats(name, value):
    def change(features):
        features[name].float_list.value[0] = value

    return change


def cut_picture(features):
    value = features["image"].bytes_list.value
    value[0] = value[0][:-200]


def keep_somebody_else(root: Path) -> None:
    path = root / "out/ledger.parquet"
    table = pq.read_table(path)
    shards = ["cocoprep-train2017.tfrecord-00000-of-00002"] * len(table)
    ids = [101] + [9000 + n for n in range(len(table) - 1)]
    columns = {"kept": [True] * len(table), "reason": [None] * len(table), "shard": shards, "annotation_id": ids}
    columns["image_id"] = [1] * len(table)
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else table[f.name] for f in table.schema]
    pq.write_table(pa.table(arrays, schema=table.schema), path)
    mend_digests(root / "out", Random(1), changed="ledger.parquet")


def unknown_reason(root: Path) -> None:
    path = root / "out/ledger.parquet"
    table = pq.read_table(path)
    reasons = pa.array(["x" if reason else None for reason in table["reason"].to_pylist()])
    pq.write_table(table.set_column(4, SCHEMA.field(4), reasons), path)
    mend_digests(root / "out", Random(1), changed="ledger.parquet")


def put(*keys, value):
    """Return what puts a value at a place of a document."""

    def change(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


ROWS = 200_000
MANIFEST, TRUTH = "out/manifest.json", "out/ground_truth.json"
NO_TEXT, HALF = Literal(b'"\xff\xfe"'), Literal(b'"\\ud800"')
SETTINGS_TOML, SETTINGS_JSON = kinds.KINDS["settings.toml"].commands[0], kinds.KINDS["settings.json"].commands[0]
THRESHOLDS, LOG = kinds.KINDS["thresholds"].commands[0], kinds.KINDS["log"].commands[0]
SHOW_DROPPED = (*kinds.SHOW[:2], "101", *kinds.SHOW[3:])
# what it is -> (kind, command, damage, what is said)
CASES = {
    "a list of thousands": (
        "settings.toml", SETTINGS_TOML, written(TOML, b"network = [" + b"0, " * 100_000 + b"]"), "a table of settings",
    ),
    "a long name": ("settings.toml", SETTINGS_TOML, written(TOML, b"x" * 5_000 + b" = 1"), "no setting is called"),
    "a number of thousands of digits": (
        "settings.toml", SETTINGS_TOML, written(TOML, b"epochs = 0x1" + b"0" * 9_000), "expected",
    ),
    "a long choice": (
        "settings.json", SETTINGS_JSON, written(JSON, b'{"precision": "' + b"x" * 9_000 + b'"}'), "Invalid enum value",
    ),
    "half a character": ("settings.json", SETTINGS_JSON, written(JSON, b'{"precision": "\\ud800"}'), "settings.json"),
    "half a character in a config": (
        "config", kinds.RESUME, changed("run/config.json", put("xla", value=HALF)), "config.json",
    ),
    "half a character in a run": (
        "run", kinds.RESUME, changed("run/run.json", put("\ud800", value=1)), "run.json",
    ),
    "joints of long names": (
        "thresholds", THRESHOLDS, changed("run/thresholds.json", put("thresholds", "x" * 9_000, value=1)), "of other",
    ),
    "a line without a phase": (
        "log", LOG, written("run/log.jsonl", b'{"step": 1, "epoch": 1}\n'), "none that training writes",
    ),
    "an id of results that is no text": (
        "results", kinds.SCORE_FILE, changed("results.json", put(0, "image_id", value=NO_TEXT)), "not valid JSON",
    ),
    "an id of a truth that is no text": (
        "annotations", kinds.SCORE_FILE, changed(kinds.ANNOTATIONS, put("images", 0, "id", value=NO_TEXT)), "not UTF-8",
    ),
    "an endless name of a joint": (
        "annotations", kinds.SCORE_FILE,
        changed(kinds.ANNOTATIONS, put("categories", 0, "keypoints", 0, value="x" * 100_000)), "the longest name of",
    ),
    "a torso from nowhere": (
        "table", kinds.WITH_TABLE,
        respelt("mine.toml", rb"torso = \[\[.*?\]", b'torso = [["", "left_hip"]'), "expected names of joints",
    ),
    "a table's number of thousands of digits": (
        "table", kinds.WITH_TABLE, written("mine.toml", b"x = " + b"9" * 5_001), "not TOML",
    ),
    "a manifest without photographs": (
        "manifest", kinds.SHOW[:3] + kinds.SHOW[5:], changed(MANIFEST, lambda m: m["source"].pop("images")), "source",
    ),
    "a manifest of an endless version": (
        "manifest", kinds.VERIFY, changed(MANIFEST, put("schema_version", value=["x" * 500] * 20)), "schema version 1",
    ),
    "a manifest of more people": (
        "manifest", kinds.SHEET, changed(MANIFEST, put("counts", "people", value=10**6)), "another number",
    ),
    "a sidecar of fewer offsets": (
        "sidecar", kinds.SHEET, changed(f"{kinds.SHARD}.json", lambda s: s["offsets"].pop()), "annotations and offsets",
    ),
    "a sidecar of offsets below 0": (
        "sidecar", kinds.VERIFY, changed(f"{kinds.SHARD}.json", put("offsets", 0, value=-5)), "expected offsets from 0",
    ),
    "a sidecar's array that is cut short": (
        "sidecar", kinds.REBUILD, changed(f"{kinds.SHARD}.json", put("keypoints", value="eJwDAAAAAAE=")), "packed",
    ),
    "a joint that is nowhere": (
        "shard", kinds.SHEET, with_record(set_floats("keypoints", float("nan"))), "expected finite numbers",
    ),
    "a crop that is cut short": ("shard", kinds.SHEET, with_record(cut_picture), "cannot be decoded"),
    "a person in no shard": ("ledger", SHOW_DROPPED, keep_somebody_else, "no shard has it"),
    "a reason that there is not": ("ledger", SHOW_DROPPED, unknown_reason, "none that a build writes"),
    "a ledger of more rows than its bytes hold": ("ledger", kinds.SHOW, with_ledger(), f"bytes for {ROWS} rows"),
    "a ledger of one text, again and again": (
        "ledger", kinds.SHOW, with_ledger(row=np.arange(ROWS), detail=pa.array(["x" * 3_000] * ROWS)), "for a column",
    ),
    "a ledger's column whose name is no text": ("ledger", kinds.SHOW, with_odd_column, "column is no text"),
    "data sets whose names are no text": (
        "leaks", kinds.DROP_LEAKS, with_sources(b'{"version": 1, "sources": [{"name": "\xff"}]}'),
        "leaks.parquet: cannot be read",
    ),
    "a name of MPII's that is no text": (
        "mpii json", kinds.MPII_JSON, written("forms/mpii.json", b'[{"image": "\xff"}]'), "not UTF-8",
    ),
    "joints of two numbers": (
        "ground truth", kinds.SHOW, changed(TRUTH, put("annotations", 1, "keypoints", value=[1, 2])), "keypoints:",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_was_found_is_told(case, fuzzer):
    kind, command, damage, says = CASES[case]
    failure = fuzzer.judge(kind, command, damage)
    assert failure is None, str(failure)
    assert fuzzer.last.code == 1
    assert says in fuzzer.last.err + fuzzer.last.out


def test_a_member_without_a_name_costs_nothing(fuzzer):
    failure = fuzzer.judge("zip", kinds.BUILD_ZIP, with_nameless_member)
    assert failure is None, str(failure)
    assert fuzzer.last.code == 0
