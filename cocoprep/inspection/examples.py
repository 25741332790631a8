"""Pictures of single annotations of a data set, out of its photographs."""

from __future__ import annotations

from itertools import compress

from msgspec.structs import replace
from PIL import Image

from cocoprep.coco.annotations import Person
from cocoprep.inspection.crop_steps import choose_example, draw_crop_steps
from cocoprep.inspection.crowding import overlaps_of
from cocoprep.inspection.data_set import DataSet, People
from cocoprep.inspection.photographs import Photographs
from cocoprep.inspection.unlabelled import WHYS, choose_unlabelled, whys_of
from cocoprep.inspection.unlabelled_sheet import Example, draw_unlabelled
from cocoprep.pose.boxes import BBox
from cocoprep.pose.crop_config import CropConfig

WITHOUT_LABELS, CROP_STEPS = "without-labels.jpg", "crop-steps.jpg"
MOST_EXAMPLES = 24


def draw_examples(data_set: DataSet, photographs: Photographs, crop: CropConfig) -> dict[str, Image.Image]:
    """Return pictures by the name of their file.

    Args:
        data_set: whose annotations are shown.
        photographs: of it.
        crop: how people are cropped.
    """
    drawn = {
        WITHOUT_LABELS: _draw_unlabelled(data_set, photographs),
        CROP_STEPS: _draw_steps(data_set, photographs, crop),
    }
    return {name: picture for name, picture in drawn.items() if picture is not None}


def _draw_unlabelled(data_set: DataSet, photographs: Photographs) -> Image.Image | None:
    people = data_set.people
    overlaps, _ = overlaps_of(people)
    places = choose_unlabelled(people, overlaps, MOST_EXAMPLES)
    whys = whys_of(people.take(places), overlaps[places])
    examples = []
    for n, why in zip(places.tolist(), whys.tolist(), strict=True):
        photograph = photographs.read(data_set.images[people.images[n]])
        if photograph is not None:
            x, y, w, h = people.bbox[n].tolist()
            captions = ", ".join(compress(WHYS, why)), f"{w:.0f} x {h:.0f} px", f"id {_id(people, n)}"
            examples.append(Example(photograph, (x, y, w, h), captions))
    if not examples:
        return None
    total = int((people.labelled == 0).sum())
    return draw_unlabelled(
        examples, f"{data_set.name}: {len(examples)} of {total} annotations without a labelled joint"
    )


def _draw_steps(data_set: DataSet, photographs: Photographs, crop: CropConfig) -> Image.Image | None:
    n = choose_example(data_set.people, crop)
    if n is None:
        return None
    people = data_set.people
    info = data_set.images[people.images[n]]
    photograph = photographs.read(info)
    if photograph is None:
        return None
    person = _person(people, n)
    title = f"{data_set.name}: the steps of a crop, annotation {person.annotation_id}"
    image = replace(info, width=photograph.width, height=photograph.height)
    return draw_crop_steps(photograph, image, person, crop, table=data_set.table, title=title)


def _id(people: People, n: int) -> int:
    return int(people.annotation_ids[n])


def _person(people: People, n: int) -> Person:
    x, y, w, h = people.bbox[n].tolist()
    bbox: BBox = (x, y, w, h)
    packed = people.joints[n].astype("<f4").tobytes()
    return Person(_id(people, n), bbox, float(people.area[n]), bool(people.crowd[n]), int(people.labelled[n]), packed)
