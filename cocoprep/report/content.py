"""What the templates lay out: tables and pictures, as plain text and bytes. HTML is theirs alone."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image

JPEG_QUALITY = 82


@dataclass(frozen=True)
class Chart:
    """A chart as PNG, and its size in CSS pixels (width, height)."""

    png: bytes
    size: tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """A cell of more than a plain text.

    Attributes:
        text: what it says.
        small: what it says beside that, smaller.
        link: the id on the page that it leads to; empty for none.
        isolated: a stranger's text, whose direction of writing must not reach beyond it.
    """

    text: str
    small: str = ""
    link: str = ""
    isolated: bool = False


@dataclass(frozen=True)
class Table:
    """A table that scrolls within itself where the page is narrow.

    Attributes:
        head: names of the columns.
        rows: cells; the first of each names the row.
        caption: says what one looks at.
        notes: what columns mean, by their names, below the caption.
        left: how many columns hold text and are set to the left; the others hold figures.
        mark: what stands out, the last row or the first column of figures.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    caption: str = ""
    notes: Sequence[tuple[str, str]] = ()
    left: int = 1
    mark: Literal["", "last", "first-figure"] = ""


@dataclass(frozen=True)
class Picture:
    """A picture on a page.

    Attributes:
        address: holds its data, or names its file beside the page.
        size: (width, height) in CSS pixels.
    """

    address: str
    size: tuple[int, int]


def chart_picture(chart: Chart) -> Picture:
    """Return a chart whose address holds it."""
    return Picture(_data_address(chart.png, "png"), chart.size)


def photo_picture(image: Image.Image) -> Picture:
    """Return a picture of photographs as JPEG, whose address holds it."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0)  # thin coloured lines need their full colour
    return Picture(_data_address(stream.getvalue(), "jpeg"), image.size)


def _data_address(data: bytes, form: str) -> str:
    return f"data:image/{form};base64,{base64.b64encode(data).decode('ascii')}"
