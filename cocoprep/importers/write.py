"""Write an imported data set in COCO's layout: an annotation file for each split. Photographs stay where they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cocoprep.coco.converted import document, open_converted, plain_numbers
from cocoprep.coco.entries import BOX_SHARE
from cocoprep.importers.dataset import Category, ImportedDataset, ImportedPerson, ImportedSplit
from cocoprep.storage.store import FileStore

HEAD_SHARE = 0.6  # of the head box's diagonal: SC_BIAS of MPII's evaluation toolkit, what PCKh is a share of


@dataclass(frozen=True)
class WrittenSplit:
    """One annotation file: where it is, what it holds, and where its photographs are, if that is known."""

    path: str
    photographs: int
    people: int
    with_joints: int
    images: str | None


def write_dataset(
    dataset: ImportedDataset, folder: str, files: FileStore, *, form: str, source: str
) -> list[WrittenSplit]:
    """Write a data set into a folder that is empty, or that earlier calls have written.

    The ids of photographs and people are numbers from 1, in the order of the file.

    Args:
        dataset: which.
        folder: where to.
        files: where that lies.
        form: of what was read.
        source: what was read, and must not lie in the folder.

    Raises:
        OutputError: the folder holds something else, or cannot be written.
        ConfigError: the source lies in it.
    """
    account = dataset.account

    def told() -> dict[str, Any]:
        return {
            "left_out": account.left_out.lines, "guessed": account.guessed.lines, "not_carried": dataset.not_carried,
        }  # fmt: skip

    written, splits = [], [split.name for split in dataset.splits]
    with open_converted(folder, files, form=form, source=source, splits=splits, told=told) as out:
        for split in dataset.splits:
            with out.create_annotations(split.name) as stream:
                stream.writelines(_pieces(split, dataset.categories))
            path, labelled = out.annotations_path(split.name), sum(any(one.keypoints[2::3]) for one in split.people)
            written.append(WrittenSplit(path, len(split.photographs), len(split.people), labelled, split.images))
    return written


def _pieces(split: ImportedSplit, categories: tuple[Category, ...]) -> Iterator[bytes]:
    images = (
        {"id": number, "file_name": one.file_name, **({"width": one.width, "height": one.height} if one.width else {})}
        for number, one in enumerate(split.photographs, 1)
    )
    listed = [
        {
            "id": number, "name": one.name, "supercategory": one.name, "keypoints": one.joints,
            "skeleton": one.skeleton,
        }
        for number, one in enumerate(categories, 1)
    ]  # fmt: skip
    return document(images, map(_annotation, split.people), listed)


def _annotation(person: ImportedPerson) -> dict[str, Any]:
    box = person.bbox or (0.0, 0.0, 0.0, 0.0)
    annotation: dict[str, Any] = {
        "id": person.number,
        "image_id": person.photograph + 1,
        "category_id": person.category + 1,
        "bbox": plain_numbers(box),
        "area": BOX_SHARE * box[2] * box[3],
        "iscrowd": 0,
        "num_keypoints": sum(v > 0 for v in person.keypoints[2::3]),
        "keypoints": plain_numbers(person.keypoints),
    }
    if person.head_box is not None:
        x1, y1, x2, y2 = person.head_box
        annotation["head_box"] = plain_numbers(person.head_box)
        annotation["head_size"] = HEAD_SHARE * math.hypot(x2 - x1, y2 - y1)
    return annotation
