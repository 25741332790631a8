"""Databases of studies with values that no sweep writes, or damaged as files."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, suppress
from random import Random
from typing import Any

from tests.fuzz.bytes_level import damage_bytes
from tests.fuzz.json_level import change_json, damage_json

ODD = (
    None, 0, -1, 2**31, 2**63 - 1, 1e308, -1e308, 0.5, "", "x", "\x1b[2J", "\u202e", "nan", "NaN", b"\x00\xff",
    "9" * 5000, "RUNNING", "COMPLETE", "WAITING", "FAIL", "MINIMIZE", "INF_POS", "2020-01-01 00:00:00", "{}", "[" * 900,
)  # fmt: skip
# What runs as soon as a table is read or written.
SCHEMA = (
    "CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM studies; END",
    "CREATE VIEW v AS SELECT hex(zeroblob(1000000000))",
    "ALTER TABLE trials ADD COLUMN x TEXT AS (hex(zeroblob(1000000000)))",
    "CREATE INDEX i ON trials (hex(zeroblob(1000000000)))",
    "CREATE INDEX i ON trials (state) WHERE length(hex(zeroblob(1000000000))) > 0",
    "ALTER TABLE trials ADD COLUMN x TEXT DEFAULT (hex(zeroblob(1000000000)))",
    "ALTER TABLE trials ADD COLUMN x TEXT CHECK (length(hex(zeroblob(1000000000))) > 0)",
    "DROP TABLE trial_params",
    "ALTER TABLE trials RENAME TO tries",
    "ALTER TABLE trials DROP COLUMN datetime_complete",
    "CREATE TABLE more (x)",
)


def damage_study(data: bytes, rng: Random) -> bytes:
    """Return a study's database with a few faults in its rows most often, else in its tables or its bytes."""
    what = rng.random()
    if what < 0.15:
        return damage_bytes(data, rng)
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(data)
        with suppress(sqlite3.Error):  # a fault that the tables' own rules refuse
            if what < 0.25:
                database.execute(rng.choice(SCHEMA))
            for _ in range(rng.choice((1, 1, 2, 3))):
                _damage_row(database, rng)
        database.commit()
        return database.serialize()


def _damage_row(database: sqlite3.Connection, rng: Random) -> None:
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    table = rng.choice([name for name in tables if _count(database, name)])
    row = rng.randrange(_count(database, table))
    if rng.random() < 0.1:
        database.execute(f'DELETE FROM "{table}" WHERE rowid IN (SELECT rowid FROM "{table}" LIMIT 1 OFFSET {row})')
        return
    column = rng.choice([name for _, name, *_ in database.execute(f'PRAGMA table_info("{table}")')])
    ((rowid, value),) = database.execute(f'SELECT rowid, "{column}" FROM "{table}" LIMIT 1 OFFSET {row}')
    database.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (_other(column, value, rng), rowid))


def _count(database: sqlite3.Connection, table: str) -> int:
    return int(database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


def _other(column: str, value: Any, rng: Random) -> Any:
    if column.endswith("json") and isinstance(value, str) and rng.random() < 0.8:
        with suppress(TypeError, ValueError):  # what has no spelling in JSON
            return json.dumps(change_json(json.loads(value), rng))
        return damage_json(value.encode(), rng).decode(errors="replace")
    return rng.choice(ODD)
