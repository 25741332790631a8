"""Tables of figures on the terminal: split, not cut, where it is narrow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

NONE = "-"
Columns = Mapping[str, Sequence[str]]


_GAP = 2  # between columns


def print_table(title: str, names: Sequence[str], columns: Columns, console: Console) -> None:
    """Print a table after an empty line, in as many parts, one below the other, as it takes to fit the width."""
    first = max(map(len, (title, *names)))
    parts: list[dict[str, Sequence[str]]] = [{}]
    used = first
    for heading, cells in columns.items():
        width = max(len(heading), *map(len, cells)) + _GAP
        if parts[-1] and used + width > console.width:
            parts.append({})
            used = first
        parts[-1][heading] = cells
        used += width
    for part in parts:
        table = Table(box=None, padding=(0, 0, 0, _GAP), pad_edge=False)
        table.add_column(title, overflow="fold")
        for heading in part:
            table.add_column(heading, justify="right", overflow="fold")
        for row, name in enumerate(names):
            table.add_row(name, *(cells[row] for cells in part.values()))
        console.print()
        console.print(table)


def share(value: float) -> str:
    """Return a figure from 0 to 1, or a dash where there is none: NaN, or -1 as pycocotools writes it."""
    return NONE if math.isnan(value) or value < 0 else f"{value:.4f}"
