"""The people of a built folder, found by place: which are used, where their records lie, and what is in them."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cocoprep.errors import ConfigError, RecordError
from cocoprep.model.augment.pixels import decode_crop
from cocoprep.model.draws import Purpose, draw_uniform
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.memory import available_bytes
from cocoprep.model.input.ranges import MOST_BYTES, ByteRange, RangeReader
from cocoprep.model.input.sources import sources_of
from cocoprep.shards.dataset import ShardDataset
from cocoprep.shards.manifest import Manifest
from cocoprep.shards.record import parse_example, unpack_heatmaps
from cocoprep.shards.tfrecord import read_record
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore

MEMORY_SHARE = 0.25  # of what memory there is, that "auto" takes for the records
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one record lies: bytes `start` to `end` of a shard, its `number` there from 0; which source it is of."""

    shard: str
    number: int
    annotation_id: int
    start: int
    end: int
    source: int = 0


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One record as far as training and evaluation need it. Shapes and frames are the record's, see `FEATURES`.

    Attributes:
        jpeg: the stored crop.
        packed_heatmaps: the stored ones.
        source: place among the sources of all folders that are read together.
        looked_for: (K,) which joints that source labels; of the others it never says that they are not there.
        folder: place of its folder among those.
        occurrence: how often the person was seen in the epoch before.
    """

    annotation_id: int
    image_id: int
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.int64]
    bbox: NDArray[np.float32]
    crop_window: NDArray[np.float32]
    area: float
    jpeg: bytes
    packed_heatmaps: bytes
    source: int
    looked_for: NDArray[np.bool_]
    folder: int = 0
    occurrence: int = 0

    def again(self, occurrence: int) -> PersonRecord:
        """Return the person as seen once more in an epoch."""
        return replace(self, occurrence=occurrence)


class RecordSource:
    """The people of one folder that a config uses, in stored order, by their places from 0."""

    def __init__(
        self, folder: str, config: ReadConfig, files: FileStore = AnyFiles(), *, number: int = 0, first_source: int = 0
    ) -> None:
        """Open a folder.

        Args:
            folder: its path.
            config: which people are used, and how they are read.
            files: where it lies; by default, on this machine or in a bucket, as its path says.
            number: place of the folder among those that are read together.
            first_source: how many sources those before it have.

        Raises:
            RecordError: the folder is not complete, or its manifest, a sidecar or a shard's size is wrong.
            ConfigError: the subset is empty.
        """
        self.folder, self.files = folder, files
        self._number, self._first_source = number, first_source
        dataset = _open(folder, self.files)
        self.manifest: Manifest = dataset.manifest
        self.sources = sources_of(self.manifest, folder)
        check_shard_sizes(folder, self.manifest, self.files)
        self._or_skip = "" if config.on_bad_record == "skip" else ", or begin a run with --on-bad-record skip"
        self._reader = RangeReader(folder, self.files)
        places = _subset(_places(dataset), config)
        self.skipped: dict[int, str] = {}  # what is wrong with the records left out, by annotation
        if config.on_bad_record == "skip":
            places, self.skipped = self._without_damage(places)
        if not places:
            raise ConfigError(f"{folder}: no people to read. Take another folder, or a larger subset.")
        self.places: Sequence[Place] = places
        fits = self.record_bytes <= MEMORY_SHARE * available_bytes()
        self._cache: dict[int, PersonRecord] | None = (
            {} if config.cache is True or (config.cache == "auto" and fits) else None
        )

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self.places)

    @cached_property
    def annotation_ids(self) -> NDArray[np.int64]:
        """Return the annotation id of every record in stored order."""
        return np.array([place.annotation_id for place in self.places], np.int64)

    @property
    def record_bytes(self) -> int:
        """Return how many bytes the records take."""
        return sum(place.end - place.start for place in self.places)

    def keep_nothing(self) -> None:
        """Read every record anew whenever it is wanted."""
        self._cache = None

    @cached_property
    def source_places(self) -> NDArray[np.int64]:
        """Return the source of every record in stored order, as `PersonRecord.source` says it."""
        return self._first_source + np.array([place.source for place in self.places], np.int64)

    def read(self, wanted: NDArray[np.int64]) -> list[PersonRecord]:
        """Return the people at some places, in the order asked for.

        Raises:
            RecordError: a record is damaged or a shard cannot be read; names shard, record and annotation.
        """
        cache = {} if self._cache is None else self._cache
        missing = sorted(place for place in set(wanted.tolist()) if place not in cache)
        for place, person in self._read_runs(missing):
            if isinstance(person, RecordError):
                raise person
            cache[place] = person
        return [cache[place] for place in wanted.tolist()]

    def _read_runs(
        self, wanted: Sequence[int], *, decode: bool = False
    ) -> Iterator[tuple[int, PersonRecord | RecordError]]:
        """Yield (place, person or what is wrong with the record), in order; neighbours are read in one piece.

        Args:
            wanted: places.
            decode: look into crops and heatmaps too, which costs several times the reading.
        """
        runs = self._runs(wanted)
        pieces = [self._range_of(run) for run in runs]
        contents = self._reader.read(pieces)
        for run, piece in zip(runs, pieces, strict=True):
            try:
                data = next(contents)
            except OSError as error:
                raise RecordError(
                    f"{piece.path}: cannot be read ({error.strerror or error}). Check the disk or the connection."
                ) from error
            for number in run:
                place = self.places[number]
                yield number, self._parse(place, data[place.start - piece.start : place.end - piece.start], decode)

    def _runs(self, wanted: Sequence[int]) -> list[list[int]]:
        """Cut places into runs of neighbours, none of them too long to be read in one piece."""
        runs: list[list[int]] = []
        for number in wanted:
            if runs and self._continues(runs[-1], self.places[number]):
                runs[-1].append(number)
            else:
                runs.append([number])
        return runs

    def _continues(self, run: list[int], place: Place) -> bool:
        first, last = self.places[run[0]], self.places[run[-1]]
        return last.shard == place.shard and last.end == place.start and place.end - first.start <= MOST_BYTES

    def _range_of(self, run: list[int]) -> ByteRange:
        first, last = self.places[run[0]], self.places[run[-1]]
        return ByteRange(self.files.join(self.folder, first.shard), first.start, last.end)

    def _parse(self, place: Place, data: bytes, decode: bool) -> PersonRecord | RecordError:
        try:
            record = read_record(io.BytesIO(data))
            if record is None:
                raise RecordError("the file ends before the record")
            person = self._person(record, place)
            if decode:
                crop, joints = self.manifest.crop, len(self.manifest.keypoints.names)
                decode_crop(person.jpeg, crop.stored_size)
                unpack_heatmaps(person.packed_heatmaps, (*crop.heatmap_size, joints))
        except RecordError as error:
            return RecordError(
                f"{self.files.join(self.folder, place.shard)}, record {place.number}, annotation "
                f"{place.annotation_id}: {error}. Build the folder again to mend it{self._or_skip}."
            )
        return person

    def _person(self, record: bytes, place: Place) -> PersonRecord:
        values = parse_example(record, len(self.manifest.keypoints.names))
        if values["annotation_id"] != place.annotation_id:
            raise RecordError(f"the record is of annotation {values['annotation_id']}")
        if self.manifest.sources and values.get("source") != place.source:
            raise RecordError(f"expected one of source {place.source}, found {values.get('source', 'none')}")
        return PersonRecord(
            annotation_id=values["annotation_id"],
            image_id=values["image_id"],
            keypoints=values["keypoints"],
            visibility=values["visibility"],
            bbox=values["bbox"],
            crop_window=values["crop_window"],
            area=values["area"],
            jpeg=values["image"],
            packed_heatmaps=values["heatmaps"],
            source=self._first_source + place.source,
            looked_for=self.sources.looked_for[place.source],
            folder=self._number,
        )

    def _without_damage(self, places: Sequence[Place]) -> tuple[list[Place], dict[int, str]]:
        """Read and decode every record once; return the good ones' places, and what is wrong with the others."""
        self.places = places
        good: list[Place] = []
        bad: dict[int, str] = {}
        for number, person in self._read_runs(range(len(places)), decode=True):
            if isinstance(person, RecordError):
                bad[places[number].annotation_id] = str(person)
            else:
                good.append(places[number])
        if bad:
            said = next(iter(bad.values()))
            log.warning(
                "%s: %d of %d records are damaged and skipped, first %s", self.folder, len(bad), len(places), said
            )
        return good, bad


