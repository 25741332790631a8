"""`cocoprep keypoints`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cocoprep.cli.say import say
from cocoprep.errors import ConfigError

if TYPE_CHECKING:
    from cocoprep.pose.keypoints import KeypointTable
    from cocoprep.storage.store import FileStore


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


def open_table(name: str, files: FileStore) -> KeypointTable:
    """Return the table of a name that comes along, or of a TOML file. Raises ConfigError where there is none."""
    from cocoprep.pose.tables import named_table, parse_table, table_names
    from cocoprep.storage.user_file import read_user_file

    if name in table_names():
        return named_table(name)
    cure = f"Give one of {', '.join(table_names())}, or such a file: `cocoprep keypoints NAME` prints one."
    data = read_user_file(name, files, "a TOML file of joints", refusal=ConfigError, option="--keypoints", cure=cure)
    return parse_table(data, name)


def _list_tables() -> None:
    from rich.table import Table

    from cocoprep.cli.console import PlainConsole
    from cocoprep.pose.tables import named_table, table_names, table_title

    rows = Table(show_header=True)
    for heading in ("table", "joints", "of", "what"):
        rows.add_column(heading)
    for name in table_names():
        table = named_table(name)
        rows.add_row(name, str(len(table)), table.category, table_title(name))
    PlainConsole().print(rows)
