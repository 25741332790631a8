"""Checks of what a user sets: one for each kind, so that all say the same of the same fault."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from cocoprep.errors import ConfigError

MOST_SHOWN = 200
MAX_BAD_FRACTION = 0.01  # of the annotations that may be faulty, and are left out, without anybody's word


# Control characters but tab and newline, what turns the direction of writing, and bytes that are no text.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a text, a stranger's perhaps, with what a terminal would obey written out, such as `\x1b`."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shown(value: object) -> str:
    """Return a value as a message shows it: as Python writes it, cut where that is long. It may be a stranger's."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested deep, or a whole number of thousands of digits
        return f"one {type(value).__name__} that is too large to show"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def require(condition: bool, option: str, expected: str, found: object) -> None:
    """Raise ConfigError, with the option's name, what was expected and what was found, unless a condition holds."""
    if not condition:
        raise ConfigError(f"{option}: expected {expected}, found {shown(found)}.")


def is_int(value: object) -> bool:
    """Tell whether a value is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def require_number(
    option: str,
    value: object,
    lowest: float = -math.inf,
    highest: float = math.inf,
    *,
    whole: bool = False,
    unit: str = "",
) -> None:
    """Raise ConfigError unless a value is a finite number, or a whole one, from `lowest` to `highest`."""
    good = is_int(value) if whole else isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = good and _is_finite(value) and lowest <= value <= highest  # type: ignore[arg-type, operator]
    bounds = "" if lowest == -math.inf else f" from {lowest}" + (" up" if highest == math.inf else f" to {highest}")
    require(fits, option, f"{'a whole number' if whole else 'a number'}{bounds}{unit and ' ' + unit}", value)


def require_share(option: str, value: object) -> None:
    """Raise ConfigError unless a value is a share of something that leaves some of it: above 0 and up to 1."""
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1
    require(fits, option, "a share above 0 and up to 1", value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold, of which a sum would fail later
        return False


def require_choice(option: str, value: object, choices: Iterable[object], cure: str = "") -> None:
    """Raise ConfigError unless a value is one of the choices; `cure` is said after the message."""
    choices = list(choices)
    if value not in choices:
        raise ConfigError(f"{option}: expected one of {', '.join(map(str, choices))}, found {shown(value)}.{cure}")