def check_shard_sizes(folder: str, manifest: Manifest, files: FileStore) -> None:
    """Check that every shard is there in its full length. Raises RecordError, naming all that are not."""
    wrong = []
    for shard in manifest.shards:
        path = files.join(folder, shard.name)
        try:
            found = files.size(path)
        except OSError as error:
            wrong.append(
                f"{shard.name} (expected {shard.bytes} bytes, found no file that can be read: {error.strerror})"
            )
        else:
            if found != shard.bytes:
                wrong.append(f"{shard.name} (expected {shard.bytes} bytes, found {found})")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise RecordError(
            f"{folder}: {len(wrong)} of {len(manifest.shards)} shards are missing or half-written: "
            f"{', '.join(wrong[:5])}{more}. Copy the folder again, or build it again."
        )


def _open(folder: str, files: FileStore) -> ShardDataset:
    try:
        return ShardDataset(folder, files)
    except OSError as error:
        raise RecordError(
            f"{folder}: cannot be read ({error.strerror or error}). Check the path and access."
        ) from error


def _places(dataset: ShardDataset) -> list[Place]:
    found = zip(dataset.places, dataset.ends, dataset.sources, strict=True)
    places, number = list[Place](), 0
    for (annotation_id, shard, start), end, source in found:
        number = number + 1 if places and places[-1].shard == shard else 0
        places.append(Place(shard, number, annotation_id, start, end, source))
    return places


def _subset(places: list[Place], config: ReadConfig) -> list[Place]:
    if config.subset == 1 or not places:
        return places
    ids = np.array([place.annotation_id for place in places], np.int64)
    kept = draw_uniform(Purpose.SUBSET, config.seed, ids) < config.subset
    return [place for place, keep in zip(places, kept, strict=True) if keep]
