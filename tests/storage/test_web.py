"""One file of a real server on loopback, from any byte on."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler

import pytest

from cocoprep.errors import StoreError
from cocoprep.storage import web
from cocoprep.storage.web import WebFile, open_session
from cocoprep.version import __version__
from tests.support.serving import serving

DATA = bytes(range(256)) * 20


@contextmanager
def served(answer):
    """Serve by `answer`: start of the request -> (status, headers, body); yield address and headers of requests."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            seen.append(dict(self.headers.items()))
            wanted = self.headers.get("Range", "bytes=0-")
            status, headers, body = answer(int(wanted.removeprefix("bytes=").removesuffix("-")))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = len(body) < int(headers.get("Content-Length", 0))

        def log_message(self, *arguments):
            pass

    with serving(Handler) as address:
        yield address, seen


def good(start: int, most: int | None = None):
    """Answer as a good server does; `most` bytes of it come before the connection breaks."""
    rest = DATA[start:]
    headers = {"Content-Length": str(len(rest))}
    if start:
        headers["Content-Range"] = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
    return 206 if start else 200, headers, rest[:most]


def fetch(address: str, start: int = 0, size: int = len(DATA)) -> bytes:
    with open_session(pause_s=0) as session:
        return b"".join(WebFile(session, f"{address}/a", size, pause_s=0).pieces(start))


@pytest.mark.parametrize("start", [0, 1, 4097, len(DATA) - 1])
def test_the_rest_of_a_file_in_one_request(start):
    with served(good) as (address, seen):
        assert fetch(address, start) == DATA[start:]
    (headers,) = seen
    assert headers.get("Range") == (f"bytes={start}-" if start else None)
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"] == f"cocoprep/{__version__}"


def test_of_a_whole_file_nothing_is_asked():
    with served(good) as (address, seen):
        assert fetch(address, len(DATA)) == b""
    assert seen == []


def test_connections_that_break_are_gone_on_with_as_long_as_each_brings_something(monkeypatch):
    monkeypatch.setattr(web, "_FRUIT_BYTES", 300)
    with served(lambda start: good(start, 300)) as (address, seen):
        assert fetch(address) == DATA
    assert len(seen) == -(-len(DATA) // 300)


def test_a_server_that_drips_is_not_followed_without_end():
    with (
        served(lambda start: good(start, 3)) as (address, seen),
        pytest.raises(StoreError, match=rf"does not get beyond byte 15 of {len(DATA)} .*IncompleteRead"),
    ):
        fetch(address)
    assert len(seen) == 5


def test_a_connection_that_drips_is_ended(monkeypatch):
    monkeypatch.setattr(web, "_FRUIT_S", 0.2)
    monkeypatch.setattr(web, "_FRUITLESS", 2)

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            with suppress(OSError):
                for byte in DATA:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.02)

        def log_message(self, *arguments):
            pass

    with serving(Dripping) as address, pytest.raises(StoreError, match=r"fewer than 65536 bytes in 0 s"):
        fetch(address)


@pytest.mark.parametrize("location", ["http://[::1", "http://a:b:c/", "http://\x80\xff/", "http://" + "a" * 300, "x:"])
def test_a_redirect_to_what_is_no_address(location):
    with served(lambda start: (302, {"Location": location}, b"")) as (address, _), pytest.raises(StoreError) as told:
        fetch(address)
    assert len(str(told.value)) < 2000


@pytest.mark.parametrize("digits", [5000, 50_000])
def test_a_size_of_very_many_digits(digits):
    with (
        served(lambda start: (206, {"Content-Range": f"bytes 50-59/{'9' * digits}"}, b"x" * 10)) as (address, _),
        pytest.raises(StoreError, match=r"one of 9{30}\. It is not|does not get beyond byte 50"),
    ):
        fetch(address, 50)
    with (
        served(lambda start: (200, {"Content-Length": "9" * digits}, b"x" * 10)) as (address, _),
        pytest.raises(StoreError, match=r"one of 9{30}\. It is not|does not get beyond byte 50"),
    ):
        fetch(address, 50)


def test_five_connections_in_a_row_without_a_byte_are_the_end():
    with (
        served(lambda start: good(start, 0 if start else 300)) as (address, seen),
        pytest.raises(StoreError, match=rf"does not get beyond byte 300 of {len(DATA)} .*run the same command again"),
    ):
        fetch(address)
    assert len(seen) == 5


def test_where_a_server_knows_no_ranges_the_beginning_is_passed_over():
    with served(lambda start: good(0)) as (address, _):
        assert fetch(address, 1000) == DATA[1000:]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status):
    statuses = iter([status, status])
    with served(lambda start: (next(statuses, None) or good(start)[0], *good(start)[1:])) as (address, seen):
        assert fetch(address) == DATA
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, {}, b""), "the server answers 404 Not Found"),
        ((403, {}, b""), "the server answers 403 Forbidden"),
        ((206, {"Content-Range": f"bytes 0-9/{len(DATA)}"}, b"x" * 10), "asked for the bytes from 50 on, the server"),
        ((206, {"Content-Range": f"lines 50-59/{len(DATA)}"}, b"x" * 10), "asked for the bytes from 50 on, the server"),
        ((206, {}, b"x" * 10), "asked for the bytes from 50 on, the server sends None"),
        ((206, {"Content-Range": "bytes 50-59/60"}, b"x" * 10), f"expected a file of {len(DATA)} bytes.*one of 60"),
        ((200, {}, b"x" * 60), f"expected a file of {len(DATA)} bytes, the server has one of 60"),
        ((416, {"Content-Range": "bytes */40"}, b""), f"expected a file of {len(DATA)} bytes.*one of 40"),
        ((416, {}, b""), "the server answers 416"),
    ],
)
def test_an_answer_that_is_of_no_use_is_told(answer, says):
    with served(lambda start: answer) as (address, seen), pytest.raises(StoreError, match=says):
        fetch(address, 50)
    assert len(seen) == 1


def test_a_size_that_is_not_said_is_no_fault():
    with served(lambda start: (206, {"Content-Range": f"bytes {start}-{len(DATA) - 1}/*"}, DATA[start:])) as (at, _):
        assert fetch(at, 50) == DATA[50:]
