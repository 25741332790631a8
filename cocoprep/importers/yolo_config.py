"""What the data.yaml of a YOLO pose data set says: classes, joints, and where each split's photographs are.

The form is Ultralytics' (docs.ultralytics.com/datasets/pose): `kpt_shape: [K, 2 or 3]`, `flip_idx`, `names`, and in
newer ones `kpt_names` by class. Without `kpt_names` nothing says what joints are called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cocoprep.errors import AnnotationError, ConfigError
from cocoprep.importers.account import Account
from cocoprep.importers.dataset import Category
from cocoprep.importers.yaml_file import read_yaml
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17, MAX_JOINTS, MAX_NAME, named_table, table_names

SPLITS = ("train", "val", "test")
_MOST_CLASSES = 1000
_Joints = Annotated[int, Meta(ge=1, le=MAX_JOINTS)]
_Dims = Annotated[int, Meta(ge=2, le=3)]
_Place = Annotated[int, Meta(ge=0, lt=MAX_JOINTS)]
_Names = list[str] | dict[int, str]


class _Config(msgspec.Struct):
    kpt_shape: tuple[_Joints, _Dims]
    names: _Names
    flip_idx: list[_Place] | None = None
    kpt_names: Any = None
    path: str = ""
    train: str | list[str] = ""
    val: str | list[str] = ""
    test: str | list[str] = ""


@dataclass(frozen=True)
class YoloConfig:
    """A data set's settings.

    Attributes:
        categories: by class number.
        numbers: K joints of so many numbers each: 2, x and y, or 3, with visibility.
        root: the folder of the data set, as the file names it.
        places: of each split, the folders or lists of photographs that the file names.
    """

    categories: tuple[Category, ...]
    numbers: tuple[int, int]
    root: str
    places: dict[str, tuple[str, ...]]


def parse_config(data: bytes, path: str, table: KeypointTable | None, account: Account) -> YoloConfig:
    """Return what a data.yaml says; `table` names the joints where the user says which.

    Raises:
        AnnotationError: it is none of a pose data set.
        ConfigError: the table has another number of joints.
    """
    try:
        found = msgspec.convert(read_yaml(data, path), _Config, strict=False)
    except msgspec.ValidationError as error:
        raise AnnotationError(
            f"{path}: not the data.yaml of a YOLO pose data set ({error!s:.300}). Expected kpt_shape, names and train."
        ) from error
    names = list(_class_names(found.names, path))
    places = {split: _listed(getattr(found, split)) for split in SPLITS}
    categories = tuple(_categories(names, found, path, table, account))
    return YoloConfig(categories, found.kpt_shape, found.path, {k: v for k, v in places.items() if v})


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return tuple(one for one in ([value] if isinstance(value, str) else value) if one not in ("", "null", "~"))


def _class_names(names: _Names, path: str) -> Iterator[str]:
    by_number = dict(enumerate(names)) if isinstance(names, list) else names
    if not by_number or sorted(by_number) != list(range(len(by_number))) or len(by_number) > _MOST_CLASSES:
        raise AnnotationError(f"{path}: names: expected up to {_MOST_CLASSES} classes, numbered from 0.")
    for number in range(len(by_number)):
        yield by_number[number][:MAX_NAME] or f"class {number}"


def _categories(
    names: list[str], found: _Config, path: str, table: KeypointTable | None, account: Account
) -> Iterator[Category]:
    joints = found.kpt_shape[0]
    if table is not None and len(table) != joints:
        raise ConfigError(f"--keypoints: {table.name} has {len(table)} joints, and kpt_shape of {path} says {joints}.")
    for number, name in enumerate(names):
        own = _own_names(found.kpt_names, number, joints)
        if table is not None:
            yield Category.of(table, name)
        elif own is not None:
            yield Category(name, own)
        else:
            yield _unnamed(name, joints, found.flip_idx, account)


def _own_names(kpt_names: Any, number: int, joints: int) -> tuple[str, ...] | None:
    if isinstance(kpt_names, dict):
        own = kpt_names.get(str(number))
    else:
        own = kpt_names[number] if isinstance(kpt_names, list) and number < len(kpt_names) else None
    if isinstance(own, list) and len(own) == joints and all(isinstance(one, str) for one in own):
        return tuple(own)
    return None


def _unnamed(name: str, joints: int, flip: list[int] | None, account: Account) -> Category:
    """Return the category of joints without names: a known table's whose mirror partners are the same, or numbers."""
    alike = _alike(name, joints, flip)
    if alike is not None:
        account.guessed.add(
            f"skeletons have no names of joints: taken for the {joints} of {alike.name}, which have the same flip_idx; "
            "--keypoints says otherwise",
            name,
        )
        return Category.of(alike, name)
    account.guessed.add(
        "skeletons have no names of joints: named by number, of two that flip_idx pairs the first as left. "
        "--keypoints names them",
        name,
    )
    partners = flip if flip is not None and _is_flip(flip, joints) else list(range(joints))
    return Category(name, tuple(_numbered(k, partner) for k, partner in enumerate(partners)))


def _alike(name: str, joints: int, flip: list[int] | None) -> KeypointTable | None:
    if flip is None:
        return None
    tables = [table for table in map(named_table, table_names()) if table.flip_index == tuple(flip)]
    tables.sort(key=lambda table: (table.category != name, table.name != COCO_17.name, table.name))
    return tables[0] if tables and tables[0].category == name and len(tables[0]) == joints else None


def _is_flip(flip: list[int], joints: int) -> bool:
    return len(flip) == joints and all(other < joints and flip[other] == k for k, other in enumerate(flip))


def _numbered(k: int, partner: int) -> str:
    if k == partner:
        return f"joint_{k}"
    return f"{'left' if k < partner else 'right'}_joint_{min(k, partner)}"
