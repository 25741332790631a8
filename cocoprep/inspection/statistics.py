"""All that is counted and measured of one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cocoprep.coco.official import KNOWN_PEOPLE, KnownPeople
from cocoprep.inspection.box_figures import BoxFigures, box_figures
from cocoprep.inspection.crop_figures import CropFigures, crop_figures
from cocoprep.inspection.crowding import MOST_COMPARED, CrowdingFigures, crowding_figures, overlaps_of
from cocoprep.inspection.data_set import DataSet, EntryCounts
from cocoprep.inspection.image_figures import ImageFigures, image_figures
from cocoprep.inspection.label_figures import LabelFigures, label_figures
from cocoprep.inspection.unlabelled import count_whys
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.nouns import counted
from cocoprep.pose.tables import COCO_17


@dataclass(frozen=True)
class Statistics:
    """A data set in figures.

    Attributes:
        name: of the data set.
        path: of its file or folder.
        file_name: as of `DataSet`.
        table: its joints.
        entries: of the file.
        images: its photographs.
        labels: what is labelled.
        boxes: of what size and form.
        crowding: how crowded photographs are.
        crops: where joints lie.
        unlabelled: how many of those without labels there are by what may be why, as `WHYS`.
        crop: how those crops are made.
        kept: people that a built folder holds; None of an annotation file.
        dropped: as of `DataSet`.
        notes: what was guessed, and what was left out of figures, in sentences.
    """

    name: str
    path: str
    file_name: str
    table: KeypointTable
    entries: EntryCounts
    images: ImageFigures
    labels: LabelFigures
    boxes: BoxFigures
    crowding: CrowdingFigures
    crops: CropFigures
    unlabelled: Mapping[str, int]
    crop: CropConfig
    kept: int | None
    dropped: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def known(self) -> KnownPeople | None:
        """Return what the whole file has, where this is called as one of COCO's and has COCO's joints."""
        return KNOWN_PEOPLE.get(self.file_name) if self.table.name == COCO_17.name else None


def measure(data_set: DataSet, crop: CropConfig) -> Statistics:
    """Return a data set in figures; `crop` is how people would be cropped out of it."""
    people = data_set.people
    overlaps, not_compared = overlaps_of(people)
    crowding = crowding_figures(people, len(data_set.images), overlaps, not_compared)
    boxes, crops, labels = box_figures(people), crop_figures(people, crop), label_figures(people, crop)
    return Statistics(
        name=data_set.name,
        path=data_set.path,
        file_name=data_set.file_name,
        table=data_set.table,
        entries=data_set.entries,
        images=image_figures(data_set.sizes),
        labels=labels,
        boxes=boxes,
        crowding=crowding,
        crops=crops,
        unlabelled=count_whys(people, overlaps),
        crop=crop,
        kept=None if data_set.manifest is None else data_set.manifest.counts.people,
        dropped=data_set.dropped,
        notes=(*data_set.notes, *_left_out(boxes, crowding, crops), *_never_labelled(labels)),
    )


def _left_out(boxes: BoxFigures, crowding: CrowdingFigures, crops: CropFigures) -> list[str]:
    """Say what figures were not taken of."""
    found = []
    if unknown := boxes.people - boxes.sized:
        found.append(
            counted(
                unknown, "annotations are on photographs of unknown size: left out where the edge or the crop counts"
            )
        )
    if boxless := boxes.people - boxes.side.count:
        found.append(counted(boxless, "annotations have a box without an area: left out where its form counts"))
    if crowding.not_compared:
        found.append(
            counted(crowding.not_compared, f"annotations are on photographs with more than {MOST_COMPARED} boxes: ")
            + "their overlap was not measured"
        )
    if crops.left_out:
        found.append(
            counted(crops.left_out, "annotations with labels have no box in a photograph of known size: ")
            + "left out of where joints lie"
        )
    return found


def _never_labelled(labels: LabelFigures) -> list[str]:
    """Say what joints nobody looked for."""
    many = labels.people * len(labels.visibility) - int(labels.looked_for.sum())
    says = "joints are of no kind that the annotation's source labels: left out of how often joints are labelled"
    return [counted(many, says)] if many else []
