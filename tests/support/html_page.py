"""What is on an HTML page, for tests that look at it."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "img", "source", "br", "input"}


class Page(HTMLParser):
    """What is on a page: tags in order, attributes, texts, ids, links; complains where tags do not nest."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.ids, self.links, self.addresses, self.texts, self._open = [], [], [], [], [], []
        self.tables = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        named = dict(attrs)
        assert not [name for name in named if name.startswith("on")]
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if tag == "a" else []
        self.addresses += [named[name] for name in ("src", "srcset", "href", "data", "action") if name in named]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.texts.append(data)
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data

    @property
    def text(self):
        return " ".join(self.texts)

    def rows(self, name):
        """Return the rows of the tables whose first column is called so: cells by column, of each."""
        return [[dict(zip(t[0], row, strict=True)) for row in t[1:]] for t in self.tables if t[0][0] == name]
