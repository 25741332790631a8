"""Label Studio's JSON export: tasks, each with annotations whose `result` is a list of regions.

KeyPointLabels are joints and RectangleLabels boxes, in percent of the photograph's width and height
(labelstud.io/tags/keypointlabels). A joint belongs to the rectangle that its `parentID` names, as Label Studio's own
exports to COCO and YOLO demand, or that a `relation` joins it with; or to the only one. Percentages are measured from
the picture's corner: half a pixel is taken off for COCO's indices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cocoprep.errors import AnnotationError
from cocoprep.importers.account import Account
from cocoprep.importers.by_name import NamedPerson, add_named, categories_by_name
from cocoprep.importers.dataset import ImportedDataset, SplitDraft
from cocoprep.importers.json_list import read_json_list
from cocoprep.importers.label_regions import parse_region, people_of
from cocoprep.importers.names import split_name
from cocoprep.importers.photographs import Source

NOT_CARRIED = (
    "whether a joint is hidden: all labelled ones are written as visible",
    "which joints there are: those that somebody has, in the order of their names; --keypoints says another",
    "predictions, and the annotations of a task after the first that was not cancelled",
)
_TASKS = "Expected a list of tasks: export as JSON, not JSON-MIN."


class _Annotation(msgspec.Struct):
    result: list[msgspec.Raw] = []
    was_cancelled: bool | None = False


class _Task(msgspec.Struct):
    data: dict[str, Any]
    annotations: list[_Annotation] | None = None
    completions: list[_Annotation] | None = None  # what older versions call them


_decoder = msgspec.json.Decoder(_Task)


def read_labelstudio(source: Source) -> ImportedDataset:
    """Return the people of an export as JSON (not JSON-MIN).

    Raises:
        AnnotationError: it is none, or nobody in it has joints.
    """
    data = source.read("Label Studio's export as JSON")
    tasks = read_json_list(data, source.path, "Label Studio's export", _TASKS)
    draft = SplitDraft(Account())
    people = [person for raw in tasks for person in _people(raw, draft)]
    if not any(person.joints for person in people):
        told = "; ".join(draft.account.left_out.lines)
        raise AnnotationError(f"{source.path}: nobody in it has joints. Expected KeyPointLabels. {told:.400}")
    categories = categories_by_name(people, {}, {}, source.table, source.path)
    add_named(draft, people, categories, source.table)
    images = source.find_images(source.beside("images", ""))
    stem = source.path.rstrip("/").rpartition("/")[2].partition(".")[0]
    split = draft.finish(split_name(stem), images)
    return ImportedDataset(tuple(categories.values()), (split,), draft.account, NOT_CARRIED)


def _people(raw: msgspec.Raw, draft: SplitDraft) -> Iterator[NamedPerson]:
    left_out = draft.account.left_out
    try:
        task = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        left_out.add("tasks are malformed", str(error))
        return
    name = _image_name(task.data)
    annotations = [one for one in task.annotations or task.completions or [] if not one.was_cancelled]
    if name is None or not annotations:
        left_out.add("tasks have no photograph, or no annotation that was not cancelled", name)
        return
    if len(annotations) > 1:
        left_out.add("annotations are not the first of their task", name, number=len(annotations) - 1)
    regions = [region for one in annotations[0].result if (region := parse_region(one, name, left_out)) is not None]
    sizes = {region.size for region in regions if region.size is not None}
    place = draft.photograph(name, *(sizes.pop() if len(sizes) == 1 else (0, 0)))
    if place is None or sizes:
        draft.skip("tasks have several sizes of their photograph, or a name that cannot be used", name)
        return
    yield from people_of(regions, place, name, draft.account)


def _image_name(data: dict[str, Any]) -> str | None:
    """Return the photograph of a task: `image`, as templates call it, or the only text that names a picture."""
    named = data.get("image")
    if isinstance(named, str):
        return named
    endings = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
    found = [v for v in data.values() if isinstance(v, str) and v.casefold().partition("?")[0].endswith(endings)]
    return found[0] if len(found) == 1 else None
