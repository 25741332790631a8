"""Read what a build has made back from its folder, and make sure that it is this build's.

Another build may have written into the folder meanwhile. So nothing that lies there is believed before it has been
compared with what came by way of the engine from this build's own steps: the digest of the plan, which holds those of
annotations, ledger and ground truth, and the digest of every sidecar, which holds that of its shard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from cocoprep.builder.config import BuildConfig
from cocoprep.builder.fingerprint import fingerprint_of, fingerprint_parts
from cocoprep.builder.output import another_build, unreadable
from cocoprep.builder.places import shard_of
from cocoprep.builder.shard_writer import WrittenShard
from cocoprep.errors import BuildError, RecordError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.ledger import decode_ledger, encode_ledger, restore_images
from cocoprep.shards.names import GROUND_TRUTH, LEDGER, PLAN, SIDECAR_SUFFIX, shard_name
from cocoprep.shards.plan import PlannedContent, unseal_plan
from cocoprep.shards.settings import KeypointRecord, table_of
from cocoprep.shards.sidecar import Sidecar, read_sidecar_and_digest
from cocoprep.storage.digests import digest_bytes, digest_file
from cocoprep.storage.store import FileDigest, FileStore


@dataclass(frozen=True)
class Gathered:
    """What a build has made, known to be its own.

    Attributes:
        plan: digest of the plan's file.
        table: the joints, as the plan says.
        content: what the plan says that the first step found and wrote.
        ledger: as the first step wrote it, before photographs were looked at.
        sidecars: in order of the shards.
        sidecar_digests: of the sidecars' files, in the same order.
    """

    plan: FileDigest
    table: KeypointTable
    content: PlannedContent
    ledger: pa.Table
    sidecars: list[Sidecar]
    sidecar_digests: list[FileDigest]


def gather(config: BuildConfig, written: Sequence[WrittenShard], files: FileStore) -> Gathered:
    """Read plan, sidecars and ledger of a build, and check its shards and ground truth.

    Args:
        config: of the build.
        written: what the build's own workers tell of its shards, in any order.
        files: where the folder lies.

    Raises:
        BuildError: a shard is unaccounted for, or another build wrote into the folder.
    """
    plan, table, content = _read_plan(config, written, files)
    num_shards = len(content.annotations)
    _check_none_is_lost(config, written, num_shards)
    written = sorted(written, key=lambda shard: shard.name)
    sidecars = [_read_sidecar(config, shard, files) for shard in written]
    made_by = fingerprint_of(fingerprint_parts(config, num_shards, table, has_origin=bool(content.sources)))
    for sidecar, planned in zip(sidecars, content.annotations, strict=True):
        if (sidecar.fingerprint, sidecar.annotations) != (made_by, planned):
            raise another_build(config.out, sidecar.shard + SIDECAR_SUFFIX)
    _check_ground_truth(config, content, files)
    ledger = _read_first_ledger(config, content, files)
    return Gathered(plan, table, content, ledger, sidecars, [shard.sidecar for shard in written])


@contextmanager
def _ours(config: BuildConfig, name: str, files: FileStore) -> Iterator[None]:
    """Read a file that this build has left: one that is gone or damaged is another's; a disk that fails is no sign."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, RecordError) as error:
        raise another_build(config.out, name, error) from error
    except OSError as error:
        raise unreadable(files.join(config.out, name), error) from error


def _read_plan(
    config: BuildConfig, written: Sequence[WrittenShard], files: FileStore
) -> tuple[FileDigest, KeypointTable, PlannedContent]:
    path = files.join(config.out, PLAN)
    with _ours(config, PLAN, files):
        data = files.read_bytes(path)
        settings, content = unseal_plan(data, path)
    digest = digest_bytes(data)
    if content is None or any(shard.plan != digest.sha256 for shard in written):
        raise another_build(config.out, PLAN)
    return digest, table_of(msgspec.convert(settings["keypoints"], KeypointRecord)), content


def _check_none_is_lost(config: BuildConfig, written: Sequence[WrittenShard], num_shards: int) -> None:
    expected = [shard_name(config.split, index, num_shards) for index in range(num_shards)]
    found = Counter(shard.name for shard in written)
    if found != Counter(expected):
        missing = [name for name in expected if name not in found]
        raise BuildError(
            f"the engine lost work: expected {num_shards} shards, each once, found {len(written)}; missing "
            f"{missing[:3]}. Nothing is marked complete; run the same command again."
        )


def _read_sidecar(config: BuildConfig, shard: WrittenShard, files: FileStore) -> Sidecar:
    with _ours(config, shard.name, files):
        found = read_sidecar_and_digest(config.out, shard.name, files)
        size = files.size(files.join(config.out, shard.name))
    if found is None or found[1] != shard.sidecar:
        raise another_build(config.out, shard.name + SIDECAR_SUFFIX)
    if size != found[0].bytes:
        raise another_build(config.out, shard.name)
    return found[0]


def _check_ground_truth(config: BuildConfig, content: PlannedContent, files: FileStore) -> None:
    with _ours(config, GROUND_TRUTH, files):
        found = digest_file(files.join(config.out, GROUND_TRUTH), files)
    if found != content.ground_truth:
        raise another_build(config.out, GROUND_TRUTH)


def _read_first_ledger(config: BuildConfig, content: PlannedContent, files: FileStore) -> pa.Table:
    """Return the first step's ledger, also where a last step was cut short after it had completed the file."""
    path = files.join(config.out, LEDGER)
    with _ours(config, LEDGER, files):
        data = files.read_bytes(path)
        ledger = decode_ledger(data, path)
    if digest_bytes(data) == content.ledger:
        return ledger
    num_shards = len(content.annotations)
    ledger = restore_images(
        ledger, lambda image: shard_name(config.split, shard_of(image, config.select.seed, num_shards), num_shards)
    )
    if digest_bytes(encode_ledger(ledger)) != content.ledger:
        raise another_build(config.out, LEDGER)
    return ledger
