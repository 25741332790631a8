"""A config as the TOML that `train --config` reads back as the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cocoprep.model.augment.config import STRENGTHS
from cocoprep.model.run.config import TrainConfig, to_builtins

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def config_toml(config: TrainConfig, comments: Iterable[str] = ()) -> str | None:
    """Return all settings of a config; None where TOML cannot say them, having no word for nothing.

    What is nothing by default is left out. Of augmentation, which has windows by default, a strength says so by name.
    """
    settings = to_builtins(config)
    strength = next((name for name, one in STRENGTHS.items() if one == config.augment), None)
    if strength is not None:
        settings["augment"] = strength
    elif config.augment.window_min is None:
        return None
    tables = {name: value for name, value in settings.items() if isinstance(value, dict)}
    own = {name: value for name, value in settings.items() if name not in tables}
    lines = [*(f"# {_on_one_line(comment)}" for comment in comments), *_pairs(own)]
    for name, table in tables.items():
        if table:
            lines += ["", f"[{_key(name)}]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in table.items() if value is not None]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):  # in a line, as that within a table
        return f"{{{', '.join(_pairs(value))}}}"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return _on_one_line(json.dumps(text, ensure_ascii=False))


def _on_one_line(text: str) -> str:
    """Return a text with what does not print written as TOML's escapes."""
    return "".join(
        c if c.isprintable() else f"\\u{ord(c):04X}" if ord(c) < 1 << 16 else f"\\U{ord(c):08X}" for c in text
    )
