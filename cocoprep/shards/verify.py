"""Verify a built folder: every digest, every record, every count."""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from cocoprep.errors import RecordError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.manifest import Manifest, ShardEntry, ceiling_basis, read_manifest
from cocoprep.shards.names import CEILING, GROUND_TRUTH, LEDGER, MANIFEST, PLAN, SIDECAR_SUFFIX, is_read_as_shard
from cocoprep.shards.plan import unseal_plan
from cocoprep.shards.record import decode_example, jpeg_size
from cocoprep.shards.seal import unseal
from cocoprep.shards.sidecar import Sidecar, read_sidecar
from cocoprep.shards.tfrecord import read_record
from cocoprep.storage.digests import digest_file
from cocoprep.storage.store import FileStore

_POOL_FROM_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the file, the record within it where there is one, and what was found."""

    file: str
    what: str
    record: int | None = None
    annotation_id: int | None = None

    def __str__(self) -> str:
        """Return one line."""
        record = "" if self.record is None else f", record {self.record}"
        annotation = "" if self.annotation_id is None else f" (annotation {self.annotation_id})"
        return f"{self.file}{record}{annotation}: {self.what}"


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what was wrong with it."""

    problems: list[Problem]
    shards: int
    records: int
    bytes: int


def verify_folder(
    folder: str, files: FileStore, *, workers: int = 1, on_shard: Callable[[int, int], None] = lambda done, of: None
) -> Verification:
    """Read everything in a built folder and check it.

    Args:
        folder: with a manifest.
        files: where it lies.
        workers: processes to read shards with.
        on_shard: told of (shards done, shards in all).
    """
    try:
        manifest = read_manifest(folder, files)
    except RecordError as error:
        return Verification([Problem(MANIFEST, str(error))], 0, 0, 0)
    problems = [*_check_names(folder, manifest, files), *_check_files(folder, manifest, files)]
    check = partial(verify_shard, folder=folder, manifest=manifest, files=files)
    total = sum(shard.bytes for shard in manifest.shards)
    parallel = workers > 1 and total > _POOL_FROM_BYTES
    with ProcessPoolExecutor(workers) if parallel else nullcontext() as pool:
        run = map if pool is None else pool.map
        for done, found in enumerate(run(check, manifest.shards), start=1):
            problems += found
            on_shard(done, len(manifest.shards))
    if not problems:
        problems = list(_check_counts(folder, manifest, files))
    records = sum(shard.examples for shard in manifest.shards)
    return Verification(problems, len(manifest.shards), records, total)


def _check_names(folder: str, manifest: Manifest, files: FileStore) -> Iterator[Problem]:
    expected = {shard.name for shard in manifest.shards}
    for name in files.list_names(folder):
        if is_read_as_shard(name) and name.removesuffix(SIDECAR_SUFFIX) not in expected:
            yield Problem(name, "the manifest does not know this shard; readers that list the folder would read it")


def _check_files(folder: str, manifest: Manifest, files: FileStore) -> Iterator[Problem]:
    for name, digest in manifest.files.items():
        try:
            if digest_file(files.join(folder, name), files) != digest:
                yield Problem(name, "its content does not match the digest in the manifest")
        except OSError as error:
            yield Problem(name, f"cannot be read ({error.strerror or error})")
    for name, check in ((CEILING, _check_ceiling), (PLAN, _check_plan)):
        path = files.join(folder, name)
        try:
            if files.exists(path):
                check(files.read_bytes(path), path, manifest)
        except (RecordError, OSError) as error:
            yield Problem(name, str(error))


def _check_ceiling(data: bytes, path: str, manifest: Manifest) -> None:
    """Raise RecordError where a ceiling is damaged or another build's; the manifest is older than it."""
    ceiling = unseal(data, path)
    basis = ceiling.get("basis")
    if ceiling.get("fingerprint") != manifest.fingerprint or basis not in (None, ceiling_basis(manifest)):
        raise RecordError("it was measured on another build. Remove it, or build again to have it measured")


def _check_plan(data: bytes, path: str, manifest: Manifest) -> None:
    """Raise RecordError where a plan is damaged or another build's."""
    _, content = unseal_plan(data, path)
    planned = content and (*content.annotations, content.ground_truth)
    listed = (*(shard.annotations for shard in manifest.shards), manifest.files[GROUND_TRUTH])
    if planned != listed and (planned or any(shard.annotations for shard in manifest.shards)):
        raise RecordError("it is the plan of a build of other annotations than the manifest's")


def verify_shard(shard: ShardEntry, folder: str, manifest: Manifest, files: FileStore) -> list[Problem]:
    """Check one shard and its sidecar; return what is wrong."""
    try:
        sidecar = _check_sidecar(shard, folder, manifest, files)
    except (RecordError, OSError) as error:
        problems, sidecar = [Problem(shard.name + SIDECAR_SUFFIX, str(error))], None
    else:
        problems = []
    try:
        data = files.read_bytes(files.join(folder, shard.name))
    except OSError as error:
        return [*problems, Problem(shard.name, f"cannot be read ({error.strerror or error})")]
    if len(data) == shard.bytes and hashlib.sha256(data).hexdigest() == shard.sha256:
        records = _check_records(shard.name, data, sidecar, manifest)
        return [*problems, *records]
    # Which record it is: each is checked on its own, at the offset that the sidecar knows.
    found = list(_check_records(shard.name, data, sidecar, manifest))
    if len(data) != shard.bytes:
        found.append(Problem(shard.name, f"expected {shard.bytes} bytes, found {len(data)}"))
    return [*problems, *(found or [Problem(shard.name, "its content does not match the digest in the manifest")])]


