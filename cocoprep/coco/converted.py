"""A folder that `convert` writes: COCO's layout, with a file that says whose it is, so that a rerun replaces its own.

`converted.json` is written first and last. A folder that has it may be written over; of what an earlier run wrote, what
this one does not is removed. Any other folder must be empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from cocoprep.coco.layout import annotations_path
from cocoprep.errors import ConfigError, OutputError
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder

MARKER = "converted.json"
ANNOTATIONS = "annotations"
_FORM = "cocoprep convert"
_OURS = re.compile(r"person_keypoints_[A-Za-z0-9._-]{1,200}\.json|-?\d{1,20}\.jpg")


class _Marker(msgspec.Struct):
    form: str
    complete: bool
    folders: list[str] = []


@dataclass
class ConvertedFolder:
    """Writes files of one conversion; see `open_converted`."""

    path: str
    files: FileStore
    written: dict[str, set[str]] = field(default_factory=dict)

    @contextmanager
    def create(self, folder: str, name: str) -> Iterator[BinaryIO]:
        """Write a file into one of the folders, whole or not at all."""
        if folder not in self.written:
            self.files.make_folder(self.files.join(self.path, folder))
            self.written[folder] = set()
        with self.files.create(self.files.join(self.files.join(self.path, folder), name), sync=False) as stream:
            yield stream
        self.written[folder].add(name)

    def annotations(self, split: str) -> str:
        """Return the path of the annotations of a split."""
        return annotations_path(self.path, split, self.files)


@contextmanager
def open_converted(
    path: str, files: FileStore, *, folders: Sequence[str], inputs: Iterable[str], account: Callable[[], Any]
) -> Iterator[ConvertedFolder]:
    """Give a folder to write to, and mark it as complete where the block ends without an error.

    Args:
        path: of the folder, which is made if it is not there.
        files: where it lies.
        folders: within it, that are written to.
        inputs: what is read.
        account: what the mark tells of the conversion, asked for in the end.

    Raises:
        OutputError: the folder holds something that no conversion has written, or cannot be written.
        ConfigError: an input lies in it.
    """
    check_output_folder(path, files)
    earlier = _earlier(path, files)
    _spare_inputs(path, inputs)
    files.make_folder(path)
    known = sorted({*folders, *earlier})
    _mark(path, {"form": _FORM, "complete": False, "folders": known}, files)
    folder = ConvertedFolder(path, files)
    for name in known:
        sweep_folder(files.join(path, name), files)
    yield folder
    for name in known:
        _remove_others(files.join(path, name), folder.written.get(name, set()), files)
    _mark(path, {"form": _FORM, "complete": True, "folders": sorted(folder.written), "told": account()}, files)


def _earlier(path: str, files: FileStore) -> list[str]:
    """Return the folders that an earlier conversion wrote to. Raises OutputError where something else is there."""
    sweep_folder(path, files, ours=lambda name: name == MARKER)
    names = files.list_names(path) if files.is_folder(path) else []
    if not names:
        return []
    if MARKER not in names:
        raise OutputError(
            f"--out: {path} holds files that no `cocoprep convert` has written (it has no {MARKER}). Name a new or an "
            "empty folder."
        )
    try:
        found = msgspec.json.decode(files.read_bytes(files.join(path, MARKER)), type=_Marker)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OutputError(f"--out: {path}/{MARKER} is not one of a conversion. Name another folder.") from error
    if found.form != _FORM:
        raise OutputError(f"--out: {path}/{MARKER} is not one of a conversion. Name another folder.")
    return [name for name in found.folders if name in names and name not in (".", "..") and "/" not in name]


def _spare_inputs(path: str, inputs: Iterable[str]) -> None:
    ours = real_path(path)
    for one in inputs:
        if f"{real_path(one)}/".startswith(f"{ours}/"):
            raise ConfigError(f"--out: {path} holds {one}, which is read. Choose another folder.")


def _remove_others(folder: str, written: set[str], files: FileStore) -> None:
    if files.is_folder(folder):
        for name in files.list_names(folder):
            if _OURS.fullmatch(name) and name not in written:
                files.delete(files.join(folder, name))


def _mark(path: str, content: Mapping[str, Any], files: FileStore) -> None:
    with files.create(files.join(path, MARKER)) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def document(images: Iterable[Any], annotations: Iterable[Any], categories: Sequence[Any]) -> Iterator[bytes]:
    """Yield the pieces of a COCO file, an entry a line."""
    yield b'{"categories":' + msgspec.json.encode(categories) + b',\n"images":['
    yield from _listed(images)
    yield b'],\n"annotations":['
    yield from _listed(annotations)
    yield b"]}\n"


def _listed(entries: Iterable[Any]) -> Iterator[bytes]:
    comma = b"\n"
    for entry in entries:
        yield comma + msgspec.json.encode(entry)
        comma = b",\n"


def plain_numbers(values: Iterable[float]) -> list[float]:
    """Return numbers as COCO writes them: whole ones without a fraction."""
    return [int(value) if float(value).is_integer() else value for value in values]
