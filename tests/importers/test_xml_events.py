"""XML of strangers: elements in order, and nothing that a DOCTYPE could define."""

from __future__ import annotations

import pytest

from cocoprep.errors import AnnotationError
from cocoprep.importers.xml_events import read_xml


class Heard:
    def __init__(self):
        self.events = []

    def begin(self, name, attributes):
        self.events.append((name, dict(attributes)))

    def end(self, name, text):
        self.events.append((name, text))


LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>'
ODD = {
    "a DOCTYPE": (b"<!DOCTYPE a><a/>", "DOCTYPE"),
    "entities": (LAUGHS, "DOCTYPE"),
    "a file as an entity": (b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>', "DOCTYPE"),
    "an entity of nowhere": (b"<a>&f;</a>", "undefined entity"),
    "deep": (b"<a>" * 5000, "more than 32 deep"),
    "nothing": (b"", "no element found"),
    "cut short": (b"<a><b>", "no element found"),
    "two roots": (b"<a/><b/>", "junk after"),
    "no XML": (b"{}", "not well-formed"),
    "another encoding": (b'<?xml version="1.0" encoding="latin-1"?><a>\xe9</a>', "not well-formed"),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_not_read_is_told(case):
    data, says = ODD[case]
    with pytest.raises(AnnotationError, match=says):
        read_xml(data, "a.xml", Heard())


def test_elements_are_told_in_order_with_their_text():
    heard = Heard()
    read_xml(b'\xef\xbb\xbf<a x="1">one<b>&lt;two&gt;</b>three</a>', "a.xml", heard)
    assert heard.events == [("a", {"x": "1"}), ("b", {}), ("b", "<two>"), ("a", "onethree")]


def test_of_endless_text_no_more_than_a_million_characters_are_kept():
    heard = Heard()
    read_xml(b"<a>" + b"x" * 5_000_000 + b"</a>", "a.xml", heard)
    assert len(heard.events[-1][1]) <= 1_200_000
