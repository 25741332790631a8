"""YOLO pose: a data.yaml, photographs, and for each a text file of the same name under `labels` in place of `images`.

A line is `class cx cy w h`, then x y or x y v by joint, all divided by the photograph's size as it is shown, EXIF
applied (docs.ultralytics.com/datasets/pose; ultralytics/data/utils.py, verify_image_label). Ultralytics' converter
divides COCO's pixel indices (data/converter.py, convert_coco), so they are multiplied by the size, and nothing is
taken off. Only what lies below the folder of data.yaml is read, whatever paths it names.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from cocoprep.crops.header_size import read_size
from cocoprep.crops.photographs import open_images
from cocoprep.errors import AnnotationError, ImageError
from cocoprep.importers.account import Account
from cocoprep.importers.dataset import (
    LEADS_OUT,
    ImportedDataset,
    ImportedPerson,
    ImportedSplit,
    SplitDraft,
    without_unlabelled,
)
from cocoprep.importers.names import LONGEST_NAME, safe_name
from cocoprep.importers.photographs import Source
from cocoprep.importers.yolo_config import YoloConfig, parse_config

NOT_CARRIED = ("areas of segments, crowds, and ids of annotations",)
_READ = ("jpg", "jpeg", "png", "webp", "bmp", "mpo")
_NOT_READ = ("tif", "tiff", "dng", "heic", "heif", "pfm", "avif", "jp2")
_MOST_LABEL_BYTES = 1 << 22
_ELSEWHERE = "paths have a beginning that leads out of the folder of data.yaml: the end of each is looked for within it"


def read_yolo(source: Source) -> ImportedDataset:
    """Return the people of a data set, by its data.yaml.

    Raises:
        AnnotationError: it is none of a pose data set, or no photographs are found.
        ConfigError: the table that names the joints has another number of them.
    """
    account = Account()
    config = parse_config(source.read("the data.yaml of a YOLO data set"), source.path, source.table, account)
    splits = []
    for split, places in config.places.items():
        found = (name for place in places for name in _photographs(place, config.root, source, account))
        names = list(_once(found, account))
        if names:
            splits.append(_read_split(split, names, config, source, account))
    if not any(split.people for split in splits):
        raise AnnotationError(
            f"{source.path}: nobody can be read of its splits {', '.join(config.places) or '(none)'}. Expected folders "
            f"of photographs below {source.folder}, and labels beside them: {'; '.join(account.left_out.lines):.400}"
        )
    return ImportedDataset(config.categories, tuple(splits), account, NOT_CARRIED)


def _once(names: Iterable[str], account: Account) -> Iterator[str]:
    """Yield each name once: a list may have one twice, or lie over a folder, and its people would be there twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            account.left_out.add("photographs are named again in the same split: each is taken once", name)
            continue
        seen.add(name)
        yield name


def _photographs(place: str, root: str, source: Source, account: Account) -> Iterator[str]:
    """Yield the names of the photographs that a path of data.yaml stands for, from its folder on."""
    for inner in _tails(place, root, account):
        path = source.files.join(source.folder, inner)
        if source.files.is_folder(path):
            found = sorted(source.files.walk_names(path))
            yield from (f"{inner}/{name}" for name in _pictures(found, account))
            return
        if inner.endswith(".txt") and source.files.exists(path):
            lines = source.files.read_contained(source.folder, inner, max_bytes=_MOST_LABEL_BYTES << 4)
            for line in lines.decode("utf-8", "replace").split("\n"):
                name = safe_name(line.strip())
                if name:
                    yield name
                elif line.strip():
                    account.left_out.add(LEADS_OUT, line.strip())
            return
    account.left_out.add("folders are not there that data.yaml names for photographs", place)


def _tails(place: str, root: str, account: Account) -> Iterator[str]:
    """Yield where within the folder a path may lie: as it is spelt, then without ever more of its beginning."""
    parts = [part for part in place.replace("\\", "/").split("/") if part not in ("", ".")]
    above = [part for part in root.replace("\\", "/").split("/") if part not in ("", ".")]
    whole = [*above, *parts]
    if ".." in whole or place.startswith("/") or root.startswith("/"):
        account.guessed.add(_ELSEWHERE, f"{root}/{place}" if root else place)
    plain = [part for part in whole if part != ".." and ":" not in part and "\0" not in part]
    if len("/".join(plain)) > LONGEST_NAME:  # no such path can be there, and it would have thousands of ends
        return
    for first in range(len(plain)):
        yield "/".join(plain[first:])


