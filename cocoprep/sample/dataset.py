"""Write a drawn data set in COCO's layout, and finish one that was interrupted."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cocoprep.errors import OutputError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17
from cocoprep.processes import map_in_processes
from cocoprep.sample.joints import FigureJoints, figure_joints
from cocoprep.sample.scene import draw_scene
from cocoprep.sample.state import (
    IDS_PER_IMAGE,
    MARKER,
    PROGRESS,
    SPLITS,
    Done,
    Drawn,
    ImageEntry,
    SamplePlan,
    annotation_path,
    encode_json,
    image_id,
    image_path,
    is_whole,
    read_marker,
    read_progress,
    write_whole,
)

_JPEG_QUALITY = 90
_IMAGES_A_PROCESS = 20  # fewer are drawn in the time that a process takes to start

OnImage = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What a sample holds: images of either split, annotations, those with joints, and crowd regions.

    `drawn` is how many images this call drew: 0 where the sample was complete before.
    """

    folder: Path
    train_images: int
    val_images: int
    annotations: int
    labelled: int
    crowds: int
    drawn: int


def _draw(folder: Path, plan: SamplePlan, joints: FigureJoints, picture: tuple[str, int]) -> Drawn:
    """Draw and write one image; its content depends on seed, split and index only."""
    split, index = picture
    scene = draw_scene(np.random.default_rng([plan.seed, SPLITS.index(split), index]), joints)
    buffer = io.BytesIO()
    scene.image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    path, number = image_path(folder, split, index), image_id(split, index)
    write_whole(path, buffer.getvalue())
    for position, annotation in enumerate(scene.annotations, start=1):
        annotation["id"] = number * IDS_PER_IMAGE + position
        annotation["image_id"] = number
    entry = ImageEntry(
        license=1,
        file_name=path.name,
        height=scene.image.height,
        width=scene.image.width,
        date_captured=f"2017-01-{1 + index // 1440 % 28:02d} {index // 60 % 24:02d}:{index % 60:02d}:00",
        id=number,
    )
    return Drawn(split=split, image=entry, annotations=scene.annotations)


def _document(drawn: list[Drawn], table: KeypointTable) -> dict[str, Any]:
    """Return the annotation file of one split."""
    return {
        "info": {
            "description": "People drawn by cocoprep, in the layout of COCO 2017 person keypoints",
            "version": "1.0",
            "year": 2017,
            "contributor": "cocoprep",
            "url": "",
            "date_created": "2017/01/01",
        },
        "licenses": [
            {
                "id": 1,
                "name": "drawn by cocoprep, CC0 1.0",
                "url": "https://creativecommons.org/publicdomain/zero/1.0/",
            }
        ],
        "images": [line["image"] for line in drawn],
        "annotations": [annotation for line in drawn for annotation in line["annotations"]],
        "categories": [
            {
                "supercategory": "person",
                "id": 1,
                "name": "person",
                "keypoints": list(table.names),
                "skeleton": table.skeleton,
            }
        ],
    }


def _draw_missing(
    folder: Path, plan: SamplePlan, joints: FigureJoints, done: Done, *, workers: int, on_image: OnImage | None
) -> None:
    """Draw the images that are not done yet, noting each in the progress file and in `done`."""
    pictures = list(plan.pictures())
    missing = [picture for picture in pictures if picture not in done]
    processes = max(1, min(workers, len(missing) // _IMAGES_A_PROCESS))
    write_whole(folder / PROGRESS, b"".join(encode_json(drawn) for drawn in done.values()))
    drawings = map_in_processes(partial(_draw, folder, plan, joints), missing, processes=processes, doing="draws")
    with closing(drawings), (folder / PROGRESS).open("ab") as progress:
        for picture, drawn in zip(missing, drawings, strict=True):
            done[picture] = drawn
            progress.write(encode_json(drawn))
            progress.flush()
            if on_image is not None:
                on_image(len(done), len(pictures))


def _counts(plan: SamplePlan, done: Done) -> dict[str, int]:
    annotations = [annotation for drawn in done.values() for annotation in drawn["annotations"]]
    return {
        "train_images": plan.count("train2017"),
        "val_images": plan.count("val2017"),
        "annotations": len(annotations),
        "labelled": sum(annotation["num_keypoints"] > 0 for annotation in annotations),
        "crowds": sum(annotation["iscrowd"] for annotation in annotations),
    }


def _write_sample(
    folder: Path, plan: SamplePlan, table: KeypointTable, *, workers: int, on_image: OnImage | None
) -> SampleSummary:
    joints = figure_joints(table)
    folder.mkdir(parents=True, exist_ok=True)
    marker = read_marker(folder, plan)
    if marker is not None and marker.get("complete") and is_whole(folder, plan):
        (folder / PROGRESS).unlink(missing_ok=True)
        return SampleSummary(folder=folder, **marker["counts"], drawn=0)
    write_whole(folder / MARKER, encode_json({"plan": plan.record(), "complete": False}))
    for name in ("annotations", *SPLITS):
        (folder / name).mkdir(exist_ok=True)
    done = read_progress(folder)
    found = len(done)
    _draw_missing(folder, plan, joints, done, workers=workers, on_image=on_image)
    for split in SPLITS:
        drawn = [done[split, index] for index in range(plan.count(split))]
        write_whole(annotation_path(folder, split), encode_json(_document(drawn, table)))
    counts = _counts(plan, done)
    write_whole(folder / MARKER, encode_json({"plan": plan.record(), "complete": True, "counts": counts}))
    (folder / PROGRESS).unlink()
    return SampleSummary(folder=folder, **counts, drawn=len(done) - found)


def write_sample(
    folder: str | os.PathLike[str],
    *,
    images: int,
    seed: int = 0,
    val_fraction: float = 0.25,
    workers: int = 1,
    on_image: OnImage | None = None,
    table: KeypointTable = COCO_17,
) -> SampleSummary:
    """Draw a person-keypoint data set into a folder, in the layout of COCO 2017.

    It writes `annotations/person_keypoints_{train,val}2017.json` and `{train,val}2017/*.jpg`. An image
    depends on seed, split and index only, so that the same call writes the same bytes with the same
    versions of Pillow and NumPy, and a longer sample starts with the shorter one. An interrupted call is
    finished by the next; a complete sample is left as it is.

    Args:
        folder: is made if it is missing.
        images: images to train on; `max(1, round(images * val_fraction))` more are for validation.
        seed: 0 or more.
        val_fraction: 0 to 1.
        workers: processes that draw. With more than one, a script must have `if __name__ == "__main__":` around
            its call, as `multiprocessing` says.
        on_image: is called after each image with the number of finished images and of all.
        table: the joints that are labelled; the figure must have them.

    Raises:
        ConfigError: a parameter is out of range, or the figure lacks a joint.
        OutputError: the folder holds something else, or cannot be written.
        BuildError: a process that draws was lost.
    """
    joints = None if table.names == COCO_17.names else table.names
    plan = SamplePlan(images=images, seed=seed, val_fraction=float(val_fraction), joints=joints)
    try:
        return _write_sample(Path(folder), plan, table, workers=workers, on_image=on_image)
    except OSError as error:
        raise OutputError(f"{folder}: cannot write the sample: {error}") from error
