"""The slim ground truth beside the shards: what OKS evaluation needs, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec.structs import replace

from cocoprep.coco.annotations import ImageInfo, Person
from cocoprep.coco.format import Category, Id, IdOnly, numbers_fault
from cocoprep.coco.joints import FoundJoints
from cocoprep.errors import RecordError
from cocoprep.shards.drop_reasons import DropReason, JudgedEntry
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.storage.store import FileStore


class _Annotation(msgspec.Struct, gc=False):
    id: Id
    image_id: Id
    category_id: Id
    bbox: tuple[float, float, float, float]
    area: float
    iscrowd: int
    num_keypoints: Id
    keypoints: list[float]


class _Truth(msgspec.Struct):
    images: list[IdOnly]
    annotations: list[_Annotation]
    categories: list[Category]


def encode_ground_truth(
    images: Sequence[ImageInfo],
    entries: Sequence[JudgedEntry],
    joints: FoundJoints,
    source_ids: Mapping[int, str],
    *,
    crowd_index: Mapping[int, float] = MappingProxyType({}),
) -> bytes:
    """Encode a COCO keypoints file without segmentations.

    An image whose own id is no number bears it as `source_id` (`source_ids`, by number), and how crowded it is as
    `crowdIndex`, as CrowdPose has it; a person bears `head_size`, where the annotation file states it.

    Every valid annotation is in it, those without keypoints and the crowds too: evaluation has to ignore them by
    name. Those that a list left out are there as those without keypoints are, with their boxes: somebody is there, whom
    a network may find, but nobody knows where the joints are. Malformed ones have no form to keep; the ledger lists
    them.
    """
    stream = io.BytesIO()  # COCO's is large: never also as a list of its pieces
    listed = (
        {"id": i.image_id, "file_name": i.file_name, **_size(i), **_own(i, source_ids), **_crowded(i, crowd_index)}
        for i in sorted(images, key=lambda image: image.image_id)
    )
    stream.writelines(_pieces(listed, {image.image_id for image in images}, entries, joints))
    return stream.getvalue()


def read_ground_truth(folder: str, files: FileStore) -> dict[str, Any]:
    """Return the ground truth beside the shards of a built folder, as pycocotools takes it.

    Raises:
        RecordError: it is missing or damaged.
    """
    path = files.join(folder, GROUND_TRUTH)
    try:
        data = files.read_bytes(path)
        fault = _fault(msgspec.json.decode(data, type=_Truth))
        truth: dict[str, Any] = {} if fault else msgspec.json.decode(data, type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{path}: cannot be read ({error}). Run `cocoprep verify {folder}`.") from error
    if fault:
        raise RecordError(f"{path}: no build has written this ({fault:.500}). Run `cocoprep verify {folder}`.")
    return truth


def category_of(truth: dict[str, Any]) -> int:
    """Return the id of the one category of a ground truth as `read_ground_truth` returns it."""
    return int(truth["categories"][0]["id"])


def _fault(truth: _Truth) -> str | None:
    """Say what of a ground truth pycocotools, which checks nothing, could not take; or None."""
    if len(truth.categories) != 1 or not truth.categories[0].keypoints:
        return "expected one category, with its keypoints"
    images, count = {image.id for image in truth.images}, 3 * len(truth.categories[0].keypoints)
    for annotation in truth.annotations:
        fault = numbers_fault(annotation.iscrowd, annotation.area, annotation.bbox)
        if annotation.id == 0:
            fault = "pycocotools takes an id of 0 for nobody"
        if annotation.image_id not in images or annotation.category_id != truth.categories[0].id:
            fault = "of no image or category that is listed"
        if len(annotation.keypoints) != count:
            fault = f"expected {count} numbers in keypoints, found {len(annotation.keypoints)}"
        if fault:
            return f"annotation {annotation.id}: {fault}"
    return None


def _pieces(
    images: Iterator[dict[str, Any]], known: set[int], entries: Sequence[JudgedEntry], joints: FoundJoints
) -> Iterator[bytes]:
    category = {
        "id": joints.category_id,
        "name": joints.category_name,
        "supercategory": joints.table.category,
        "keypoints": joints.table.names,
        "skeleton": joints.table.skeleton,
    }
    yield b'{"categories":' + msgspec.json.encode([category])
    yield b',\n"images":['
    yield from _listed(images)
    yield b'],\n"annotations":['
    people = [(e.person, e) for e in entries if e.person is not None and e.image_id in known]
    people.sort(key=lambda pair: pair[0].annotation_id)
    yield from _listed(
        _annotation(_as_it_counts(person, entry), entry.image_id, joints.category_id) | _head_size(entry)
        for person, entry in people
    )
    yield b"]}\n"


def _size(image: ImageInfo) -> dict[str, int]:
    return {"width": image.width, "height": image.height} if image.has_size else {}


def _own(image: ImageInfo, source_ids: Mapping[int, str]) -> dict[str, str]:
    return {"source_id": source_ids[image.image_id]} if image.image_id in source_ids else {}


def _crowded(image: ImageInfo, crowd_index: Mapping[int, float]) -> dict[str, float]:
    return {"crowdIndex": crowd_index[image.image_id]} if image.image_id in crowd_index else {}


def _head_size(entry: JudgedEntry) -> dict[str, float]:
    return {} if entry.head_size is None else {"head_size": entry.head_size}


def _as_it_counts(person: Person, entry: JudgedEntry) -> Person:
    """Return a person without its labels where these are known to be wrong."""
    if entry.reason is not DropReason.EXCLUDED:
        return person
    return replace(person, num_keypoints=0, keypoint_bytes=bytes(len(person.keypoint_bytes)))


def _listed(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    comma = b"\n"
    for item in items:
        yield comma + msgspec.json.encode(item)
        comma = b",\n"


def _annotation(person: Person, image_id: int | None, category_id: int) -> dict[str, Any]:
    keypoints = person.keypoints.ravel()
    whole = keypoints.astype(int)
    return {
        "id": person.annotation_id,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": person.bbox,
        "area": person.area_px2,
        "iscrowd": int(person.is_crowd),
        "num_keypoints": person.num_keypoints,
        "keypoints": (whole if (whole == keypoints).all() else keypoints).tolist(),
    }
