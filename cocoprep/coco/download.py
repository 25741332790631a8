"""Fetch COCO's official files into its official layout: by ranges, checked, going on where an earlier call stopped.

The zips of photographs stay as they are: the build reads them in place. Of an annotation zip the keypoints are taken.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cocoprep.coco.archives import OnBytes, check_file, check_member, check_size, extract_member
from cocoprep.coco.official import BASE_URL, OFFICIAL, Archive, Split
from cocoprep.errors import ConfigError, OutputError, RecordError
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.sizes import format_bytes
from cocoprep.storage.store import FileStore
from cocoprep.storage.web import WebFile, open_session

_JSON_ROOM = 300_000_000  # about what the larger annotation file takes unpacked

OnPlan = Callable[[str, int], None]  # told what is done next, and of how many bytes


@dataclass(frozen=True)
class Fetched:
    """One file of the layout, or a folder of photographs.

    Attributes:
        path: where it is.
        was_there: before the call.
        checked: held against a known digest, or against the zip that it came in. Nothing is known of a folder, or of
            an annotation file without its zip.
    """

    path: str
    was_there: bool
    checked: bool


def download_splits(
    splits: Sequence[str],
    data_dir: str,
    *,
    base_url: str = BASE_URL,
    catalogue: Mapping[str, Split] = OFFICIAL,
    files: FileStore = LocalFiles(),
    pause_s: float = 1.0,
    on_plan: OnPlan = lambda doing, size: None,
    on_bytes: OnBytes = lambda count: None,
) -> list[Fetched]:
    """Fetch photographs and keypoint annotations of some splits.

    What is there already is checked, on every call, before anything is fetched; it is never changed or removed.

    Args:
        splits: names in `catalogue`.
        data_dir: folder in COCO's layout; made if need be.
        base_url: of a server that has the same files under the same paths.
        catalogue: what there is.
        files: this machine's disk.
        pause_s: the first wait before a request is made again; later ones are longer.
        on_plan: told what is done next, "checking what is there" or "fetching", and of how many bytes; of those to
            fetch, what an interrupted call has left is a part.
        on_bytes: told how many more of them are done; a negative number where some were of no use.

    Returns:
        The files of the layout in the order of their coming.

    Raises:
        ConfigError: the address is none, or the folder not of this machine.
        OutputError: the disk is too small, full or not to be written, or what is there is not COCO's file.
        RecordError: what the server has is not COCO's file.
        StoreError: the server does not answer as it should.
    """
    if "://" in data_dir:
        raise ConfigError(
            f"--data-dir: expected a folder of this machine, found {data_dir}. Fetch to a disk, then copy the folder "
            "to the bucket: gcloud storage cp -r."
        )
    if not base_url.startswith(("http://", "https://")):
        raise ConfigError(f"--base-url: expected an address that begins with http:// or https://, found {base_url}.")
    wanted = _plan(splits, data_dir, catalogue)
    for path, archive in wanted.archives.items():
        if path in wanted.there:
            check_size(path, archive.digest.bytes)  # which costs nothing: first of all
    missing = {path: archive for path, archive in wanted.archives.items() if path not in wanted.there}
    _check_room(data_dir, missing, len(wanted.members.keys() - wanted.there), files)
    _check_there(wanted, files, on_plan, on_bytes)
    annotations = os.path.join(data_dir, "annotations")
    files.make_folder(annotations)
    sweep_folder(annotations, files, ours=lambda name: os.path.join(annotations, name) in wanted.members)
    if missing:
        on_plan("fetching", sum(archive.digest.bytes for archive in missing.values()))
    with open_session(pause_s) as session:
        for path, archive in missing.items():
            source = WebFile(session, f"{base_url.rstrip('/')}/{archive.path}", archive.digest.bytes, pause_s)
            try:
                files.receive(path, archive.digest, source.pieces, on_bytes=on_bytes)
            except RecordError as error:
                raise RecordError(f"{error} It came from {source.url}: try again, or another --base-url.") from error
            _take_members(path, wanted, files)
    return sorted(wanted.results(), key=lambda one: not one.was_there)


@dataclass(frozen=True)
class _Wanted:
    """What belongs to some splits on this machine.

    Attributes:
        archives: zip -> what it is.
        members: annotation file -> its zip, and its name there.
        photographs: zip, or the folder that stands for it, of each split.
        there: those of all these that were there before.
    """

    archives: dict[str, Archive]
    members: dict[str, tuple[str, str]]
    photographs: list[str]
    there: frozenset[str]

    def results(self) -> list[Fetched]:
        """Return what is to be said of each file of the layout once all are there."""
        annotations = [(path, archive in self.archives) for path, (archive, _) in self.members.items()]
        photographs = [(path, path in self.archives) for path in self.photographs]
        return [Fetched(path, path in self.there, checked) for path, checked in (*annotations, *photographs)]


def _plan(splits: Sequence[str], data_dir: str, catalogue: Mapping[str, Split]) -> _Wanted:
    archives, members, photographs = {}, {}, []
    folder = os.path.join(data_dir, "annotations")
    for split in dict.fromkeys(splits):
        annotations = os.path.join(folder, f"person_keypoints_{split}.json")
        path = os.path.join(folder, catalogue[split].annotations.name)
        members[annotations] = path, f"annotations/person_keypoints_{split}.json"
        if not os.path.exists(annotations) or os.path.exists(path):  # with its zip, what is there can be checked
            archives[path] = catalogue[split].annotations
    for split in dict.fromkeys(splits):
        path = os.path.join(data_dir, split)
        if not os.path.isdir(path):  # else it is unpacked, and the build takes that first
            path = os.path.join(data_dir, catalogue[split].images.name)
            archives[path] = catalogue[split].images
        photographs.append(path)
    there = frozenset(path for path in (*archives, *members, *photographs) if os.path.exists(path))
    return _Wanted(archives, members, photographs, there)


def _check_there(
    wanted: _Wanted,
    files: FileStore,
    on_plan: OnPlan,
    on_bytes: OnBytes,
) -> None:
    """Read what is there already and can be checked. Raises OutputError where it is not what it should be."""
    archives = {path: archive for path, archive in wanted.archives.items() if path in wanted.there}
    if not archives:
        return
    members = [path for path, (archive, _) in wanted.members.items() if archive in archives and path in wanted.there]
    size = sum(archive.digest.bytes for archive in archives.values()) + sum(map(os.path.getsize, members))
    on_plan("checking what is there", size)
    for path, archive in archives.items():
        check_file(path, archive.digest, on_bytes)
        _take_members(path, wanted, files, on_bytes)


def _take_members(archive: str, wanted: _Wanted, files: FileStore, on_bytes: OnBytes = lambda count: None) -> None:
    """Unpack the annotation files that are wanted of a zip; check those that were there before."""
    for target, (path, member) in wanted.members.items():
        if path == archive and target in wanted.there:
            check_member(target, path, member, on_bytes)
        elif path == archive:
            extract_member(path, member, target, files)


def _check_room(data_dir: str, missing: Mapping[str, Archive], members: int, files: FileStore) -> None:
    needed = sum(a.digest.bytes - files.kept_bytes(path, a.digest) for path, a in missing.items())
    needed += members * _JSON_ROOM
    free = files.free_bytes(data_dir)
    if free is not None and needed > free:
        raise OutputError(
            f"{data_dir}: {format_bytes(needed)} are still to come, but only {format_bytes(free)} are free there. Free "
            "some space or choose another --data-dir; nothing was written."
        )
