"""The slim ground truth beside the shards: what OKS evaluation needs, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from cocoprep.coco.annotations import ImageInfo, Person
from cocoprep.coco.joints import FoundJoints
from cocoprep.errors import RecordError
from cocoprep.shards.drop_reasons import JudgedEntry
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.storage.store import FileStore


def encode_ground_truth(images: Sequence[ImageInfo], entries: Sequence[JudgedEntry], joints: FoundJoints) -> bytes:
    """Encode a COCO keypoints file without segmentations.

    Every valid annotation is in it, those without keypoints and the crowds too: evaluation has to ignore them by
    name. Malformed ones have no form to keep; the ledger lists them.
    """
    stream = io.BytesIO()  # COCO's is large: never also as a list of its pieces
    stream.writelines(_pieces(images, entries, joints))
    return stream.getvalue()


def read_ground_truth(folder: str, files: FileStore) -> dict[str, Any]:
    """Return the ground truth beside the shards of a built folder, as pycocotools takes it.

    Raises:
        RecordError: it is missing or damaged.
    """
    path = files.join(folder, GROUND_TRUTH)
    try:
        truth: dict[str, Any] = msgspec.json.decode(files.read_bytes(path), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{path}: cannot be read ({error}). Run `cocoprep verify {folder}`.") from error
    return truth


def category_of(truth: dict[str, Any]) -> int:
    """Return the id of the one category of a ground truth as `read_ground_truth` returns it."""
    return int(truth["categories"][0]["id"])


def _pieces(images: Sequence[ImageInfo], entries: Sequence[JudgedEntry], joints: FoundJoints) -> Iterator[bytes]:
    category = {
        "id": joints.category_id,
        "name": joints.category_name,
        "supercategory": joints.table.category,
        "keypoints": joints.table.names,
        "skeleton": joints.table.skeleton,
    }
    yield b'{"categories":' + msgspec.json.encode([category])
    yield b',\n"images":['
    yield from _listed(
        {"id": i.image_id, "file_name": i.file_name, "width": i.width, "height": i.height}
        for i in sorted(images, key=lambda image: image.image_id)
    )
    yield b'],\n"annotations":['
    known = {image.image_id for image in images}
    people = [(e.person, e.image_id) for e in entries if e.person is not None and e.image_id in known]
    people.sort(key=lambda pair: pair[0].annotation_id)
    yield from _listed(_annotation(person, image_id, joints.category_id) for person, image_id in people)
    yield b"]}\n"


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
