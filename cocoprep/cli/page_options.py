"""The options of commands that write the page of a data set, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from cocoprep.errors import ConfigError


def page_options(holds: str) -> Callable[[Any], Any]:
    """Return what adds `--page` and `--page-people` to a command; `holds` says what its page shows."""

    def add(command: Any) -> Any:
        people = click.option(
            "--page-people",
            metavar="N",
            type=click.IntRange(1, 100_000),
            help="People in its gallery.  [default: 2000]",
        )
        return click.option("--page", metavar="FILE", help=holds)(people(command))

    return add


def check_page(page: str | None, people: int | None) -> None:
    """Raise ConfigError where a page is no HTML file, or only the number of its people is given."""
    if people is not None and page is None:
        raise ConfigError("--page-people: is of the gallery of --page; found none. Add --page with a file to write.")
    if page is not None and not page.lower().endswith((".html", ".htm")):
        raise ConfigError(f"--page: expected a file that ends in .html, found {page}.")
