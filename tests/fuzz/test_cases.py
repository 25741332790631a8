"""What the fuzzer has found, each in the fewest words that show it: files that broke a rule, and what read them."""

from __future__ import annotations

import io
import json
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
from tests.fuzz.json_level import write_json
from tests.fuzz.material import make_material
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


ROWS = 200_000
SETTINGS_TOML, SETTINGS_JSON = kinds.KINDS["settings.toml"].commands[0], kinds.KINDS["settings.json"].commands[0]
# what it is -> (kind, command, damage, what is said)
CASES = {
    "a list of thousands": (
        "settings.toml", SETTINGS_TOML, written(TOML, b"network = [" + b"0, " * 100_000 + b"]"), "a table of settings",
    ),
    "a long name": ("settings.toml", SETTINGS_TOML, written(TOML, b"x" * 5_000 + b" = 1"), "no setting is called"),
    "a number of thousands of digits": (
        "settings.toml", SETTINGS_TOML, written(TOML, b"epochs = 0x1" + b"0" * 9_000), "expected",
    ),
    "half a character": (
        "settings.json", SETTINGS_JSON, written(JSON, b'{"val": "\\ud800"}'), "settings.json",
    ),
    "a ledger of more rows than its bytes hold": ("ledger", kinds.SHOW, with_ledger(), f"bytes for {ROWS} rows"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_was_found_is_told(case, fuzzer):
    kind, command, damage, says = CASES[case]
    failure = fuzzer.judge(kind, command, damage)
    assert failure is None, str(failure)
    assert fuzzer.last.code == 1
    assert says in fuzzer.last.err + fuzzer.last.out
