"""Copy a built folder to where it is needed, such as from a bucket to the disk of a machine: checked, and resumable.

The manifest comes last: a copy that is not complete is not taken for a folder that is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TypeVar

from cocoprep.errors import ConfigError, OutputError, RecordError
from cocoprep.shards.manifest import listed_files, read_manifest
from cocoprep.shards.names import CEILING, MANIFEST, is_ours
from cocoprep.shards.seal import unseal
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.paths import real_path
from cocoprep.storage.sizes import format_bytes
from cocoprep.storage.store import PIECE_BYTES, FileDigest, FileStore
from cocoprep.storage.user_file import check_output_folder

THREADS = 8
T = TypeVar("T")


@dataclass(frozen=True)
class Staged:
    """What `stage_folder` did: files and bytes in all, and how many of them were there before."""

    files: int
    bytes: int
    kept_files: int
    kept_bytes: int


class _StoppedError(Exception):
    """Another file's failure ends this one."""


def stage_folder(
    source: str,
    target: str,
    files: FileStore,
    *,
    threads: int = THREADS,
    force: bool = False,
    on_plan: Callable[[int], None] = lambda size: None,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> Staged:
    """Copy a built folder.

    What is at the target already is kept where it is right, also the first part of a file.

    Args:
        source: a built folder.
        target: a folder; it need not be there.
        files: where both lie.
        threads: how many files at a time.
        force: replace files of another build.
        on_plan: told how many bytes there are in all.
        on_bytes: told how many more of them are there; a negative number where some were of no use.

    Raises:
        RecordError: the source is not complete, or damaged.
        OutputError: the target holds another build, is too small, or cannot be written.
        ConfigError: source and target are the same folder.
        StoreError: a bucket does not do what it should.
    """
    if real_path(source) == real_path(target):
        raise ConfigError(f"DST: expected another folder than SRC, found {target}.")
    manifest = read_manifest(source, files)
    # The largest first: they would keep one thread busy when all others are done.
    wanted = dict(sorted(listed_files(manifest).items(), key=lambda item: (-item[1].bytes, item[0])))
    size = sum(digest.bytes for digest in wanted.values())
    on_plan(size)
    check_output_folder(target, files, option="DST")
    names = set(files.list_names(target))
    sealed = files.read_bytes(files.join(source, MANIFEST))
    job = _Job(source, target, files, threads, on_bytes)
    same_build = MANIFEST in names and files.read_bytes(files.join(target, MANIFEST)) == sealed
    if same_build and names.issuperset(wanted) and job.sizes_are_right(wanted):
        on_bytes(size)
        return Staged(len(wanted), size, len(wanted), size)
    if MANIFEST in names and not (same_build or force):
        raise OutputError(f"{target} holds another build than {source}. Choose another DST, or pass --force.")
    good = job.check([name for name in wanted if name in names], wanted)
    if not (same_build or force):
        _refuse_wrong(sorted((names & set(wanted)) - good), source, target)
    missing = {name: digest for name, digest in wanted.items() if name not in good}
    _check_room(target, missing, files)
    files.make_folder(target)
    sweep_folder(target, files, ours=is_ours)
    for name in (MANIFEST, CEILING, *(name for name in sorted(names) if force and is_ours(name))):
        if name in names and name not in good:
            files.delete(files.join(target, name))
    job.copy(missing)
    _copy_ceiling(source, target, files)
    with files.create(files.join(target, MANIFEST)) as stream:
        stream.write(sealed)
    kept = sum(wanted[name].bytes for name in good)
    return Staged(len(wanted), size, len(good), kept)


def _refuse_wrong(names: Sequence[str], source: str, target: str) -> None:
    """Raise OutputError where files of the target are not the source's."""
    if names:
        raise OutputError(
            f"{target}: its {names[0]} is not that of {source}. It may be of another build: choose another DST, or "
            "pass --force to replace it."
        )


def _check_room(target: str, missing: dict[str, FileDigest], files: FileStore) -> None:
    free = files.free_bytes(target)
    if free is None:
        return
    needed = sum(d.bytes - files.kept_bytes(files.join(target, name), d) for name, d in missing.items())
    if needed > free:
        raise OutputError(
            f"{target}: {format_bytes(needed)} are still to come, but only {format_bytes(free)} are free there. Free "
            "some space or choose another DST; nothing was written."
        )


def _copy_ceiling(source: str, target: str, files: FileStore) -> None:
    """Copy what the manifest does not know, because it is measured after the build."""
    path = files.join(source, CEILING)
    if files.exists(path):
        try:
            data = files.read_bytes(path)
        except OSError as error:
            raise RecordError(f"{path}: cannot be read ({error.strerror or error}).") from error
        unseal(data, path)
        with files.create(files.join(target, CEILING)) as stream:
            stream.write(data)


class _Job:
    """Work on many files at a time; the first failure ends all."""

    def __init__(
        self, source: str, target: str, files: FileStore, threads: int, on_bytes: Callable[[int], None]
    ) -> None:
        self._source, self._target, self._files, self._threads = source, target, files, threads
        self._tell, self._lock, self._stop = on_bytes, threading.Lock(), threading.Event()

    def sizes_are_right(self, wanted: dict[str, FileDigest]) -> bool:
        """Tell whether the target's files are as long as they should be; all of them are there."""

        def is_right(name: str) -> bool:
            return self._files.size(self._files.join(self._target, name)) == wanted[name].bytes

        return all(right for _, right in self._run(is_right, list(wanted)))

    def check(self, names: Sequence[str], wanted: dict[str, FileDigest]) -> set[str]:
        """Return those of the target's files that are right already."""

        def is_right(name: str) -> bool:
            path = self._files.join(self._target, name)
            right = self._files.size(path) == wanted[name].bytes and self._files.digest(path) == wanted[name]
            if right:
                self._on_bytes(wanted[name].bytes)
            return right

        return {name for name, right in self._run(is_right, names) if right}

    def copy(self, missing: dict[str, FileDigest]) -> None:
        """Bring the missing files."""

        def fetch(name: str) -> None:
            path = self._files.join(self._source, name)
            self._files.receive(
                self._files.join(self._target, name),
                missing[name],
                lambda start: self._pieces(path, start),
                on_bytes=self._on_bytes,
            )

        try:
            self._run(fetch, list(missing))
        except RecordError as error:
            raise RecordError(f"{error} Run `cocoprep verify {self._source}`.") from error

    def _pieces(self, path: str, start: int) -> Iterator[bytes]:
        try:
            with self._files.open_read(path) as stream:
                stream.seek(start)
                while piece := stream.read(PIECE_BYTES):
                    if self._stop.is_set():
                        raise _StoppedError
                    yield piece
        except OSError as error:
            raise RecordError(f"{path}: cannot be read ({error.strerror or error}).") from error

    def _on_bytes(self, count: int) -> None:
        with self._lock:
            self._tell(count)

    def _run(self, function: Callable[[str], T], names: Sequence[str]) -> list[tuple[str, T]]:
        with ThreadPoolExecutor(self._threads) as pool:
            jobs: dict[Future[T], str] = {pool.submit(function, name): name for name in names}
            try:
                return [(jobs[job], job.result()) for job in as_completed(jobs)]
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
