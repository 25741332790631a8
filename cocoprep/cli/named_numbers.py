"""Options that name something and give it a number, `NAME=NUMBER`, once for each."""

from __future__ import annotations

from collections.abc import Sequence

from cocoprep.checks import shown
from cocoprep.errors import ConfigError


def parse_named_numbers(option: str, texts: Sequence[str], *, example: str) -> dict[str, float]:
    """Return numbers by name.

    Raises:
        ConfigError: one is of no such form, or a name is there twice.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            name = ""
        if not name or name in found:
            raise ConfigError(f"{option}: expected NAME=NUMBER, such as {example}, each once, found {shown(text)}.")
        found[name] = value
    return found
