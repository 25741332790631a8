"""The list of photographs that data sets share: written by `cocoprep leaks`, read by a build that drops them."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cocoprep.checks import shown
from cocoprep.coco.annotations import ImageInfo
from cocoprep.coco.sources import MAX_SOURCES
from cocoprep.errors import ConfigError, RecordError
from cocoprep.shards.bounded_parquet import read_table
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore


class LeakKind(StrEnum):
    """How two photographs are the same, the surest first."""

    SAME_FILE = "same file"
    SAME_PIXELS = "same pixels"
    NEARLY_EQUAL = "nearly equal"
    MIRRORED = "mirrored"


class LeakSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data set that was looked at: its name, and the paths of its annotations and photographs, links resolved."""

    name: str
    annotations: str
    images: str


class _Metadata(msgspec.Struct):
    sources: list[LeakSource]
    version: int


class _Version(msgspec.Struct):
    version: int


@dataclass(frozen=True, slots=True)
class Leaked:
    """One of two photographs that are the same.

    Attributes:
        source: the name of its data set.
        image_id: of its image.
        own_id: of an image whose own id is no number, that id.
        file_name: as the annotation file says it.
        sha256: of the file, in hexadecimal digits.
    """

    source: str
    image_id: int
    own_id: str | None
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Leak:
    """Two photographs that are the same: one stays, the other is to be dropped.

    Attributes:
        kind: how they are the same.
        kept: of the data set that was named first; of one data set, that of the smaller id.
        dropped: the other.
        alike: correlation of both, small and grey: 1 for the same.
        bits: of 64, in how many their hashes differ.
    """

    kind: LeakKind
    kept: Leaked
    dropped: Leaked
    alike: float = 1.0
    bits: int = 0


_OF_ONE = (
    ("source", pa.string(), False),
    ("image_id", pa.int64(), False),
    ("own_id", pa.string(), True),
    ("file_name", pa.string(), False),
    ("sha256", pa.string(), False),
)
SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        *(pa.field(f"{side}_{name}", kind, null) for side in ("kept", "dropped") for name, kind, null in _OF_ONE),
        pa.field("alike", pa.float64(), nullable=False),
        pa.field("bits", pa.int32(), nullable=False),
    ]
)
_METADATA = b"cocoprep.leaks"
_VERSION = 1
_WORDS = tuple(field.name for field in SCHEMA if pa.types.is_string(field.type))
_SHA256 = "^[0-9a-f]{64}$"
_MOST_METADATA = MAX_SOURCES * 10_000  # bytes
_FIRST_SHOWN = 3


@dataclass(frozen=True)
class LeakList:
    """The pairs that were found, and between which data sets.

    Attributes:
        path: of the file, for errors.
        sources: the data sets, in the order in which they were named.
        table: a line for each pair, of `SCHEMA`.
    """

    path: str
    sources: tuple[LeakSource, ...]
    table: pa.Table

    def source_of(self, annotations: str) -> str:
        """Return the name of the data set that an annotation file is of.

        Raises:
            ConfigError: none of those that were looked at is, or several are.
        """
        names = [source.name for source in self.sources if source.annotations == real_path(annotations)]
        if len(names) != 1:
            looked_at = ", ".join(f"{source.name} ({source.annotations:.200})" for source in self.sources)
            raise ConfigError(
                f"--drop-leaks: {self.path} is of {looked_at}; of {annotations} it lists "
                f"{'two under other names' if names else 'nothing'}. Run `cocoprep leaks` with this annotation file as "
                "one --source, or name the data sets with --source as they were named there."
            )
        return names[0]

    def dropped_of(self, source: str, images: Mapping[int, ImageInfo], *, within: bool = True) -> dict[int, str]:
        """Return the images of a data set that are to be dropped, each with the reason in words.

        Args:
            source: the name of the data set.
            images: as its annotation file lists them, by id, with the names that they have there.
            within: also those whose other photograph is in the same data set.

        Raises:
            ConfigError: no such data set was looked at, or its annotation file is another now.
        """
        if source not in {one.name for one in self.sources}:
            names = ", ".join(one.name for one in self.sources)
            raise ConfigError(
                f"--drop-leaks: {self.path} is of {names}, and not of {source}. Run `cocoprep leaks` with it too."
            )
        lines = self.table.filter(pc.equal(self.table["dropped_source"], source))
        if not within:
            lines = lines.filter(pc.not_equal(lines["kept_source"], source))
        self._check_images(lines, source, images)
        columns = ("dropped_image_id", "kind", "kept_source", "kept_file_name")
        found: dict[int, str] = {}
        for image_id, kind, other, file_name in zip(*(lines[name].to_pylist() for name in columns), strict=True):
            found.setdefault(image_id, f"{kind}: {shown(file_name)} of {other}")
        return found

    def _check_images(self, lines: pa.Table, source: str, images: Mapping[int, ImageInfo]) -> None:
        """Raise ConfigError where the annotation file has not the images that are to be dropped."""
        pairs = zip(lines["dropped_image_id"].to_pylist(), lines["dropped_file_name"].to_pylist(), strict=True)
        odd = [(number, name) for number, name in pairs if number not in images or images[number].file_name != name]
        if odd:
            listed = ", ".join(f"image {number}, {shown(name)}" for number, name in odd[:_FIRST_SHOWN])
            raise ConfigError(
                f"--drop-leaks: {self.path} was made from another annotation file of {source}: {len(odd)} of the "
                f"photographs that it drops are not there ({listed}). Run `cocoprep leaks` again."
            )


