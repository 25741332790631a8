"""All that a built folder and its photographs tell of one annotation, gathered to be drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image

from cocoprep.coco.annotations import ImageInfo, Side
from cocoprep.coco.format import keypoints_fault, numbers_fault
from cocoprep.coco.ids import number_of
from cocoprep.crops.named_images import NamedImages
from cocoprep.crops.pixels import decode_image
from cocoprep.crops.sourced_images import open_all_images
from cocoprep.errors import CocoprepError, ConfigError, ImageError, RecordError, StoreError
from cocoprep.pose.boxes import BBox
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.dataset import ShardDataset
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.manifest import Manifest, annotation_paths, photograph_paths
from cocoprep.shards.names import GROUND_TRUTH, LEDGER
from cocoprep.shards.settings import table_of
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore

_ROW = re.compile(r"row(\d{1,15})")


class Annotated(msgspec.Struct, frozen=True):
    """One annotation of `ground_truth.json`, as far as it is drawn."""

    id: int
    image_id: int
    bbox: BBox
    iscrowd: int
    num_keypoints: int
    keypoints: msgspec.Raw

    def joints(self) -> NDArray[np.float64]:
        """Return (K, 3) float64: pixel index x and y, and visibility."""
        return np.array(msgspec.json.decode(self.keypoints, type=list[float])).reshape(-1, 3)


class _Image(msgspec.Struct):
    id: int
    file_name: str
    source_id: str | None = None
    width: Side = 0
    height: Side = 0


class _Images(msgspec.Struct):
    images: list[_Image]


class _GroundTruth(_Images):
    annotations: list[Annotated]


@dataclass(frozen=True, slots=True)
class Subject:
    """One annotation: what became of it, and what there is to show of it.

    Attributes:
        annotation_id: the number that its record has; 0 for a malformed entry without one.
        source_id: the id that the annotation file has; empty where it has none.
        name: what it is called where its id is typed: of several sources such as lsp/66, else its number.
        image_id: None where a malformed entry has none.
        row: place in the annotation file.
        reason: why it was dropped, None where it was kept.
        detail: more on the reason; may be empty.
        shard: the file that holds its record; None where dropped.
        rivals: how many other entries of the file use the same id.
        image: the photograph's entry; None where the folder does not list it.
        annotation: None where the entry is malformed or its photograph not listed.
        others: the photograph's other annotations, and whether each was kept.
        photograph: RGB; None where it cannot be read.
        fault: why there is no photograph, and what to do.
        person: the record as `ShardDataset` gives it; None where dropped.
        manifest: the folder's.
        table: the joints.
    """

    annotation_id: int
    source_id: str
    name: str
    image_id: int | None
    row: int
    reason: str | None
    detail: str
    shard: str | None
    rivals: int
    image: ImageInfo | None
    annotation: Annotated | None
    others: tuple[tuple[Annotated, bool], ...]
    photograph: Image.Image | None
    fault: str
    person: dict[str, Any] | None
    manifest: Manifest
    table: KeypointTable

    @property
    def title(self) -> str:
        """Return what it is called: by source and id, or its number and its own id where that is another."""
        if not self.annotation_id:
            return f"Annotation {self.source_id or 'without an id'}"
        if self.name != str(self.annotation_id):
            return f"Annotation {self.name}, number {self.annotation_id}"
        other = self.source_id not in ("", str(self.annotation_id))
        return f"Annotation {self.annotation_id}" + (f", {self.source_id} in the file" if other else "")

    @property
    def crop(self) -> CropConfig:
        """Return the crop's geometry."""
        return self.manifest.crop.config()


