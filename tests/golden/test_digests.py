"""What a build writes, byte by byte: a change to these digests is a change to what people have built.

`digests.json` holds them for each set of versions that decides bytes. Where bytes are meant to change, or other
versions are installed, `python -m tests.golden.make` enters them anew; look at what `git diff` shows of it. Where
`test_the_drawing` fails, the sample is drawn otherwise and says nothing of the build.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import make

COMMAND = "`python -m tests.golden.make`"
CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "coco"
    make.draw_sample(folder)
    return folder


@pytest.fixture(scope="module")
def first(sample):
    """Return a first build, whose manifest tells the versions."""
    out = sample.parent / "first"
    make.build(sample, out, make.SIZES[0], make.SOURCES[0])
    return out


@pytest.fixture(scope="module")
def expected(first):
    """Return the digests for what is installed. To skip on a machine such as the one that made them tests nothing."""
    versions, entries = make.deciding_versions(first), make.stored()
    if (name := make.key(versions)) in entries:
        return entries[name]
    missing = f"{make.STORED.name} has no digests for {name}; where the build is right, {COMMAND} enters them"
    if is_pinned(versions, entries, CONSTRAINTS.read_text()):
        pytest.fail(f"{missing}. These are the versions of {CONSTRAINTS.name}, which must have theirs.")
    pytest.skip(missing)


def is_pinned(versions, entries, constraints):
    """Tell whether a constraints file names these versions, and the rest, which pip cannot pin, is that of an entry."""
    pins = dict(line.split("==") for line in constraints.splitlines() if "==" in line)
    rest = {name: version for name, version in versions.items() if name not in pins}
    of_entries = [dict(part.rsplit(" ", 1) for part in name.split(", ")) for name in entries]
    return all(pins[name] == versions[name] for name in versions if name in pins) and any(
        rest.items() <= entry.items() for entry in of_entries
    )


@pytest.mark.parametrize(
    ("changes", "pinned"),
    [({}, True), ({"numpy": "2.4.7"}, False), ({"zlib": "1.3"}, False), ({"machine": "arm64"}, False)],
)
def test_digests_must_be_there_for_what_is_pinned_on_such_a_machine(changes, pinned):
    versions = {"machine": "x86_64", "numpy": "2.4.6", "zlib": "1.2.13"}
    entries = {make.key({**versions, "numpy": "2.0.0"}): {}}
    assert is_pinned({**versions, **changes}, entries, "numpy==2.4.6\npillow==12.3.0\n") == pinned


def test_the_drawing(sample, expected):
    assert make.drawn_digests(sample) == expected["drawn"]


@pytest.mark.parametrize(
    ("size", "source"),
    [
        ("128", "folder"),
        ("256", "zip"),
        ("256x192", "zip"),
        pytest.param("128", "zip", marks=pytest.mark.long),
        pytest.param("256", "folder", marks=pytest.mark.long),
        pytest.param("256x192", "folder", marks=pytest.mark.long),
    ],
)
def test_the_build(size, source, sample, first, expected, tmp_path):
    out = first
    if (size, source) != (make.SIZES[0], make.SOURCES[0]):
        out = tmp_path / "out"
        make.build(sample, out, size, source)
    assert make.built_digests(out) == expected["built"][size]
