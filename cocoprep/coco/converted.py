"""A folder that `convert` writes: COCO's layout, with a file that says what came from where.

Several sources may share a folder, such as MPII's two lists, as long as no two of them write the same annotation file.
A rerun replaces what the same source has written, and nothing else. `converted.json` is written first and last; a
folder without it must be empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from cocoprep.coco.layout import annotations_path
from cocoprep.errors import ConfigError, OutputError
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder

MARKER = "converted.json"
_ANNOTATIONS = "annotations"
_FORM = "cocoprep convert"
_SPLIT = re.compile(r"[A-Za-z0-9._-]{1,200}")
_PICTURE = re.compile(r"-?\d{1,20}\.jpg")


class _Part(msgspec.Struct):
    """What one source became."""

    complete: bool
    splits: list[str]
    told: Any = None


class _Marker(msgspec.Struct):
    form: str
    parts: dict[str, _Part]


@dataclass
class ConvertedFolder:
    """Writes the files of one source; see `open_converted`."""

    path: str
    files: FileStore

    def annotations_path(self, split: str) -> str:
        """Return the path of the annotations of a split."""
        return annotations_path(self.path, split, self.files)

    @contextmanager
    def create_annotations(self, split: str) -> Iterator[BinaryIO]:
        """Write the annotations of a split, whole or not at all."""
        self.files.make_folder(self.files.join(self.path, _ANNOTATIONS))
        with self.files.create(self.annotations_path(split)) as stream:
            yield stream

    @contextmanager
    def pictures(self, split: str) -> Iterator[Callable[[int, bytes], str]]:
        """Give what writes the JPEG of a number and returns its name; others of an earlier run go in the end."""
        folder, written = self.files.join(self.path, split), set[str]()
        self.files.make_folder(folder)
        sweep_folder(folder, self.files)

        def write(number: int, jpeg: bytes) -> str:
            name = f"{number}.jpg"
            with self.files.create(self.files.join(folder, name), sync=False) as stream:
                stream.write(jpeg)
            written.add(name)
            return name

        yield write
        for name in self.files.list_names(folder):
            if _PICTURE.fullmatch(name) and name not in written:
                self.files.delete(self.files.join(folder, name))


@contextmanager
def open_converted(
    path: str, files: FileStore, *, form: str, source: str, splits: Sequence[str], told: Callable[[], Any]
) -> Iterator[ConvertedFolder]:
    """Give a folder to write to, and mark it as complete where the block ends without an error.

    Args:
        path: of the folder, which is made if it is not there.
        files: where it lies.
        form: of what is read.
        source: the file or folder that is read.
        splits: that are written.
        told: returns what the mark tells of the conversion, asked for in the end.

    Raises:
        OutputError: the folder holds something that no conversion has written, or one of the splits of another source;
            or it cannot be written.
        ConfigError: the source lies in it.
    """
    check_output_folder(path, files)
    key = f"{form} {real_path(source)}"
    parts = _parts(path, files)
    if f"{real_path(source)}/".startswith(f"{real_path(path)}/"):
        raise ConfigError(f"--out: {path} holds {source}, which is read. Choose another folder.")
    _refuse_others(path, parts, key, splits)
    before = parts[key].splits if key in parts else []
    files.make_folder(path)
    parts[key] = _Part(complete=False, splits=sorted({*before, *splits}))
    _mark(path, parts, files)
    sweep_folder(files.join(path, _ANNOTATIONS), files)
    yield ConvertedFolder(path, files)
    for split in set(before) - set(splits):
        files.delete(annotations_path(path, split, files))
    parts[key] = _Part(complete=True, splits=sorted(splits), told=told())
    _mark(path, parts, files)


def _parts(path: str, files: FileStore) -> dict[str, _Part]:
    """Return what earlier conversions have written. Raises OutputError where something else is there."""
    sweep_folder(path, files, ours=lambda name: name == MARKER)
    names = files.list_names(path) if files.is_folder(path) else []
    if not names:
        return {}
    if MARKER not in names:
        raise OutputError(
            f"--out: {path} holds files that no `cocoprep convert` has written (it has no {MARKER}). Name a new or an "
            "empty folder."
        )
    try:
        found = msgspec.json.decode(files.read_bytes(files.join(path, MARKER)), type=_Marker)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OutputError(f"--out: {path}/{MARKER} is not one of a conversion. Name another folder.") from error
    if found.form != _FORM or not all(_SPLIT.fullmatch(one) for part in found.parts.values() for one in part.splits):
        raise OutputError(f"--out: {path}/{MARKER} is not one of a conversion. Name another folder.")
    return found.parts


def _refuse_others(path: str, parts: dict[str, _Part], key: str, splits: Sequence[str]) -> None:
    for other, part in parts.items():
        if other != key and (shared := sorted(set(part.splits) & set(splits))):
            raise OutputError(
                f"--out: {path} holds the split {shared[0]} of another data set ({other:.300}). Name another folder, "
                "or remove this one first if it is to be replaced."
            )


def _mark(path: str, parts: dict[str, _Part], files: FileStore) -> None:
    with files.create(files.join(path, MARKER)) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(_Marker(_FORM, parts)), indent=1) + b"\n")


def document(images: Iterable[Any], annotations: Iterable[Any], categories: Sequence[Any]) -> Iterator[bytes]:
    """Yield the pieces of a COCO file, an entry a line; all images are asked for before the first annotation."""
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
