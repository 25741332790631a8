"""The output folder: whose it is, whether a build may go on in it, and making it ready."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from cocoprep.builder.config import BuildConfig
from cocoprep.errors import BuildError, ConfigError, OutputError, RecordError
from cocoprep.shards.manifest import Manifest, listed_files, read_manifest
from cocoprep.shards.names import (
    MANIFEST,
    PLAN,
    SHARD_FILE,
    SIDECAR_SUFFIX,
    SUMMARIES,
    is_ours,
    shard_name,
)
from cocoprep.shards.plan import unseal_plan
from cocoprep.shards.seal import canonical_json
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder


def is_complete(folder: str, files: FileStore) -> bool:
    """Tell whether a folder holds a finished build."""
    return files.exists(files.join(folder, MANIFEST))


def sweep_temporaries(folder: str, files: FileStore) -> None:
    """Remove what an interrupted write of ours left in a folder; files of others stay."""
    # A process of this number may live here that has nothing to do with it: engines write on many machines.
    sweep_folder(folder, files, ours=is_ours, alone=True)


def check_output(config: BuildConfig, parts: dict[str, Any], files: FileStore) -> None:
    """Refuse an output folder that this build, of `fingerprint_parts`, may not touch. Nothing is written or removed.

    Raises:
        OutputError: it holds another split, or shards made in another way and `force` is off, or cannot be listed.
        ConfigError: an input is one of the files that would be replaced.
    """
    check_output_folder(config.out, files)
    names = files.list_names(config.out)
    _spare_inputs(config, names)
    differences = _differences(config, parts, names, files)
    other_split = next((d for d in differences if d.startswith("split was")), None)
    if other_split:
        raise OutputError(f"{config.out} holds another split: {other_split}. Choose another --out.")
    if differences and not config.force:
        more = ""
        if any("num_shards was" in d for d in differences) and config.select.shards is None:
            more = " The number of shards follows from the people kept: --shards keeps it as it was."
        raise OutputError(
            f"{config.out} holds shards made in another way: {'; '.join(differences)}. Choose another --out, or pass "
            f"--force to build them anew.{more}"
        )


def prepare_output(config: BuildConfig, num_shards: int, plan: bytes, files: FileStore) -> None:
    """Make the output folder ready: unmark it as complete, sweep what was cut short or is of another plan, write ours.

    Raises:
        OutputError: it cannot be written.
    """
    files.make_folder(config.out)
    # First of all: a folder with a manifest is complete, and this one no longer is.
    for name in SUMMARIES:
        files.delete(files.join(config.out, name))
    sweep_temporaries(config.out, files)
    planned = {shard_name(config.split, index, num_shards) for index in range(num_shards)}
    for name in files.list_names(config.out):
        if SHARD_FILE.fullmatch(name) and name.removesuffix(SIDECAR_SUFFIX) not in planned:
            files.delete(files.join(config.out, name))
    write_whole(config.out, PLAN, plan, files)


def find_foreign_file(folder: str, manifest: Manifest, files: FileStore) -> str | None:
    """Return the name of a file that is not, to the byte, as a manifest says; None where all of them are.

    Raises:
        OutputError: one of them cannot be read.
    """
    name = ""
    try:
        for name, digest in listed_files(manifest).items():
            if files.digest(files.join(folder, name)) != digest:
                return name
    except (FileNotFoundError, NotADirectoryError):  # not there, or it went away while it was read
        return name
    except OSError as error:
        raise unreadable(files.join(folder, name), error) from error
    return None


def unmark_if_mixed(folder: str, files: FileStore) -> None:
    """Remove a manifest that does not describe its folder: another build's, where this one wrote into the folder.

    What keeps it from finding out is not told: it is called for a failure that is.
    """
    try:
        manifest = read_manifest(folder, files)
        mixed = find_foreign_file(folder, manifest, files) is not None
        # Meanwhile the other build may have run again and made the folder whole.
        if not mixed or read_manifest(folder, files) != manifest:
            return
    except (RecordError, OutputError):
        return
    files.delete(files.join(folder, MANIFEST))


def unreadable(path: str, error: OSError) -> OutputError:
    """Return the error of a file of the build's own that the disk does not give back."""
    return OutputError(
        f"{path}: cannot be read ({error.strerror or error}). Check the disk, then run the same command again: it goes "
        "on where it stopped."
    )


def another_build(folder: str, name: str, why: Exception | None = None) -> BuildError:
    """Return the error of a build that finds a file of its folder not to be its own."""
    found = f"{name}: {why}" if why else f"{name} is not as this one left it"
    return BuildError(f"{folder}: another build wrote into this folder at the same time ({found}). Run this one again.")


def write_whole(folder: str, name: str, data: bytes, files: FileStore) -> None:
    """Write a file of known content into a folder."""
    with files.create(files.join(folder, name)) as stream:
        stream.write(data)


def _spare_inputs(config: BuildConfig, names: list[str]) -> None:
    """Refuse an input that bears the name of an output: an earlier build's ground truth, for example."""
    out = real_path(config.out)
    ours = {os.path.join(out, name) for name in (*names, *SUMMARIES, PLAN) if is_ours(name)}
    for source in config.each_source:
        for option, path in (("--annotations", source.annotations), ("--images", source.images)):
            folder, name = os.path.split(path)
            if ours & {real_path(path), os.path.join(real_path(folder), name)}:
                raise ConfigError(f"{option}: {path} lies in --out, where a build replaces it. Choose another --out.")
        if real_path(source.images) == out:  # a photograph may be called as an output is
            raise ConfigError(f"--out: {config.out} is the folder of the photographs. Choose another --out.")


def _differences(config: BuildConfig, parts: dict[str, Any], names: list[str], files: FileStore) -> list[str]:
    """Say how what is in the folder was made otherwise; nothing where it can go on, or is empty."""
    if PLAN not in names:
        foreign = [name for name in names if SHARD_FILE.fullmatch(name) or name in SUMMARIES]
        return [f"what made its {foreign[0]} is not known"] if foreign else []
    path = files.join(config.out, PLAN)
    try:
        there, _ = unseal_plan(files.read_bytes(path), path)
    except (RecordError, OSError):
        return [f"its {PLAN} is damaged"]
    defaults = {"exif": "auto"}
    wanted = msgspec.json.decode(canonical_json(parts))
    differences = _compare("", {**defaults, **there}, {**defaults, **wanted})
    return [f"{key} was {old}, is now {new}" for key, old, new in differences]


def _compare(prefix: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = [_compare(f"{prefix}{key} ", old.get(key), new.get(key)) for key in sorted({*old, *new})]
        return [difference for pair in pairs for difference in pair]
    return [] if old == new else [(prefix.strip(), old, new)]
