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
@click.option("--from", "source", metavar="FILE", help="Print the joints of an annotation file instead, to be edited.")
@click.option("--category", metavar="NAME", help="Of --from: the category, or 'all'.  [default: as build]")
def command(name: str | None, source: str | None, category: str | None) -> None:
    """List the keypoint tables that come along, or print one, as TOML, with the source of its numbers.

    A table printed into a file is a start for one of your own joints: edit it, and give it to build --keypoints.
    """
    from cocoprep.pose.tables import named_table, table_source

    if name is not None and source is not None:
        raise ConfigError("--from: expected a table's name or an annotation file, found both. Leave one out.")
    if category is not None and source is None:
        raise ConfigError("--category: is of the annotation file that --from names; found none.")
    if source is not None:
        _print_found(source, category)
        return
    if name is not None:
        named_table(name)
        say(table_source(name).decode().rstrip("\n"))
        return
    _list_tables()


def _print_found(path: str, category: str | None) -> None:
    from cocoprep.coco.annotations import parse_annotation_file
    from cocoprep.pose.table_text import table_toml
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.storage.user_file import read_user_file

    data = read_user_file(path, AnyFiles(), "a COCO keypoints file", refusal=ConfigError, option="--from")
    joints = parse_annotation_file(data, path, category=category).joints
    table = joints.table
    comments = [
        f"The {len(table)} joints of {joints.category_name!r:.100} in {path}, as cocoprep found them.",
        *(f"- {note}" for note in joints.notes or ["nothing was guessed: they are a known table's"]),
        "Look mirror partners, head, torso and sigmas over, change what is wrong, and build --keypoints THIS-FILE.",
    ]
    say(table_toml(table, comments).rstrip("\n"))


def open_table(name: str, files: FileStore, *, option: str = "--keypoints") -> KeypointTable:
    """Return the table of a name that comes along, or of a TOML file. Raises ConfigError where there is none."""
    from cocoprep.pose.tables import named_table, parse_table, table_names
    from cocoprep.storage.user_file import read_user_file

    if name in table_names():
        return named_table(name)
    cure = f"Give one of {', '.join(table_names())}, or such a file: `cocoprep keypoints NAME` prints one."
    data = read_user_file(name, files, "a TOML file of joints", refusal=ConfigError, option=option, cure=cure)
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
