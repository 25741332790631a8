"""The option `--map` of commands that take joints of one table for those of another."""

from __future__ import annotations

from cocoprep.cli.pairs import pair_option


def _parse(value: str) -> tuple[str, str] | None:
    ours, sign, theirs = value.partition("=")
    return (ours, theirs) if ours and sign else None  # "" is `NO_JOINT`


map_option = pair_option(
    "--map", "joint_map", form="OURS=THEIRS", parse=_parse,
    expected="the name of a joint of the data and that of the joint it is predicted as, such as neck=upper_neck, or "
    "neck= for none",
    twice="expected each joint of the data once, found one more often",
    about="Where joints differ: which joint of the data is which of the predicted, such as neck=upper_neck, or neck= "
    "for none; may be repeated.  [default: by name and synonym]",
)  # fmt: skip
