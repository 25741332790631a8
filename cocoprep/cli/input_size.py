"""A size of the network's input as it is given on a command line."""

from __future__ import annotations

import re
from typing import Any

import click


class InputSize(click.ParamType):  # type: ignore[type-arg]
    """A number of pixels, or height x width."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return (H, W)."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+)(?:x(\d+))?", value)
        if match is None:
            self.fail(f"{value!r}: expected a number such as 256, or height x width such as 256x192.", param, ctx)
        return int(match[1]), int(match[2] or match[1])
