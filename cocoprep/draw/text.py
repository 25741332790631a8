"""Text on pictures, in the one font that Pillow carries itself."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from cocoprep.draw.palette import TEXT, Colour

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
LINE_HEIGHT = 1.42
ELLIPSIS = "..."


@lru_cache(maxsize=32)
def font(size_px: int) -> Font:
    """Return the font at a size."""
    return ImageFont.load_default(size_px)


def drawable(text: str) -> str:
    """Return a text as this font can show it: it has no other letters than ASCII's, and a newline moves the pen."""
    return "".join(c if " " <= c <= "~" or c == "·" else "?" for c in text)


def text_width(text: str, size_px: int) -> float:
    """Return the width of a text in pixels."""
    return font(size_px).getlength(drawable(text))


def shorten(text: str, size_px: int, width_px: float) -> str:
    """Return a text that fits a width, its middle left out where it is too long: names differ at their ends."""
    if text_width(text, size_px) <= width_px:
        return text
    # A glyph is never narrower than a pixel: what cannot fit is cut before it is measured.
    kept = min(len(text) - 1, max(int(width_px), 0))
    while kept > 0:
        head = (kept + 1) // 2
        candidate = text[:head] + ELLIPSIS + text[len(text) - (kept - head) :]
        if text_width(candidate, size_px) <= width_px:
            return candidate
        kept -= 1
    return ""


def wrap(text: str, size_px: int, width_px: float) -> list[str]:
    """Break a text into lines that fit a width, within a word where the word alone is too long."""
    lines = [""]
    for word in text.split():
        rest = word
        joined = f"{lines[-1]} {rest}".strip()
        if text_width(joined, size_px) <= width_px:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        while len(rest) > 1 and text_width(rest, size_px) > width_px:
            cut = next((n for n in range(1, len(rest)) if text_width(rest[: n + 1], size_px) > width_px), 1)
            lines[-1] = rest[:cut]
            lines.append("")
            rest = rest[cut:]
        lines[-1] = rest
    return lines


def write(
    image: Image.Image,
    at: tuple[float, float],
    text: str,
    size_px: int,
    *,
    colour: Colour = TEXT,
    anchor: str = "la",
) -> None:
    """Paint one line of text in place. `anchor` is Pillow's: `la` top left, `lm` left middle, `mm` middle."""
    ImageDraw.Draw(image).text(at, drawable(text), font=font(size_px), fill=colour, anchor=anchor)


def write_lines(
    image: Image.Image, at: tuple[float, float], lines: list[str], size_px: int, *, colour: Colour = TEXT
) -> float:
    """Paint lines of text under each other in place; return the y below the last."""
    x, y = at
    for one in lines:
        write(image, (x, y), one, size_px, colour=colour)
        y += round(size_px * LINE_HEIGHT)
    return y
