"""Draw docs/rooms.svg, the map of the rooms, from the imports in the code: `python -m docs.draw_rooms`.

A room stands one row above the highest that it imports. Arrows that follow from others are left out, and so are those
of the ground, which everybody may import, and of the roof, which may import everybody.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import combinations
from pathlib import Path

from tests.support.rooms import GROUND, MODULES, room_of, rooms_used

TARGET = Path(__file__).with_name("rooms.svg")
ROOF, WINGS = "cli", ("pipelines", "model")

# In pixels, as it is shown at its full width.
WIDTH, MARGIN, GUTTER, GAP = 1000, 22, 30, 34
LINE, PADDING, LETTER = 15, 9, 6.2
LANE = 7  # between arrows that go down side by side

STYLE = """
text { font: 12px Helvetica, Arial, sans-serif; fill: #444 }
.name { font-weight: bold; font-size: 13.5px; fill: #111 }
.count { text-anchor: end; font-size: 11px }
.paper { fill: #fff }
.core { fill: #eef2f7; stroke: #7b8ba0 }
.pipelines { fill: #fdf0df; stroke: #c38a3c }
.model { fill: #e8f4ea; stroke: #5d9a68 }
.arrow { fill: none; stroke: #666; stroke-width: 1.4 }
.head { fill: #666 }
@media (prefers-color-scheme: dark) {
text { fill: #c3c8ce }
.name { fill: #fff }
.paper { fill: #0d1117 }
.core { fill: #1c2430; stroke: #7b8ba0 }
.pipelines { fill: #33260f; stroke: #c38a3c }
.model { fill: #14291a; stroke: #5d9a68 }
.arrow { stroke: #aab }
.head { fill: #aab }
}
"""

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A room in the picture."""

    room: str
    lines: tuple[str, ...]
    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Return its centre, from left to right."""
        return self.left + self.width / 2

    @property
    def bottom(self) -> float:
        """Return its lower edge."""
        return self.top + self.height

    def is_hit(self, start: Point, end: Point) -> bool:
        """Return whether a straight line, looked at every few pixels, goes through it or close by."""
        steps = range(1, 200)
        points = [(start[0] + (end[0] - start[0]) * s / 200, start[1] + (end[1] - start[1]) * s / 200) for s in steps]
        return any(
            self.left - 6 < x < self.left + self.width + 6 and self.top - 3 < y < self.bottom + 3 for x, y in points
        )


def without_detours(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports that do not follow from others."""

    def below(room: str) -> set[str]:
        return imports[room].union(*(below(other) for other in imports[room]))

    return {
        room: {name for name in others if not any(name in below(other) for other in others)}
        for room, others in imports.items()
    }


def rows_of(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the rooms row by row, the lowest first: each just above the highest that it imports."""

    def height(room: str) -> int:
        return 1 + max(map(height, imports[room]), default=-1)

    rows: list[list[str]] = [[] for _ in range(1 + max(map(height, imports)))]
    for room in sorted(imports):
        rows[height(room)].append(room)
    return rows


def wing_of(room: str) -> str:
    """Return what a room belongs to: model, pipelines or the core."""
    wing = room.partition(".")[0]
    return wing if wing in WINGS else "core"


def columns_of(rows: list[list[str]], imports: dict[str, set[str]]) -> tuple[dict[str, int], int]:
    """Return each room's column and how many there are: the model's to the right, each room above those it imports."""

    def side(room: str) -> bool:
        return wing_of(room) == "model"

    left, right = (max(sum(side(room) is of for room in row) for row in rows) for of in (False, True))
    columns: dict[str, int] = {}
    for row in rows:
        for of, places in ((False, range(left)), (True, range(left, left + right))):
            wish = {
                room: sum(columns[other] for other in imports[room]) / len(imports[room]) if imports[room] else 0
                for room in row
                if side(room) is of
            }
            rooms = sorted(wish, key=lambda room: (wish[room], room))
            costs = {
                taken: sum(abs(wish[room] - column) for room, column in zip(rooms, taken, strict=True))
                for taken in combinations(places, len(rooms))
            }
            columns.update(zip(rooms, min(costs, key=lambda taken: (costs[taken], taken)), strict=True))
    return columns, left + right


def sentence_of(room: str) -> str:
    """Return the first sentence of a room's docstring."""
    if room == "ground":
        return f"{', '.join(sorted(GROUND))}: what everybody may import."
    text = ast.get_docstring(ast.parse(MODULES[f"cocoprep.{room}"].read_text())) or ""
    sentence = text.split("\n")[0].split(". ")[0].rstrip(".").replace("`", "") + "."
    return sentence + " It may import every room, and nobody imports it." if room == ROOF else sentence


def place_boxes(imports: dict[str, set[str]]) -> list[Box]:
    """Return the boxes, the roof first and the ground last."""
    inner = {room: others - {ROOF} for room, others in imports.items() if room not in (ROOF, "ground")}
    rows = rows_of(inner)
    columns, count = columns_of(rows, without_detours(inner))
    wide = WIDTH - 2 * MARGIN
    narrow = (wide - (count - 1) * GUTTER) / count
    boxes: list[Box] = []
    top = MARGIN
    for row in [[ROOF], *reversed(rows), ["ground"]]:
        width = wide if row in ([ROOF], ["ground"]) else narrow
        texts = {room: tuple(textwrap.wrap(sentence_of(room), int((width - 2 * PADDING) / LETTER))) for room in row}
        height = LINE * (1 + max(map(len, texts.values()))) + 2 * PADDING
        boxes += [
            Box(room, texts[room], MARGIN + columns.get(room, 0) * (narrow + GUTTER), top, width, height)
            for room in row
        ]
        top += height + GAP
    return boxes


def routes(boxes: list[Box], imports: dict[str, set[str]]) -> Iterator[list[Point]]:
    """Yield each arrow's corners: from box to box, or, where one is in the way, down the gutter beside its target."""
    arrows = [(source, target) for source in boxes for target in boxes if target.room in imports.get(source.room, ())]
    lanes: dict[float, int] = {}
    for source, target in arrows:
        leaving = sorted((t for s, t in arrows if s == source), key=lambda box: (box.middle, box.top))
        coming = sorted((s for s, t in arrows if t == target), key=lambda box: (box.middle, box.top))
        start = (_share(source, leaving.index(target), len(leaving)), source.bottom)
        end = (_share(target, coming.index(source), len(coming)), target.top)
        if not any(box.is_hit(start, end) for box in boxes if box not in (source, target)):
            yield [start, end]
            continue
        right, left = target.left + target.width + GUTTER / 2, target.left - GUTTER / 2
        gutter = right if source.middle >= target.middle and right < WIDTH - MARGIN else left
        lane = lanes[gutter] = lanes.get(gutter, -1) + 1
        x = gutter + LANE * (-(lane // 2) - 1 if lane % 2 else lane // 2)
        above, below = source.bottom + GAP / 2, target.top - GAP / 2
        yield [start, (start[0], above), (x, above), (x, below), (end[0], below), end]


def _share(box: Box, number: int, of: int) -> float:
    """Return where the arrows of a box leave or come: side by side about its middle."""
    return box.middle + (number - (of - 1) / 2) * min(40, box.width / of)


def arrow_lines(corners: list[Point], radius: float = 7) -> Iterator[str]:
    """Yield an arrow: a curve, or a line with rounded corners, and its head."""
    (x, y), (tip_x, tip_y) = corners[0], corners[-1]
    path = f"M{x:.1f} {y:.1f}"
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        near, far = (_towards(corner, other, radius) for other in (before, after))
        path += f" L{near[0]:.1f} {near[1]:.1f} Q{corner[0]:.1f} {corner[1]:.1f} {far[0]:.1f} {far[1]:.1f}"
    neck = tip_y - 8
    if len(corners) == 2:
        path += f" C{x:.1f} {y + GAP / 2:.1f} {tip_x:.1f} {neck - GAP / 2:.1f} {tip_x:.1f} {neck:.1f}"
    else:
        path += f" L{tip_x:.1f} {neck:.1f}"
    yield f'<path class="arrow" d="{path}"/>'
    yield f'<path class="head" d="M{tip_x:.1f} {tip_y:.1f}l-4 -9h8z"/>'


def _towards(start: Point, end: Point, length: float) -> Point:
    distance = max(((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5, 1e-9)
    share = min(length / distance, 0.5)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def box_lines(box: Box) -> Iterator[str]:
    """Yield a box with its room's name, how many modules it has, and what it is for."""
    shape = f'x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="5"'
    yield f'<rect class="{wing_of(box.room)}" {shape}/>'
    left, line = box.left + PADDING, box.top + PADDING + LINE - 4
    yield f'<text class="name" x="{left:.1f}" y="{line:.1f}">{escape(box.room)}</text>'
    count = sum(room_of(module) == box.room and path.name != "__init__.py" for module, path in MODULES.items())
    right = box.left + box.width - PADDING
    yield f'<text class="count" x="{right:.1f}" y="{line:.1f}">{count} module{"s" * (count != 1)}</text>'
    for number, text in enumerate(box.lines, 1):
        yield f'<text x="{left:.1f}" y="{line + LINE * number:.1f}">{escape(text)}</text>'


def draw_rooms() -> str:
    """Return the map as SVG."""
    imports = rooms_used()
    boxes = place_boxes(imports)
    inner = {room: others for room, others in imports.items() if room not in (ROOF, "ground")}
    bottom = boxes[-1].bottom + MARGIN
    size = f'width="{WIDTH}" height="{bottom:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {bottom:.0f}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" {size}/>',
    ]
    for corners in routes(boxes, without_detours(inner)):
        lines += arrow_lines(corners)
    for box in boxes:
        lines += box_lines(box)
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    TARGET.write_text(draw_rooms())
