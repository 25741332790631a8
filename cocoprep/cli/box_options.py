"""The options of the commands that take a detector's boxes, but for the file itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

# Their names are those of `BoxRules`, whose defaults these repeat; None where one was not given.
_OPTIONS = {
    "box_score": click.option(
        "--box-score", type=float, metavar="S", help="Of a detector's boxes: least score.  [default: 0]"
    ),
    "max_boxes": click.option(
        "--max-boxes", type=int, metavar="N", help="Of a detector's boxes: most an image, the surest.  [default: all]"
    ),
    "box_scale": click.option(
        "--box-scale", type=float, metavar="X",
        help="Of a detector's boxes: size of the crop relative to the box.  [default: as the run was trained]",
    ),
    "rescore": click.option(
        "--rescore", type=click.Choice(["product", "joints", "box"]),
        help="A person's score in a detector's box: of the box times the joints, or one alone.  [default: product]",
    ),
    "nms": click.option(
        "--nms", type=click.Choice(["hard", "soft", "none"]),
        help="Of people found twice in a detector's boxes: drop, lower the score, or leave.  [default: hard]",
    ),
    "oks": click.option(
        "--oks", type=float, metavar="T", help="Threshold of --nms: how alike two people may be.  [default: 0.9]"
    ),
}  # fmt: skip


def box_options(command: Command) -> Command:
    """Give a command the options; it takes them by `given_rules`."""
    for option in reversed(_OPTIONS.values()):
        command = option(command)
    return command


def given_rules(options: dict[str, Any]) -> dict[str, Any]:
    """Return a command's options with those of boxes that were given as one, `box_rules`, by their names."""
    rules = {name: options[name] for name in _OPTIONS if options[name] is not None}
    return {"box_rules": rules, **{name: value for name, value in options.items() if name not in _OPTIONS}}


def option_of(name: str) -> str:
    """Return the option of a rule's name."""
    return f"--{name.replace('_', '-')}"
