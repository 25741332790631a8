"""What leads a newcomer through the code is true: the map, the walks, the links."""

from __future__ import annotations

import re

import pytest

from docs.draw_rooms import TARGET, draw_rooms
from tests.support.rooms import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def links_of(page):
    """Return what a page's links show, the file that each names, and the heading in it."""
    found = [(shown, *link.partition("#")[::2]) for shown, link in LINK.findall(page.read_text())]
    return [(shown, page.parent / name if name else page, heading) for shown, name, heading in found if ":" not in name]


def test_the_map_is_drawn_from_the_imports():
    fresh = TARGET.read_text() == draw_rooms()
    assert fresh, "docs/rooms.svg is not what the code is now: draw it again with `python -m docs.draw_rooms`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for shown, target, heading in links_of(page):
        assert target.exists(), f"{page.name}: [{shown}] leads to {target}, where nothing is"
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading in anchors, f"{page.name}: [{shown}] leads to #{heading}, which {target.name} has not"


def test_the_walks_name_what_is_defined():
    named = [(shown.strip("`"), target) for shown, target, _ in links_of(ROOT / "docs/development.md") if "`" in shown]
    assert len(named) > 30
    for name, target in named:
        if "/" not in name:
            defined = re.search(rf"^(class|def) {re.escape(name)}\b", target.read_text(), re.MULTILINE)
            assert defined, f"docs/development.md: {name} is not in {target.relative_to(ROOT)}"