def find_subject(
    dataset: ShardDataset,
    annotation: int | str,
    *,
    images: str | None = None,
    follow_links: bool = False,
    files: FileStore = AnyFiles(),
) -> Subject:
    """Gather what there is to show of one annotation of a built folder.

    Args:
        dataset: the folder.
        annotation: kept or dropped: the id that the annotation file has, of several sources after the name of its own
            (`lsp/66`) or alone; or the number that the record has; or `row17` for that row of the annotation file.
        images: where the photographs are; None for where the build found them. If that place is gone, the subject has
            no photograph and says so.
        follow_links: links in their folder may lead out of it; those of where the build found them, as for the build.
        files: where the folder and the photographs lie; by default, on this machine or in a bucket, as each path says.

    Raises:
        CocoprepError: no entry of the annotation file has this id, or several that were numbered have.
        ConfigError: `images` is given and is neither a folder nor a zip.
        RecordError: ledger, ground truth or record are missing or damaged.
    """
    ledger = read_ledger(dataset.folder, files)
    rows = _rows_of(dataset, str(annotation), ledger, files)
    row = min(rows, key=lambda row: (not row["kept"], row["row"]))
    annotation_id = row["annotation_id"] or 0
    table = table_of(dataset.manifest.keypoints)
    image, annotations, names = _read_ground_truth(dataset.folder, row["image_id"], table, files)
    neighbours = ledger.filter(pc.and_(pc.equal(ledger["image_id"], row["image_id"] or 0), ledger["kept"]))
    kept = set(neighbours["annotation_id"].to_pylist())
    photograph, fault = _read_photograph(
        dataset.manifest, image, row["image_id"], names, images, follow_links=follow_links, files=files
    )
    # A malformed entry may bear the id of a valid one: that one's box is not its own.
    malformed = row["reason"] == "malformed"
    return Subject(
        annotation_id=annotation_id,
        source_id=row.get("source_id") or "",
        name=dataset.own_names([annotation_id])[0],
        image_id=row["image_id"],
        row=row["row"],
        reason=row["reason"],
        detail=row["detail"],
        shard=row["shard"],
        rivals=len(rows) - 1,
        image=image,
        annotation=next((a for a in annotations if a.id == annotation_id and not malformed), None),
        others=tuple((a, a.id in kept) for a in annotations if a.id != annotation_id),
        photograph=photograph,
        fault=fault,
        person=_read_person(dataset, annotation_id) if row["kept"] else None,
        manifest=dataset.manifest,
        table=table,
    )


def _read_person(dataset: ShardDataset, annotation_id: int) -> dict[str, Any]:
    if annotation_id not in dataset:
        raise RecordError(
            f"{dataset.folder}: {LEDGER} says that annotation {annotation_id} was kept, but no shard has it. Run "
            f"`cocoprep verify {dataset.folder}`."
        )
    return dataset.person(annotation_id)


def _read_ground_truth(
    folder: str, image_id: int | None, table: KeypointTable, files: FileStore
) -> tuple[ImageInfo | None, list[Annotated], list[str]]:
    """Return the entry of one photograph and its annotations, None and none where it is not listed; and all names."""
    path = files.join(folder, GROUND_TRUTH)
    with _readable_truth(folder, path):
        truth = msgspec.json.decode(files.read_bytes(path), type=_GroundTruth)
        annotations = [a for a in truth.annotations if a.image_id == image_id]
        faults = [fault for fault in (_fault(annotation, table) for annotation in annotations) if fault]
    if faults:
        raise RecordError(f"{path}: {faults[0]:.500}. Run `cocoprep verify {folder}`.")
    found = next((i for i in truth.images if i.id == image_id), None)
    image = None if found is None else ImageInfo(found.id, found.file_name, found.width, found.height)
    return image, annotations, [i.file_name for i in truth.images]


@contextmanager
def _readable_truth(folder: str, path: str) -> Iterator[None]:
    """Raise RecordError where what a ground truth is read for fails."""
    try:
        yield
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{path}: cannot be read ({error}); run `cocoprep verify {folder}`.") from error


def _fault(annotation: Annotated, table: KeypointTable) -> str | None:
    """Say what of an annotation no build has written, or None."""
    fault = numbers_fault(annotation.iscrowd, 0.0, annotation.bbox)
    fault = fault or keypoints_fault(msgspec.json.decode(annotation.keypoints, type=list[float]), table)
    return fault and f"annotation {annotation.id}: {fault}"