def encode_leaks(leaks: Sequence[Leak], sources: Sequence[LeakSource]) -> bytes:
    """Encode pairs as Parquet: equal pairs, equal bytes."""
    columns: dict[str, list[object]] = {"kind": [leak.kind.value for leak in leaks]}
    for side in ("kept", "dropped"):
        for name, _, _ in _OF_ONE:
            columns[f"{side}_{name}"] = [getattr(getattr(leak, side), name) for leak in leaks]
    columns |= {"alike": [leak.alike for leak in leaks], "bits": [leak.bits for leak in leaks]}
    schema = SCHEMA.with_metadata({_METADATA: msgspec.json.encode(_Metadata(list(sources), _VERSION))})
    stream = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), stream, compression="zstd")
    return stream.getvalue()


def read_leaks(path: str, files: FileStore) -> LeakList:
    """Read a list of pairs.

    Raises:
        ConfigError: there is no such file.
        RecordError: it is damaged, or no such list.
    """
    if files.is_folder(path) or not files.exists(path):
        found = "a folder" if files.is_folder(path) else "nothing"
        raise ConfigError(f"--drop-leaks: expected the leaks.parquet of `cocoprep leaks` at {path}, found {found}.")
    try:
        return _decode(files.read_bytes(path), path)
    except (OSError, pa.ArrowException, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        raise RecordError(f"{path}: cannot be read ({why!s:.500}). Run `cocoprep leaks` again.") from error


def _decode(data: bytes, path: str) -> LeakList:
    table = read_table(data, [SCHEMA], _WORDS, "a list of leaks")
    sources = _sources_of(table.schema.metadata or {}, path)
    table = table.replace_schema_metadata(None)
    if not _is_consistent(table, sources):
        raise pa.ArrowInvalid("its lines are none that `cocoprep leaks` writes")
    return LeakList(path, sources, table)


def _sources_of(metadata: Mapping[bytes, bytes], path: str) -> tuple[LeakSource, ...]:
    """Return the data sets that the file says it is of."""
    found = metadata.get(_METADATA)
    if found is None:
        raise pa.ArrowInvalid(
            f"it does not say which data sets it is of: no metadata {_METADATA.decode()!r}, which a copy made with "
            "another tool has not"
        )
    if len(found) > _MOST_METADATA:
        raise pa.ArrowInvalid(f"{len(found)} bytes to say what it is of")
    version = msgspec.json.decode(found, type=_Version).version
    if version != _VERSION:
        raise RecordError(
            f"{path}: expected a list of version {_VERSION}, found {shown(version)}. Run `cocoprep leaks` again with "
            "this version of cocoprep, or build with the version that made it."
        )
    return tuple(msgspec.json.decode(found, type=_Metadata).sources)


def _is_consistent(table: pa.Table, sources: Sequence[LeakSource]) -> bool:
    """Tell whether data sets have names of their own, and every line a kind and two of them."""
    names = [source.name for source in sources]
    plain = all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) for name in names)
    if not plain or not 0 < len(set(names)) == len(names) <= MAX_SOURCES or any(c.null_count for c in _needed(table)):
        return False
    kinds = pc.is_in(table["kind"], pa.array([kind.value for kind in LeakKind]))
    named = (pc.is_in(table[f"{side}_source"], pa.array(names)) for side in ("kept", "dropped"))
    digests = (pc.match_substring_regex(table[f"{side}_sha256"], _SHA256) for side in ("kept", "dropped"))
    return all(pc.all(one, min_count=0).as_py() for one in (kinds, *named, *digests))


def _needed(table: pa.Table) -> list[pa.ChunkedArray]:
    return [table[field.name] for field in SCHEMA if not field.nullable]
