"""A keypoint table as the TOML that is read as one, for a user to edit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from cocoprep.pose.keypoints import Joint, KeypointTable


def table_toml(table: KeypointTable, comments: Iterable[str] = ()) -> str:
    """Return a table as TOML that `parse_table` reads back as the same, with lines of comment above it."""
    pairs = [_list(map(_quoted, pair)) for pair in table.limbs]
    lines = [
        *(f"# {_on_one_line(comment)}" for comment in comments),
        f"name = {_quoted(table.name)}",
        f"category = {_quoted(table.category)}",
        "# The longest distance among these is the size of the head; none where it has no size.",
        f"head = {_list(map(_quoted, table.head))}",
        "# The mean distance of these pairs is the length of the torso; none where it has none.",
        f"torso = {_list(_list(map(_quoted, pair)) for pair in table.torso)}",
        *_rows("limbs", pairs),
        "# In the order of the arrays. mirror: the joint that this one becomes in a mirror, if another.",
        *_rows("joints", list(map(_joint, table.joints))),
    ]
    return "\n".join(lines) + "\n"


def _joint(joint: Joint) -> str:
    fields = [f"name = {_quoted(joint.name)}"]
    if joint.partner != joint.name:
        fields.append(f"mirror = {_quoted(joint.partner)}")
    fields.append(f"sigma = {joint.oks_sigma!r}")
    if joint.synonyms:
        fields.append(f"synonyms = {_list(map(_quoted, joint.synonyms))}")
    return "{" + ", ".join(fields) + "}"


def _rows(name: str, rows: Sequence[str]) -> list[str]:
    return [f"{name} = [", *(f"  {row}," for row in rows), "]"] if rows else [f"{name} = []"]


def _list(parts: Iterable[str]) -> str:
    return f"[{', '.join(parts)}]"


def _quoted(text: str) -> str:
    return _on_one_line(json.dumps(text, ensure_ascii=False))


def _on_one_line(text: str) -> str:
    """Return a text with what does not print written as TOML's escapes."""
    return "".join(
        c if c.isprintable() else f"\\u{ord(c):04X}" if ord(c) < 1 << 16 else f"\\U{ord(c):08X}" for c in text
    )
