"""The option `--map` of commands that take joints of one table for those of another."""

from __future__ import annotations

from typing import Any

import click


class _Pair(click.ParamType):  # type: ignore[type-arg]
    name = "OURS=THEIRS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        ours, sign, theirs = value.partition("=")
        if not ours or not sign:
            self.fail(
                f"{value!r:.100}: expected the name of a joint of the data and that of the joint it is predicted as, "
                f"such as neck=upper_neck, or neck= for none.",
                param,
                ctx,
            )
        return ours, theirs  # "" is `NO_JOINT`


def _once(_: click.Context, parameter: click.Parameter, value: tuple[tuple[str, str], ...]) -> dict[str, str]:
    said = dict(value)
    if len(said) < len(value):
        raise click.BadParameter("expected each joint of the data once, found one more often", param=parameter)
    return said


map_option = click.option(
    "--map", "joint_map", type=_Pair(), multiple=True, callback=_once,
    help="Where joints differ: which joint of the data is which of the predicted, such as neck=upper_neck, or neck= "
    "for none; may be repeated.  [default: by name and synonym]",
)  # fmt: skip
