"""What `cocoprep check` prints."""

from __future__ import annotations

from rich.table import Table

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.say import say
from cocoprep.inspection.check.check import CheckedLabels
from cocoprep.inspection.check.suspect import KIND_MEANINGS
from cocoprep.inspection.data_set import DataSet

_FIRST = 5


def print_suspects(found: CheckedLabels, data_set: DataSet) -> None:
    """Print how many are suspected of what, and the first of them."""
    noun = data_set.table.noun
    say(f"{data_set.name}: {found.people_suspected} of {found.people} labelled {noun.many} look wrong")
    if not found.suspects:
        return
    table = Table()
    for heading in ("kind", "what", "found", "the first: id, score"):
        table.add_column(heading, justify="right" if heading == "found" else "left", overflow="fold")
    for kind, count in found.by_kind.items():
        first = [one for one in found.suspects if one.kind is kind][:_FIRST]
        table.add_row(
            kind, KIND_MEANINGS[kind], str(count), ", ".join(f"{one.own_id:.40} {one.score:.2f}" for one in first)
        )
    PlainConsole().print(table)
