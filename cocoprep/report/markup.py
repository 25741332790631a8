"""HTML from data: every text goes through `text`, so that no file name or joint name can become markup."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cocoprep.checks import printable
from cocoprep.pose.nouns import Noun

NONE = "\N{EN DASH}"  # where there is no figure


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that is safe to put on the page as it is."""

    html: str


Content = Markup | str


def text(content: Content) -> str:
    """Return content as HTML: markup as it is, a plain text escaped, for element and quoted attribute alike."""
    return content.html if isinstance(content, Markup) else html.escape(printable(content), quote=True)


def join(parts: Iterable[Content], between: str = "\n") -> Markup:
    """Return contents one after the other."""
    return Markup(between.join(text(part) for part in parts))


def element(tag: str, content: Content = "", **attributes: str) -> Markup:
    """Return an element; `class_` stands for the attribute `class`."""
    named = "".join(
        f' {name.rstrip("_")}="{html.escape(printable(value), quote=True)}"' for name, value in attributes.items()
    )
    return Markup(f"<{tag}{named}>{text(content)}</{tag}>")


def table(
    head: Sequence[Content],
    rows: Iterable[Sequence[Content]],
    *,
    caption: Content = "",
    left: int = 1,
    mark: Literal["", "last", "first-figure"] = "",
) -> Markup:
    """Return a table that scrolls within itself where the page is narrow.

    Args:
        head: names of the columns.
        rows: cells; the first of each names the row.
        caption: says what one looks at.
        left: how many columns hold text and are set to the left; the others hold figures.
        mark: what stands out, the last row or the first column of figures.
    """
    heads = (element("th", name, scope="col", class_="text" if n < left else "figure") for n, name in enumerate(head))
    body = (element("tr", join((_cell(cell, n, left) for n, cell in enumerate(row)), "")) for row in rows)
    parts = [element("thead", element("tr", join(heads, ""))), element("tbody", join(body))]
    named = {"class_": f"mark-{mark}"} if mark else {}
    scrolled = element("div", element("table", join(parts), **named), class_="scroll", tabindex="0")
    return element("figure", join([element("figcaption", caption), scrolled])) if text(caption) else scrolled


def _cell(cell: Content, column: int, left: int) -> Markup:
    kind = "text" if column < left else "figure"
    return element("th", cell, scope="row", class_=kind) if column == 0 else element("td", cell, class_=kind)


def share(value: float) -> str:
    """Return a figure from 0 to 1, or a dash where there is none: NaN, or -1 as pycocotools writes it."""
    return NONE if math.isnan(value) or value < 0 else f"{value:.3f}"


def pixels(value: float) -> str:
    """Return a length in pixels."""
    return NONE if math.isnan(value) else f"{value:.1f}"


def count(value: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{value:,}"


def people(number: int, noun: Noun) -> str:
    """Return a number of people, or of whatever is counted, in words."""
    return f"{count(number)} {noun.of(number)}"


def words(name: str) -> str:
    """Return a joint's name as it is read."""
    return name.replace("_", " ")


def data_uri(data: bytes, form: str) -> str:
    """Return a picture as an address that holds it."""
    return f"data:image/{form};base64,{base64.b64encode(data).decode('ascii')}"


def picture(uri: str, alternative: str, size: tuple[int, int]) -> Markup:
    """Return an image element of `size` (width, height)."""
    words_instead = html.escape(printable(alternative), quote=True)
    return Markup(f'<img src="{uri}" alt="{words_instead}" width="{size[0]}" height="{size[1]}">')
