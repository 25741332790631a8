"""A contact sheet: many people's crops with their joints, at one look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.checks import printable, require, require_number
from cocoprep.draw import ink
from cocoprep.draw.layout import EDGE, joint_key_width, new_page, place_joint_key
from cocoprep.draw.palette import CANONICAL, DIM_TEXT, TEXT
from cocoprep.draw.skeleton import draw_skeleton
from cocoprep.draw.text import shorten, text_width, wrap, write
from cocoprep.errors import ConfigError
from cocoprep.pose import affine
from cocoprep.pose.affine import CropWindow
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.pose.tables import COCO_17
from cocoprep.shards.dataset import ShardDataset
from cocoprep.shards.settings import table_of

SMALLEST_TILE, LARGEST_TILE = 32, 1024
MAX_SHEET_PIXELS = 1 << 27  # 400 MB as RGB: more than any viewer wants, less than a machine has
TILE_GAP = 10
HEADER = 62


@dataclass(frozen=True, slots=True)
class Tile:
    """One person of a contact sheet.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        points: (K, 2) joints in pixels of `picture`.
        visibility: (K,) 0 not labelled, 1 hidden, 2 visible.
        name: for the caption's left end.
        note: for its right end.
        margin: how far within the picture the canonical crop's rectangle is marked; 0 for not.
    """

    picture: NDArray[np.uint8]
    points: NDArray[np.floating]
    visibility: NDArray[np.integer]
    name: str
    note: str
    margin: int = 0


def spread_evenly(total: int, wanted: int) -> list[int]:
    """Return `wanted` indices spread evenly over `total`, or all of them where there are fewer."""
    count = min(total, wanted)
    return [n * total // count for n in range(count)]


def contact_sheet(
    people: Sequence[Tile],
    *,
    title: str,
    tile_px: int = 160,
    columns: int = 8,
    table: KeypointTable = COCO_17,
) -> Image.Image:
    """Return a grid of people with joints, limbs and captions, a title above.

    Args:
        people: at least one, in reading order; their pictures all have one size.
        title: the line above.
        tile_px: the longer side of a tile.
        columns: how many tiles stand in a row at most.
        table: the K joints.

    Raises:
        ConfigError: no people, or a size that makes no picture.
    """
    if not people:
        raise ConfigError("--people: expected at least one person to show, found none.")
    height, width = people[0].picture.shape[:2]
    scale = tile_px / max(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    columns = min(columns, len(people))
    rows = -(-len(people) // columns)
    lines = max(len(_caption(person, size)) for person in people)
    step = size[0] + caption_height(tile_px, lines) + TILE_GAP, size[1] + TILE_GAP
    page_size = _page_size(rows, columns, step, title, sides=table.has_pairs)
    page = new_page(*page_size)
    _write_title(page, title, sides=table.has_pairs)
    for n, person in enumerate(people):
        row, column = divmod(n, columns)
        _place_tile(page, person, (EDGE + column * step[1], EDGE + HEADER + row * step[0]), size, table)
    return page


def sheet_of(
    dataset: ShardDataset, *, people: int = 48, columns: int = 8, tile_px: int = 160, stored: bool = False
) -> Image.Image:
    """Return the contact sheet of a built folder: people spread evenly over stored order, or all if fewer.

    Args:
        dataset: the folder.
        people: how many at most.
        columns: how many tiles in a row.
        tile_px: the longer side of a tile.
        stored: show the stored crops, the canonical ones marked in them, instead of the canonical ones.

    Raises:
        ConfigError: a number that makes no picture.
        RecordError: the folder is damaged.
    """
    require_number("--people", people, 1, whole=True)
    require_number("--columns", columns, 1, whole=True)
    require_number("--tile", tile_px, SMALLEST_TILE, LARGEST_TILE, whole=True, unit="pixels")
    places = spread_evenly(len(dataset), people)
    pixels = len(places) * tile_px * (tile_px + caption_height(tile_px))
    require(pixels <= MAX_SHEET_PIXELS, "--people and --tile", f"a sheet of at most {MAX_SHEET_PIXELS} pixels", pixels)
    height, width = dataset.crop.stored_size if stored else dataset.crop.input_size
    table = table_of(dataset.manifest.keypoints)
    title = (
        f"{dataset.manifest.split}:  {len(places)} of {len(dataset)} {table.noun.many}, "
        f"{'stored' if stored else 'canonical'} crops {width} x {height}"
    )
    tiles = person_tiles(dataset, places, stored=stored)
    return contact_sheet(tiles, title=title, tile_px=tile_px, columns=columns, table=table)


def person_tiles(dataset: ShardDataset, places: Sequence[int], *, stored: bool = False) -> list[Tile]:
    """Return the tiles of the people at some places in stored order, each by the name that `cocoprep show` takes."""
    ids = dataset.annotation_ids
    names = dataset.own_names([ids[place] for place in places])
    return [_person_tile(dataset, place, name, stored=stored) for place, name in zip(places, names, strict=True)]


def _person_tile(dataset: ShardDataset, place: int, name: str, *, stored: bool) -> Tile:
    person = dataset[place]
    margin = dataset.crop.margin_px if stored else 0
    labelled = int((person["visibility"] > 0).sum())
    return Tile(
        picture=person["image"] if stored else dataset.canonical(person["image"]),
        points=affine.crop_to_stored(person["keypoints"], margin),
        visibility=person["visibility"],
        name=printable(name),
        note=f"{labelled}/{len(person['visibility'])}",
        margin=margin,
    )


def caption_height(tile_px: int, lines: int = 1) -> int:
    """Return the height of the caption below a tile."""
    return _caption_px(tile_px) + 10 + (lines - 1) * _line_px(_caption_px(tile_px))


def _line_px(size_px: int) -> int:
    return round(1.3 * size_px)


def _caption(person: Tile, size: tuple[int, int]) -> list[tuple[str, str]]:
    """Return the lines of a caption, as many as it needs: what stands to the left, what to the right."""
    size_px = _caption_px(max(size))
    room = size[1] - text_width(person.note, size_px) - 4
    if text_width(person.name, size_px) <= room:
        return [(person.name, person.note)]
    lines = wrap(person.name, size_px, size[1])
    if person.note and text_width(lines[-1], size_px) <= room:
        return [*((line, "") for line in lines[:-1]), (lines[-1], person.note)]
    return [*((line, "") for line in lines), *([("", person.note)] if person.note else [])]


def _caption_px(tile_px: int) -> int:
    return min(max(tile_px // 11, 9), 15)


def _page_size(rows: int, columns: int, step: tuple[int, int], title: str, *, sides: bool) -> tuple[int, int]:
    """Return the (W, H) of the page: wide enough for its title and key too, however few the tiles."""
    width = max(
        columns * step[1] - TILE_GAP, min(round(text_width(title, 22)), 900), joint_key_width(small=True, sides=sides)
    )
    return width + 2 * EDGE, HEADER + rows * step[0] - TILE_GAP + 2 * EDGE


def _write_title(page: Image.Image, title: str, *, sides: bool) -> None:
    write(page, (EDGE, EDGE + 8), shorten(title, 22, page.width - 2 * EDGE), 22, anchor="lm")
    place_joint_key(page, EDGE, EDGE + 22, small=True, sides=sides)


def _place_tile(
    page: Image.Image, person: Tile, at: tuple[int, int], size: tuple[int, int], table: KeypointTable
) -> None:
    height, width = person.picture.shape[:2]
    picture = draw_skeleton(person.picture, person.points, person.visibility, table=table, size=size)
    if person.margin:
        inner = [(person.margin, person.margin), (width - person.margin, height - person.margin)]
        (left, top), (right, bottom) = affine.image_to_crop(inner, CropWindow(0, 0, width, height), size)
        canvas = ink.canvas_of(picture)
        ink.box(canvas, (left, top, right, bottom), CANONICAL, width_px=1)
        picture = ink.picture_of(canvas)
    page.paste(picture, at)
    size_px = _caption_px(max(size))
    for n, (name, note) in enumerate(_caption(person, size)):
        y = at[1] + size[0] + size_px / 2 + 4 + n * _line_px(size_px)
        write(page, (at[0], y), name, size_px, colour=TEXT, anchor="lm")
        write(page, (at[0] + size[1], y), note, size_px, colour=DIM_TEXT, anchor="rm")
