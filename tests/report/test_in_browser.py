"""The page of a data set as a reader uses it: in a real browser, from the disk and from a server."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from functools import partial

import pytest

from cocoprep.inspection.photographs import open_photographs
from cocoprep.inspection.read_data_set import read_data_set
from cocoprep.inspection.statistics import measure
from cocoprep.pose.crop_config import CropConfig
from cocoprep.report.data_set import write_data_page
from cocoprep.storage.local import LocalFiles
from tests.report.test_data_page import checked, odd
from tests.support.browser import browser
from tests.support.people import build_people, write_people

pytestmark = pytest.mark.long  # a browser takes seconds to start, many where processors are busy

FILES = LocalFiles()
CROP = CropConfig(input_size=(64, 48))
NAMED = "document.activeElement.textContent"
CARDS = "document.querySelectorAll('.card').length"
TITLE = "document.querySelector('#view[open] h2')?.textContent"


def write(path, data, *, images=None, **options):
    data_set = read_data_set(str(data), "some", FILES)
    photographs = None if images is None else open_photographs(data_set, {"": str(images)}, FILES)
    statistics = measure(data_set, CROP)
    write_data_page(str(path), data_set, statistics, [], FILES, provenance={}, photographs=photographs, **options)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A page of a built folder: 10 photographs of 3 people, the first of each without labels."""
    root = tmp_path_factory.mktemp("small") / ("a-long-name-" * 6)
    folder = build_people(root)
    found = checked(
        odd("limb", 105, (5, 7), 0.9, "too long", place=4, other=106), odd("box", 109, (), 0.8, "x", place=8)
    )
    return write(root / "page #1.html", folder, images=root / "coco/train2017", checked=found)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A page of 10,000 people without pictures."""
    root = tmp_path_factory.mktemp("large")
    path, _ = write_people(root / "coco", images=2500, people=4)
    return write(root / "page.html", path, people=10_000)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def page(window, small):
    window.complaints()
    window.resize(1200, 900)
    window.open("about:blank")
    window.open(small.as_uri())
    window.run("document.getElementById('gallery').scrollIntoView({behavior: 'instant'})")
    window.wait(f"{CARDS} === 30")
    choose(window, "sort", "")
    yield window
    # A server is asked for an icon, which is the browser's own wish.
    assert [said for said in window.complaints() if "favicon.ico" not in said] == []


def choose(window, name, value):
    window.run(
        "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
        "one.dispatchEvent(new Event('input', {bubbles: true}))", name, value,
    )  # fmt: skip


@contextmanager
def served(folder):
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def pictures_are_there(window):
    return window.wait(
        "[...document.querySelectorAll('.card img')].filter(one => one.complete && one.naturalWidth > 0).length === 30"
    )


def test_keys_lead_from_the_search_to_a_person_and_back(page):
    page.press("/", *"105")
    page.wait(f"{CARDS} === 1")
    assert page.run("return document.getElementById('status').textContent") == "1 of 30 shown"
    page.press("Enter")
    page.wait(f"{NAMED}.startsWith('105')")
    page.press("Enter")
    assert page.wait(TITLE) == "Annotation 105"
    assert "limb (0.90), left shoulder, left elbow: too long" in page.run(
        "return document.getElementById('view').textContent"
    )
    assert page.run("return location.hash") == "#row4"
    page.press("Escape")
    page.wait("!document.getElementById('view').open")
    page.wait(f"{NAMED}.startsWith('105')")


def test_arrows_lead_from_one_to_the_next(page):
    page.run("document.querySelector('.card').focus()")
    page.press("ArrowRight", "ArrowRight")
    assert page.run(f"return {NAMED}").startswith("103")
    page.press("End")
    assert page.run(f"return {NAMED}").startswith("130")
    page.press("Home", "ArrowDown", "ArrowUp", "ArrowRight", "Enter")
    assert page.wait(TITLE) == "Annotation 102"
    page.press("ArrowRight")
    assert page.wait(TITLE) == "Annotation 103"
    page.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
    assert page.wait(TITLE) == "Annotation 101"
    assert "zero_keypoints" in page.run("return document.getElementById('view').textContent")


def test_a_person_has_a_panel_of_each_labelled_joint_and_no_other(page):
    page.run("location.hash = '#row1'")
    assert page.wait(TITLE) == "Annotation 102"
    labelled = page.run("return JSON.parse(document.getElementById('data').textContent).people[1].points.length")
    assert page.run("return document.querySelectorAll('.map').length") == labelled
    assert page.run("return document.querySelectorAll('.stage svg circle').length") >= labelled
    assert page.run("return document.querySelectorAll('.stage img').length") == 1
    rows = page.run("return [...document.querySelectorAll('#view dt')].map(one => one.textContent)")
    assert {"row", "annotation id", "image id", "photograph", "shard"} <= set(rows)
    # What is painted cannot be read on a page from the disk, but its size can.
    page.wait("document.querySelector('.stage canvas').width > 200")
    page.run("document.querySelector('.map').click()")
    assert page.run("return document.querySelector('.map').getAttribute('aria-pressed')") == "true"


def test_filters_and_orders(page):
    for name, value, count in (
        ("fate", "dropped", 10), ("fate", "=zero_keypoints", 10), ("least", "1", 0), ("fate", "suspect", 2),
        ("fate", "?limb", 1), ("fate", "kept", 20),
    ):  # fmt: skip
        choose(page, name, value)
        assert page.run(f"return {CARDS}") == count, value
    choose(page, "least", "0")
    choose(page, "sort", "labels")
    labels = page.run("return [...document.querySelectorAll('.card')].map(one => one.getAttribute('aria-label'))")
    counts = [int(label.split()[-3]) for label in labels]  # "105, kept, 12 joints labelled"
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == 20


def test_suspects_lead_to_the_gallery_and_to_those_that_they_are_of(page):
    choose(page, "sort", "suspicion")
    names = page.run("return [...document.querySelectorAll('.card')].map(one => one.textContent)")
    assert [name.split()[0] for name in names[:3]] == ["105", "109", "101"]
    choose(page, "joint", "3")
    page.run("document.querySelector('#suspects a[href=\"#suspected:box\"]').click()")
    page.wait(f"{CARDS} === 1")
    assert page.run("return document.querySelector('.card').textContent") == "109 box"
    page.run("document.querySelector('.suspects a').click()")
    assert page.wait(TITLE) == "Annotation 105"
    page.wait("[...document.querySelectorAll('.stage img')].filter(one => one.naturalWidth > 0).length === 2")
    # One annotation twice is about the person as a whole: no joint of it is ringed.
    assert page.run("return document.querySelectorAll('.stage svg circle[stroke=\"#ffffff\"]').length") == 0
    page.run("document.querySelector('.whys a').click()")
    page.wait(f"{TITLE} === 'Annotation 106'")


def test_pictures_come_from_the_disk_and_from_a_server(page, small):
    assert pictures_are_there(page)
    with served(small.parent) as address:
        page.open(f"{address}/page%20%231.html")
        page.run("document.getElementById('gallery').scrollIntoView({behavior: 'instant'})")
        assert pictures_are_there(page)


@pytest.mark.parametrize("width", [360, 400, 768, 1600])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_lies_beyond_the_edge_of_any_screen(page, width, dark):
    page.resize(width, 800, dark=dark)
    assert page.run("return document.documentElement.scrollWidth") <= width
    page.run("location.hash = '#row1'")
    page.wait(TITLE)
    assert page.run("const one = document.getElementById('view'); return one.scrollWidth - one.clientWidth") <= 0
    red, green, blue = page.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(red, green, blue) < 60) == dark


def test_a_gallery_of_10_000_stays_quick(window, large):
    """Bounds are wide, since processors of tests are busy: they tell that nothing grows with what is not shown."""
    window.resize(1200, 900)
    window.open(large.as_uri())
    window.run("document.getElementById('gallery').scrollIntoView({behavior: 'instant'})")
    window.wait(f"{CARDS} > 10")
    assert window.run(f"return {CARDS}") < 150
    times = window.run(MEASURED)
    assert 0 < times["ready"] < 10_000  # ms
    window.wait("[...document.querySelectorAll('.card')].some(one => one.textContent.startsWith('10100'))")
    assert times["cards"] < 150
    assert times["shown"] == "4 of 10,000 shown"
    assert times["a screen further"] < 250
    assert times["a keystroke"] < 1000
    assert window.complaints() == []


# The slowest of 40 screens, and of the letters of a search: until it is drawn and laid out, in ms.
MEASURED = """
    const gallery = document.getElementById('gallery'), grid = document.getElementById('grid');
    const took = (act) => {
        const from = performance.now();
        act();
        return grid.offsetHeight && performance.now() - from;
    };
    const found = {ready: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd};
    const top = gallery.getBoundingClientRect().top + scrollY, height = gallery.offsetHeight;
    found['a screen further'] = Math.max(...Array.from({length: 40}, (_, n) => {
        scrollTo({top: top + height * n / 40, behavior: 'instant'});
        return took(() => dispatchEvent(new Event('resize')));
    }));
    found.cards = document.querySelectorAll('.card').length;
    const search = document.getElementById('search'), least = document.getElementById('least');
    found['a keystroke'] = Math.max(...Array.from('000000001234', (_, n) => {
        search.value = '000000001234'.slice(0, n + 1);
        return took(() => least.dispatchEvent(new Event('input')));
    }));
    found.shown = document.getElementById('status').textContent;
    search.value = '';
    least.dispatchEvent(new Event('input'));
    gallery.scrollIntoView({block: 'end', behavior: 'instant'});
    return found;
"""
