"""The option `--visibility` of the commands that read annotation files."""

from __future__ import annotations

import re
from typing import Any

import click


class _Meaning(click.ParamType):  # type: ignore[type-arg]
    name = "V=0|1|2"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(-?\d{1,9}(?:\.\d{1,9})?)=([012])", value)
        if match is None:
            self.fail(
                f"{value!r:.100}: expected a file's number and one of COCO's, 0, 1 or 2, such as 3=1.", param, ctx
            )
        return float(match[1]), int(match[2])


def _once(_: click.Context, parameter: click.Parameter, value: tuple[tuple[float, int], ...]) -> dict[float, int]:
    meanings = dict(value)
    if len(meanings) < len(value):
        raise click.BadParameter("expected one meaning for each number, found several", param=parameter)
    return meanings


visibility_option = click.option(
    "--visibility", "visibility", type=_Meaning(), multiple=True, callback=_once,
    help="What a visibility of the annotation file means, such as 3=1: 0 not labelled, 1 hidden, 2 visible; may be "
    "repeated.",
)  # fmt: skip
