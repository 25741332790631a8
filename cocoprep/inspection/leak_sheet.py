"""The pairs that were found, side by side on one sheet, the most doubtful first: for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from cocoprep.draw.layout import EDGE, GAP, message_picture, new_page
from cocoprep.draw.palette import DIM_TEXT
from cocoprep.draw.text import shorten, write
from cocoprep.errors import ImageError
from cocoprep.inspection.listed import Listed
from cocoprep.inspection.opened import Opener, read_pixels
from cocoprep.shards.leak_list import Leak, Leaked

MOST_PAIRS = 60
_COLUMNS = 4
_SIDE = 190  # pixels of a photograph
_WITHIN = 6  # between the two of a pair: less than between pairs
_HEADER, _CAPTION = 44, 56
_TITLE_PX, _TEXT_PX = 22, 13


def draw_leaks(leaks: Sequence[Leak], listed: Sequence[Listed], opener: Opener) -> Image.Image:
    """Return a sheet of pairs: on the left what is kept, on the right what is to be dropped.

    Args:
        leaks: one at least; of more than `MOST_PAIRS`, those that are least alike are drawn.
        listed: the data sets.
        opener: opens photographs.
    """
    shown = sorted(leaks, key=lambda leak: leak.alike)[:MOST_PAIRS]
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    step = 2 * _SIDE + _WITHIN + GAP, _SIDE + _CAPTION
    page = new_page(2 * EDGE + max(columns, 2) * step[0] - GAP, 2 * EDGE + _HEADER + rows * step[1])
    title = f"{len(shown)} of {len(leaks)} pairs, the most doubtful first: left kept, right to be dropped"
    write(page, (EDGE, EDGE + 8), shorten(title, _TITLE_PX, page.width - 2 * EDGE), _TITLE_PX, anchor="lm")
    places = _Places(listed, opener)
    for number, leak in enumerate(shown):
        row, column = divmod(number, columns)
        _place_pair(page, leak, (EDGE + column * step[0], EDGE + _HEADER + row * step[1]), places)
    return page


class _Places:
    """Finds the photographs of pairs."""

    def __init__(self, listed: Sequence[Listed], opener: Opener) -> None:
        self._opener = opener
        self._places = {
            (one.source.name, photograph.image_id): (one.source.images, photograph.name)
            for one in listed
            for photograph in one.photographs
        }

    def picture(self, leaked: Leaked) -> Image.Image:
        """Return a photograph that fits a tile; where it cannot be read, why not."""
        path, name = self._places[leaked.source, leaked.image_id]
        try:
            picture = read_pixels(self._opener.open(path), name)
        except ImageError as error:
            return message_picture(str(error), (_SIDE, _SIDE))
        scale = _SIDE / max(picture.size)
        return picture.resize([max(1, round(side * scale)) for side in picture.size])


def _place_pair(page: Image.Image, leak: Leak, at: tuple[int, int], places: _Places) -> None:
    left, top = at
    for leaked, x in ((leak.kept, left), (leak.dropped, left + _SIDE + _WITHIN)):
        page.paste(places.picture(leaked), (x, top))
        name = shorten(f"{leaked.source} {leaked.file_name}", _TEXT_PX, _SIDE - 4)
        write(page, (x, top + _SIDE + 10), name, _TEXT_PX, anchor="lm")
    said = f"{leak.kind}, alike {leak.alike:.3f}, {leak.bits} bits apart"
    write(page, (left, top + _SIDE + 28), said, _TEXT_PX, colour=DIM_TEXT, anchor="lm")
