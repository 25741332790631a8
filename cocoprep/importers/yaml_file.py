"""Read a small YAML file that a stranger may have written: plain values, no aliases, nothing built of its tags."""

from __future__ import annotations

from typing import Any

import yaml

from cocoprep.errors import AnnotationError

_MOST_BYTES = 1 << 18  # a thousand classes with their joints take a tenth; PyYAML reads some 100 kB a second
_MOST_DEEP = 16


def read_yaml(data: bytes, path: str) -> Any:
    """Return the one document of a file: lists, dicts by text, and text; numbers are text too.

    Raises:
        AnnotationError: it is no YAML, too large or too deep, or has an alias: of some few of them, nested, a reader
            makes more than memory holds.
    """
    if len(data) > _MOST_BYTES:
        raise AnnotationError(
            f"{path}: {len(data)} bytes, more than the {_MOST_BYTES} that a data set's YAML may have."
        )
    try:
        text = data.decode()
        _check_events(text)
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - the base loader makes text of every scalar
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise AnnotationError(f"{path}: not YAML that is read here ({said:.300}).") from error


def _check_events(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(  # noqa: TRY004 - a fault of the text
                f"it has the alias *{event.anchor}; write out what that stands for"
            )
        depth += isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent))
        depth -= isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent))
        if depth > _MOST_DEEP:
            raise ValueError(f"more than {_MOST_DEEP} levels deep")
