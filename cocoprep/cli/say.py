"""All that a command prints passes here or through `console`: what others wrote is shown, and no terminal obeys it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

import click

from cocoprep.checks import printable
from cocoprep.errors import OutputError

MAX_SAID, BEGINNING, END = 1900, 1300, 500  # characters of an error or a warning


class Outlet:
    """Stdout or stderr, whichever they are at the time, where the device behind them may be full.

    What does not fit on stdout was asked for, so that is an error; a command goes on without what it tells of its work.
    """

    def __init__(self, *, err: bool) -> None:
        self._err = err

    def write(self, text: str) -> int:
        """Write a text."""
        with self._told():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what has been written. Raises OutputError where stdout does not take it."""
        with self._told():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def _stream(self) -> TextIO:
        return sys.stderr if self._err else sys.stdout

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self._err:
                return
            drop_stdout()
            if isinstance(error, BrokenPipeError):  # whoever read it has gone, as in `cocoprep info DIR | head`
                raise
            raise OutputError(
                f"standard output: cannot be written ({error.strerror or error}). Free some space where it goes to."
            ) from error


def drop_stdout() -> None:
    """Send nowhere what stdout still holds: at its end, Python would fail on it again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: object, *, err: bool = False) -> None:
    """Print a line, to stdout or to stderr. Raises OutputError where stdout does not take it."""
    click.echo(printable(str(text)), file=cast(TextIO, Outlet(err=err)))


def say_note(note: str) -> None:
    """Print to stderr what was guessed or found out."""
    say(as_note(note), err=True)


def as_note(note: str) -> str:
    """Return what was guessed or found out as it is printed, unless the note says itself that it is a warning."""
    return note if note.startswith("warning: ") else f"note: {note}"


def say_error(text: object) -> None:
    """Print what is wrong to stderr: of a very long text, such as one that quotes a file, beginning and end."""
    say(_within_bounds(str(text)), err=True)


def _within_bounds(text: str) -> str:
    shown = printable(text)  # which may be longer
    if len(shown) <= MAX_SAID:
        return text
    left_out = len(shown) - BEGINNING - END
    return f"{shown[:BEGINNING]} [... {left_out} characters ...] {shown[-END:]}"


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(_within_bounds(super().format(record)))


def say_warnings() -> None:
    """Have what the code below warns of printed the same way, where nobody else takes it."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Formatter())