def _pictures(names: Iterable[str], account: Account) -> Iterator[str]:
    for name in names:
        ending = name.rpartition(".")[2].casefold()
        if ending in _READ:
            yield name
        elif ending in _NOT_READ:
            account.left_out.add("photographs are of a kind that is not read", name)


def _read_split(split: str, names: list[str], config: YoloConfig, source: Source, account: Account) -> ImportedSplit:
    draft, there = SplitDraft(account), open_images(source.folder, source.files)
    for done, name in enumerate(names, 1):
        try:
            size, _ = read_size(name, there, "upright")
        except ImageError:
            account.left_out.add("photographs cannot be read: left out with their people", name)
            continue
        place = draft.photograph(name, *size)
        if place is not None:
            _add_people(draft, place, name, size=size, config=config, source=source)
        source.on_photograph(done, len(names))
    _count_orphans(names, source, account)
    return draft.finish(split, source.folder)


def _count_orphans(names: Iterable[str], source: Source, account: Account) -> None:
    """Count the files of labels in the same folders that are no photograph's."""
    claimed = {label_name(name) for name in names}
    for folder in sorted({label.rpartition("/")[0] for label in claimed}):
        for name in source.files.list_names(source.files.join(source.folder, folder)):
            if name.endswith(".txt") and (f"{folder}/{name}" if folder else name) not in claimed:
                account.left_out.add("label files are of no photograph of their split", f"{folder}/{name}")


def _add_people(
    draft: SplitDraft, place: int, name: str, *, size: tuple[int, int], config: YoloConfig, source: Source
) -> None:
    label = label_name(name)
    try:
        text = source.files.read_contained(source.folder, label, max_bytes=_MOST_LABEL_BYTES).decode("utf-8-sig")
    except ImageError:
        draft.account.guessed.add("photographs have no labels that can be read: listed with nobody on them", label)
        return
    except UnicodeDecodeError:
        draft.skip("label files are no text", label)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            _add_line(draft, line, f"{label}, line {number}", place=place, size=size, config=config)


def label_name(name: str) -> str:
    """Return the name of a photograph's labels: the last folder `images` is `labels`, and the ending .txt."""
    parts = name.split("/")
    last = max((k for k, part in enumerate(parts[:-1]) if part == "images"), default=None)
    if last is not None:
        parts[last] = "labels"
    return "/".join(parts).rpartition(".")[0] + ".txt"


def _add_line(
    draft: SplitDraft, line: str, where: str, *, place: int, size: tuple[int, int], config: YoloConfig
) -> None:
    joints, dims = config.numbers
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        draft.skip("label lines are no numbers", where)
        return
    if len(values) != 5 + joints * dims or not all(map(math.isfinite, values)):
        draft.skip(f"label lines have other than {5 + joints * dims} finite numbers", where)
        return
    if values[0] not in range(len(config.categories)):
        draft.skip("label lines are of a class that data.yaml does not name", where)
        return
    triples = [_triple(values[at : at + dims], size, draft.account) for at in range(5, 5 + joints * dims, dims)]
    if any(v not in (0, 1, 2) for _, _, v in triples):
        draft.skip("label lines have a visibility other than 0, 1 and 2", where)
        return
    (width, height), (x, y, w, h) = size, values[1:5]
    box = ((x - w / 2) * width, (y - h / 2) * height, w * width, h * height)
    draft.add(ImportedPerson(place, without_unlabelled(triples), box, int(values[0])))


def _triple(joint: list[float], size: tuple[int, int], account: Account) -> tuple[float, float, int]:
    x, y, *rest = joint
    if rest:
        visibility = rest[0]
        return x * size[0], y * size[1], int(visibility) if visibility.is_integer() else -1
    labelled = x >= 0 and y >= 0 and (x, y) != (0, 0)  # as Ultralytics reads what has no visibility, but for (0, 0)
    account.guessed.add("joints have no visibility: visible, or not labelled where at (0, 0) or negative")
    return x * size[0], y * size[1], 2 if labelled else 0
