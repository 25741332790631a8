"""All that a command prints passes here or through `console`: what others wrote is shown, and no terminal obeys it."""

from __future__ import annotations

import logging
import re

import click

# Control characters but tab and newline, what turns the direction of writing, and bytes that are no text.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a text with what a terminal would obey written out, such as `\x1b`."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(text: object, *, err: bool = False) -> None:
    """Print a line, to stdout or to stderr."""
    click.echo(printable(str(text)), err=err)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def say_warnings() -> None:
    """Have what the code below warns of printed the same way, where nobody else takes it."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Formatter())
