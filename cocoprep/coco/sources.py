"""The data sets that one build takes together: what each is called, where it lies, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cocoprep.checks import require, require_number

MAX_SOURCES = 100
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
VISIBILITY = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?", re.ASCII)  # of a file, where a user says what it means


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One annotation file with its photographs, and how it is read.

    Attributes:
        name: what it is called; empty where there is only one.
        annotations: path of the COCO keypoints file.
        images: path of the folder, zip or tar of photographs.
        category: whose entries are read; None for the person, or the only one with joints.
        joints: names of its joints by those that they become, where names do not say it; "" for none.
        visibility: what visibilities of the file mean, 0, 1 or 2, where they are others.
        weight: how often a person of it is seen in training, against one of a source of weight 1.
    """

    name: str = ""
    annotations: str
    images: str
    category: str | None = None
    joints: Mapping[str, str] = field(default_factory=dict)
    visibility: Mapping[float, int] = field(default_factory=dict)
    weight: float = 1.0

    def __post_init__(self) -> None:
        for option, path in (("--annotations", self.annotations), ("--images", self.images)):
            # The manifest names them, and its JSON is UTF-8.
            require(not any("\ud800" <= c <= "\udfff" for c in path), option, "a path in UTF-8", path)
        require_number(f"weight of {self.name!r:.100}" if self.name else "weight", self.weight, 1e-3, 1e3)
        for theirs, ours in self.visibility.items():
            require_number("visibility", theirs)
            require(ours in (0, 1, 2), f"visibility {theirs:g}", "a meaning of 0, 1 or 2", ours)


def check_sources(sources: Sequence[Source]) -> None:
    """Raise ConfigError where sources cannot be told apart, or are none."""
    names = [source.name for source in sources]
    require(0 < len(names) <= MAX_SOURCES, "--source", f"1 to {MAX_SOURCES} sources", len(names))
    for name in names:
        require(NAME.fullmatch(name) is not None, "--source", "names of ASCII letters, digits, '-' and '_'", name)
        require(names.count(name) == 1, "--source", "each name once", [name] * names.count(name))
