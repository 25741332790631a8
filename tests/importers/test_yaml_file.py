"""YAML of strangers: plain values, or told what is wrong."""

from __future__ import annotations

import pytest

from cocoprep.errors import AnnotationError
from cocoprep.importers.yaml_file import read_yaml

LAUGHS = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
ODD = {
    "an alias": (b"a: &a [1]\nb: *a\n", "alias"),
    "a billion laughs": (LAUGHS.encode(), "alias"),
    "deep": (b"a: " + b"[" * 5000, "levels deep"),
    "large": (b"a: " + b"x" * 300_000, "bytes, more than"),
    "not UTF-8": (b"a: \xff\xfe\xff", "not YAML"),
    "two documents": (b"a: 1\n---\nb: 2\n", "not YAML"),
    "a control character": (b"a: \x07\n", "not YAML"),
    "no YAML": (b"a: [1, 2\nb: }", "not YAML"),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_not_read_is_told(case):
    data, says = ODD[case]
    with pytest.raises(AnnotationError, match=says) as caught:
        read_yaml(data, "data.yaml")
    assert len(str(caught.value)) < 500


def test_every_value_is_text_and_no_tag_builds_anything():
    data = b"a: 017\nb: 2026-13-99\nc: !!python/object/apply:os.system [ls]\nd: {0: yes}\n"
    assert read_yaml(data, "x") == {"a": "017", "b": "2026-13-99", "c": ["ls"], "d": {"0": "yes"}}
