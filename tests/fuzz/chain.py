"""A built folder's digests made right again after a file was changed, so that what reads it gets behind them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from cocoprep.shards.manifest import Manifest, ceiling_basis
from cocoprep.shards.names import CEILING, LISTED_FILES, MANIFEST, TFDS_FILES
from cocoprep.shards.seal import seal
from tests.fuzz.sealed import seal_anything


def mend_digests(folder: Path, rng: Random, *, changed: str) -> None:
    """Have sidecars, manifest and ceiling tell the digests of the files as they are; now and then leave them wrong."""
    if rng.random() < 0.1:
        return
    manifest = _body(folder / MANIFEST)
    if manifest is None or changed == MANIFEST:
        return
    for entry in manifest["shards"]:
        _mend_shard(folder, entry, rng, changed)
    for name in (*LISTED_FILES, *TFDS_FILES):
        manifest["files"][name] = _digest(folder / name)
    (folder / MANIFEST).write_bytes(seal(manifest))
    ceiling = None if changed == CEILING else _body(folder / CEILING)
    if ceiling is not None:
        ceiling["basis"] = ceiling_basis(msgspec.convert(manifest, Manifest))
        (folder / CEILING).write_bytes(seal(ceiling))


def _mend_shard(folder: Path, entry: dict[str, Any], rng: Random, changed: str) -> None:
    shard, side = folder / entry["name"], folder / (entry["name"] + ".json")
    sidecar = _body(side)
    if changed == entry["name"] and sidecar is not None:
        sidecar.update(_digest(shard))
        sidecar["offsets"] = _offsets(shard.read_bytes()) if rng.random() < 0.7 else sidecar["offsets"]
        side.write_bytes(seal(sidecar))
    if changed in (entry["name"], side.name):
        entry.update(_digest(shard))
        entry["sidecar"] = _digest(side)
        for name in ("examples", "annotations") if sidecar else ():
            fits = type(sidecar.get(name)) is type(entry[name])
            entry[name] = sidecar[name] if fits else entry[name]


def _offsets(shard: bytes) -> list[int]:
    found, position = [], 0
    while position + 16 <= len(shard) and len(found) < 50:
        found.append(position)
        position += int.from_bytes(shard[position : position + 8], "little") + 16
    return found


def _body(path: Path) -> dict[str, Any] | None:
    try:
        body = json.loads(path.read_bytes())
        del body["digest"]
        return body if seal_anything(body) == path.read_bytes() else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _digest(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
