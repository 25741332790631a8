"""Options whose values are pairs, such as `--map neck=upper_neck`: may be repeated, each key once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Pair = tuple[Any, Any]


class _PairType(click.ParamType):  # type: ignore[type-arg]
    def __init__(self, name: str, parse: Callable[[str], Pair | None], expected: str) -> None:
        self.name, self._parse, self._expected = name, parse, expected

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Pair:
        if isinstance(value, tuple):
            return value
        found = self._parse(value)
        if found is None:
            self.fail(f"{value!r:.100}: expected {self._expected}.", param, ctx)
        return found


def pair_option(
    *names: str, form: str, parse: Callable[[str], Pair | None], expected: str, twice: str, about: str
) -> Callable[[Any], Any]:
    """Return an option that gives a dict.

    Args:
        names: of the option, as click takes them.
        form: of a value, such as `OURS=THEIRS`.
        parse: makes the pair of a value; None where it is none.
        expected: what a value should be, in words.
        twice: what is said of a key that is there twice.
        about: what the option is for.
    """

    def once(_: click.Context, parameter: click.Parameter, pairs: tuple[Pair, ...]) -> dict[Any, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise click.BadParameter(twice, param=parameter)
        return found

    return click.option(*names, type=_PairType(form, parse, expected), multiple=True, callback=once, help=about)