def _check_sidecar(shard: ShardEntry, folder: str, manifest: Manifest, files: FileStore) -> Sidecar:
    path = files.join(folder, shard.name + SIDECAR_SUFFIX)
    if digest_file(path, files) != shard.sidecar:
        raise RecordError("its content does not match the digest in the manifest")
    sidecar = read_sidecar(folder, shard.name, files)
    if sidecar is None:
        raise RecordError("it is missing")
    found = (sidecar.fingerprint, sidecar.examples, sidecar.bytes, sidecar.sha256)
    if found != (manifest.fingerprint, shard.examples, shard.bytes, shard.sha256):
        raise RecordError("it disagrees with the manifest")
    if shard.annotations not in (None, sidecar.annotations):
        raise RecordError("it is of other annotations than the manifest says")
    return sidecar


def _check_records(name: str, data: bytes, sidecar: Sidecar | None, manifest: Manifest) -> Iterator[Problem]:
    crop, joints = manifest.crop.config(), len(manifest.keypoints.names)
    stream = io.BytesIO(data)
    if sidecar is None:
        yield from _check_without_sidecar(name, stream, crop, joints)
        return
    ends = [*sidecar.offsets, sidecar.bytes][1:]
    origins: Sequence[int | None] = sidecar.origins or [None] * sidecar.examples
    for record, (annotation_id, origin, start, end) in enumerate(
        zip(sidecar.annotation_ids, origins, sidecar.offsets, ends, strict=True)
    ):
        stream.seek(start)
        try:
            found, source = _check_record(stream, crop, joints)
            if found != annotation_id:
                raise RecordError(f"expected annotation {annotation_id}, found {found}")
            _check_source(source, origin, manifest)
            if stream.tell() != end:
                raise RecordError(f"expected its end at byte {end}, found it at {stream.tell()}")
        except RecordError as error:
            yield Problem(name, str(error), record, annotation_id)


def _check_source(source: int | None, origin: int | None, manifest: Manifest) -> None:
    """Raise RecordError where a record's source is not the sidecar's `origin`, or one that there is not."""
    if source != origin:
        raise RecordError(f"its source is {source}, and {origin} in the sidecar: places among the manifest's sources")
    if source is not None and not 0 <= source < len(manifest.sources):
        raise RecordError(f"its source is {source}, of {len(manifest.sources)} that the manifest has")


def _check_without_sidecar(name: str, stream: io.BytesIO, crop: CropConfig, joints: int) -> Iterator[Problem]:
    record, end = 0, len(stream.getbuffer())
    while stream.tell() < end:
        try:
            _check_record(stream, crop, joints)
        except RecordError as error:
            yield Problem(name, str(error), record)
            return  # without offsets there is no telling where the next record starts
        record += 1


def _check_record(stream: io.BytesIO, crop: CropConfig, joints: int) -> tuple[int, int | None]:
    """Check the record at the stream's position: CRCs, schema, crop size. Return its annotation id and its source."""
    record = read_record(stream)
    if record is None:
        raise RecordError("the file ends before this record")
    person = decode_example(record, crop, joints)
    if jpeg_size(person["image"]) != crop.stored_size:
        raise RecordError(f"expected a crop of {crop.stored_size}, found {jpeg_size(person['image'])}")
    return int(person["annotation_id"]), person.get("source")


def _check_counts(folder: str, manifest: Manifest, files: FileStore) -> Iterator[Problem]:
    """Hold ledger, sidecars and manifest against each other; they are known to be undamaged."""
    try:
        ledger = read_ledger(folder, files).to_pydict()
    except RecordError as error:
        yield Problem(LEDGER, str(error))
        return
    counts = manifest.counts
    dropped = {reason: ledger["reason"].count(reason) for reason in counts.dropped}
    found = (len(ledger["row"]), ledger["kept"].count(True), dropped)
    if found != (counts.annotations, counts.people, dict(counts.dropped)):
        yield Problem(LEDGER, f"the manifest counts {counts}, the ledger (annotations, people, dropped) {found}")
    if counts.annotations != counts.people + sum(counts.dropped.values()):
        yield Problem(LEDGER, f"kept and dropped do not add up to {counts.annotations} annotations")
    by_shard: defaultdict[str, set[int]] = defaultdict(set)
    for shard, annotation_id in zip(ledger["shard"], ledger["annotation_id"], strict=True):
        if shard is not None:
            by_shard[shard].add(annotation_id)
    for entry in manifest.shards:
        sidecar = read_sidecar(folder, entry.name, files)
        if sidecar is not None and set(sidecar.annotation_ids) != by_shard[entry.name]:
            yield Problem(entry.name, "it does not hold the people that the ledger says it holds")
