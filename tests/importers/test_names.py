"""Names of photographs are relative, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoprep.crops.image_source import check_file_name
from cocoprep.importers.names import safe_name, split_name

NAMES = {
    "a.jpg": "a.jpg",
    "images/a.jpg": "images/a.jpg",
    "./images//a.jpg": "images/a.jpg",
    "images\\a.jpg": "images/a.jpg",
    "/home/me/a.jpg": "home/me/a.jpg",
    "C:\\data\\a.jpg": "data/a.jpg",
    "https://host/x/a%20b.jpg?w=640": "x/a b.jpg",
    "s3://bucket/x/a.jpg": "x/a.jpg",
    "/data/local-files/?d=photos/a%20b.jpg": "photos/a b.jpg",
    "../a.jpg": None,
    "a/../../etc/passwd": None,
    "https://host/%2e%2e/a.jpg": None,
    "/data/local-files/?d=../../etc/passwd": None,
    "": None,
    "/": None,
    "..": None,
    "a\0b.jpg": None,
    "\ud800.jpg": None,
    "x" * 5000: None,
}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:40])
def test_names(name):
    assert safe_name(name) == NAMES[name]


@given(st.text() | st.text("./\\:?%2eCd=", max_size=30))
def test_no_name_leads_out(name):
    found = safe_name(name)
    if found is not None:
        check_file_name(found)
        assert ".." not in found.split("/")


@pytest.mark.parametrize(("text", "name"), [("train", "train"), ("../x y", "x_y"), ("", "data"), ("ä" * 300, "data")])
def test_splits_have_names_of_files(text, name):
    assert split_name(text) == name
