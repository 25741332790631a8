"""`cocoprep keypoints`."""

from __future__ import annotations

import click

from cocoprep.cli.console import PlainConsole
from cocoprep.cli.say import say


@click.command("keypoints")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the keypoint tables that come along, or print one, as TOML, with the source of its numbers.

    A table printed into a file is a start for one of your own joints.
    """
    from cocoprep.pose.tables import named_table, table_source

    if name is not None:
        named_table(name)
        say(table_source(name).decode().rstrip("\n"))
        return
    _list_tables()


def _list_tables() -> None:
    from rich.table import Table

    from cocoprep.pose.tables import named_table, table_names, table_title

    rows = Table(show_header=True)
    for heading in ("table", "joints", "of", "what"):
        rows.add_column(heading)
    for name in table_names():
        table = named_table(name)
        rows.add_row(name, str(len(table)), table.category, table_title(name))
    PlainConsole().print(rows)
