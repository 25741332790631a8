"""What `cocoprep leaks` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from cocoprep.checks import printable
from cocoprep.cli.console import PlainConsole
from cocoprep.cli.say import say, say_note
from cocoprep.inspection.leaks import FoundLeaks
from cocoprep.inspection.listed import Listed
from cocoprep.pose.nouns import counted
from cocoprep.shards.leak_list import LeakKind


def print_leaks(found: FoundLeaks, listed: Sequence[Listed]) -> None:
    """Print how many photographs were compared, and how many are the same, by data sets and kind."""
    for one in listed:
        say(f"{one.source.name}: {len(one.photographs)} photographs of {one.source.annotations}")
    if found.flat:
        say_note(counted(found.flat, "photographs are of one grey all over, compared by the file alone"))
    if not found.leaks:
        say("No photograph was found twice.")
        return
    counts = Counter((leak.dropped.source, leak.kept.source, leak.kind) for leak in found.leaks)
    table = Table(title="photographs that are there before", title_justify="left")
    for heading in ("drop from", "kept in", *LeakKind, "all"):
        table.add_column(heading, justify="left" if heading.endswith(("from", "in")) else "right")
    for dropped, kept in dict.fromkeys((leak.dropped.source, leak.kept.source) for leak in found.leaks):
        numbers = [counts[dropped, kept, kind] for kind in LeakKind]
        table.add_row(dropped, kept, *map(str, numbers), str(sum(numbers)))
    PlainConsole().print(table)


def say_faults(faults: Sequence[str], what: str) -> None:
    """Say how many photographs something is wrong with, and with the first what."""
    if faults:
        say_note(f"warning: {counted(len(faults), what)}. The first: {printable(faults[0])}")
