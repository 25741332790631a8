"""The option `--source` of the commands that take several data sets together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cocoprep.cli.paths import check_paths
from cocoprep.errors import ConfigError

if TYPE_CHECKING:
    from cocoprep.coco.sources import Source
    from cocoprep.storage.store import FileStore

source_option = click.option(
    "--source", "sources", multiple=True, metavar="SOURCE",
    help="A data set: NAME=FOLDER in COCO's layout, NAME=ANNOTATIONS,PHOTOGRAPHS, or a .toml file of several; may be "
    "repeated.",
)  # fmt: skip


def open_sources(texts: Sequence[str], split: str | None, files: FileStore) -> list[Source]:
    """Return the data sets that values of `--source` name, in the order in which they are given.

    Args:
        texts: as given.
        split: of the folders in COCO's layout; None where each has that of its source's name, such as val2017.
        files: where paths lie.

    Raises:
        ConfigError: there are none, or too many; one is of no known form, or not there; or two have the same name.
    """
    from cocoprep.coco.sources import check_sources

    found = [source for text in texts for source in _read(text, split, files)]
    check_sources(found)
    for source in found:
        check_paths({"--source": source.annotations})
        check_paths({"--source": source.images})
    return found


def _read(text: str, split: str | None, files: FileStore) -> list[Source]:
    from cocoprep.coco.source_file import parse_source, parse_sources
    from cocoprep.storage.user_file import read_user_file

    if "=" in text or not text.endswith(".toml"):
        return [parse_source(text, split or text.partition("=")[0], files)]
    data = read_user_file(text, files, "a .toml file of data sets", refusal=ConfigError, option="--source")
    return parse_sources(data, text, files)