def _read_photograph(
    manifest: Manifest,
    image: ImageInfo | None,
    image_id: int | None,
    names: list[str],
    images: str | None,
    *,
    follow_links: bool,
    files: FileStore,
) -> tuple[Image.Image | None, str]:
    """Return the photograph, or None and why there is none. `names` are those of all photographs."""
    paths = photograph_paths(manifest, images)
    path = ", ".join(paths.values())
    follow_links = follow_links or (images is None and manifest.follow_links is True)
    try:
        gone = [path for path in paths.values() if images is None and not files.exists(path)]
        if gone:
            where = "Pass --images with the folder, .zip or .tar that has them."
            return None, f"The photographs are not at {gone[0]} any more. {where}"
        source = NamedImages(open_all_images(paths, files, follow_links=follow_links), names)
    except (ConfigError, StoreError) as error:
        if images is not None:
            raise
        return None, str(error)
    if image is None:
        place = "The entry names no image" if image_id is None else f"Image {image_id} is not listed"
        return None, f"{place} in {GROUND_TRUTH}, so there is no file name to look for."
    try:
        return decode_image(source.read(image.file_name), image, manifest.exif), ""
    except ConfigError as error:  # of a tar, which is looked through only now
        if images is not None:
            raise
        return None, str(error)
    except ImageError as error:
        return None, f"{error}. Looked in {path}; pass --images if the photographs are elsewhere."


def _rows_of(dataset: ShardDataset, wanted: str, ledger: pa.Table, files: FileStore) -> list[dict[str, Any]]:
    """Return the lines of one annotation, by its own id, after its source's name or alone, or by its number."""
    rows = ledger.filter(pc.equal(ledger["source_id"], wanted)).to_pylist()
    source, _, own = wanted.partition("/")
    if not rows and own:
        of_source = pc.and_(pc.equal(ledger["source"], source), pc.equal(ledger["source_id"], own))
        rows = ledger.filter(of_source).to_pylist()
    number = number_of(wanted)
    if not rows and number is not None:
        rows = ledger.filter(pc.equal(ledger["annotation_id"], number)).to_pylist()
    if not rows and (in_row := _ROW.fullmatch(wanted)):
        rows = ledger.filter(pc.equal(ledger["row"], int(in_row[1]))).to_pylist()
    if not rows:
        raise _unknown(dataset, wanted, ledger, files)
    numbers = sorted({row["annotation_id"] for row in rows} - {None})
    if len(numbers) > 1:
        sources = sorted({row["source"] for row in rows} - {None})
        by_source = f"by its source, such as {sources[0]}/{wanted}, or " if len(sources) > 1 else ""
        raise CocoprepError(
            f"annotation {wanted}: expected an id that one annotation of {annotation_paths(dataset.manifest)} has, "
            f"found {len(numbers)} of it. Choose one {by_source}by the number that its record has: "
            f"{', '.join(map(str, numbers[:20]))}."
        )
    return [row for row in rows if row["annotation_id"] is not None] or rows


def _unknown(dataset: ShardDataset, wanted: str, ledger: pa.Table, files: FileStore) -> CocoprepError:
    image_id = _image_called(dataset.folder, wanted, files)
    of_image = ledger.filter(pc.equal(ledger["image_id"], image_id))["annotation_id"].drop_null().to_pylist()
    if of_image:
        shown = ", ".join(dataset.own_names(of_image[:5])) + (" and others" if len(of_image) > 5 else "")
        cure = f"{wanted} is an image id: choose one of that image's annotations, {shown}."
    else:
        some = ", ".join(dataset.own_names(dataset.annotation_ids[:3]))
        cure = f"Choose another, for example {some}; `cocoprep show {dataset.folder} --dropped any` lists the others."
    return CocoprepError(
        f"annotation {wanted}: expected an annotation id of {_asked_file(dataset, wanted)}, found no such entry among "
        f"the {len(ledger)} that {dataset.folder} was built from. {cure}"
    )


def _asked_file(dataset: ShardDataset, wanted: str) -> str:
    """Return the path of the annotation file that an id is of: of several sources the one named before a `/`."""
    name = wanted.partition("/")[0] if "/" in wanted else None
    of_name = [source.annotations for source in dataset.manifest.sources or () if source.name == name]
    return of_name[0] if of_name else annotation_paths(dataset.manifest)


def _image_called(folder: str, wanted: str, files: FileStore) -> int | None:
    """Return the number of the image that has an id of its own, or is the number; None where none has."""
    path = files.join(folder, GROUND_TRUTH)
    with _readable_truth(folder, path):
        images = msgspec.json.decode(files.read_bytes(path), type=_Images).images
    own = next((image.id for image in images if image.source_id == wanted), None)
    return number_of(wanted) if own is None else own
