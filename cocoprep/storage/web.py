"""A large file of a web server, read from any byte on, over as many connections as it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from cocoprep.errors import StoreError
from cocoprep.storage.store import PIECE_BYTES
from cocoprep.version import __version__

_CONNECT_S, _READ_S = 10.0, 60.0
_STATUS_RETRIES = 5
_FRUITLESS = 5  # so many connections in a row that bring next to nothing, and it is an error
_FRUIT_BYTES = 64 << 10  # what one that brings something brings, in so many seconds
_FRUIT_S = 60.0
_RETRY_STATUSES = (408, 429, 500, 502, 503, 504)


def open_session(pause_s: float) -> requests.Session:
    """Return a session that asks again where a server is busy; its first wait is of so many seconds."""
    retry = Retry(
        total=None,
        connect=0,  # `WebFile.pieces` sees to lost connections
        read=0,
        redirect=5,
        status=_STATUS_RETRIES,
        status_forcelist=_RETRY_STATUSES,
        allowed_methods={"GET"},
        backoff_factor=pause_s,
        backoff_max=30 * pause_s,
        respect_retry_after_header=False,  # which may say hours
        raise_on_status=False,
    )
    session = requests.Session()
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": f"cocoprep/{__version__}"})
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


@dataclass(frozen=True)
class WebFile:
    """One file of a server, of so many bytes; `pause_s` is the first wait before it is asked for again."""

    session: requests.Session
    url: str
    size: int
    pause_s: float

    def pieces(self, start: int) -> Iterator[bytes]:
        """Yield the file from byte `start` on, over as many connections as it takes.

        Raises:
            StoreError: there is no such file, it has another size, or the server does not get any further.
        """
        position, fruitless, last = start, 0, ""
        while position < self.size:
            before = position
            try:
                for piece in self._connection(position):
                    yield piece
                    position += len(piece)
                last = "the connection ended early"
            except (requests.RequestException, HTTPError) as error:
                last = f"{error!s:.300}"
            fruitless = 0 if position - before >= _FRUIT_BYTES else fruitless + 1
            if fruitless >= _FRUITLESS:
                raise StoreError(
                    f"{self.url}: the server does not get beyond byte {position} of {self.size} (the last: {last}). "
                    "What has come is kept: run the same command again later, or with another --base-url."
                )
            if position < self.size:
                time.sleep(min(self.pause_s * 2**fruitless, 30))

    def _connection(self, position: int) -> Iterator[bytes]:
        """Yield what one connection gives from byte `position` on."""
        with self._ask(position) as answer:
            begin = self._begin(answer, position)
            counted, since = begin, time.monotonic()
            while piece := answer.raw.read1(PIECE_BYTES, decode_content=False):
                if begin + len(piece) > position:
                    yield piece[max(0, position - begin) :]
                    position = begin + len(piece)
                begin += len(piece)
                if begin - counted >= _FRUIT_BYTES:
                    counted, since = begin, time.monotonic()
                elif time.monotonic() - since > _FRUIT_S:
                    raise HTTPError(f"fewer than {_FRUIT_BYTES} bytes in {_FRUIT_S:.0f} s")

    def _ask(self, position: int) -> requests.Response:
        headers = {"Range": f"bytes={position}-"} if position else {}
        try:
            return self.session.get(self.url, headers=headers, stream=True, timeout=(_CONNECT_S, _READ_S))
        except ValueError as error:  # of the parser of addresses
            raise StoreError(
                f"{self.url}: this, or what the server sends us on to, is no address ({error!s:.200}). Try another "
                "--base-url."
            ) from error

    def _begin(self, answer: requests.Response, position: int) -> int:
        """Return at which byte an answer begins."""
        if answer.status_code == requests.codes.partial_content:
            unit, _, rest = answer.headers.get("Content-Range", "").partition(" ")
            span, _, total = rest.partition("/")
            if unit != "bytes" or span.partition("-")[0] != str(position):
                raise StoreError(
                    f"{self.url}: asked for the bytes from {position} on, the server sends "
                    f"{answer.headers.get('Content-Range')!r}. Try another --base-url."
                )
            self._check_size(total)
            return position
        if answer.status_code == requests.codes.ok:  # from the beginning: the server knows no ranges
            self._check_size(answer.headers.get("Content-Length", ""))
            return 0
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            self._check_size(answer.headers.get("Content-Range", "").rpartition("/")[2])
        raise StoreError(
            f"{self.url}: the server answers {answer.status_code} {answer.reason}. What has come is kept: run the same "
            "command again later, or with another --base-url."
        )

    def _check_size(self, total: str) -> None:
        # Compared as text: of more than 4,300 digits, Python makes no number.
        if total.isdecimal() and (total.lstrip("0") or "0") != str(self.size):
            raise StoreError(
                f"{self.url}: expected a file of {self.size} bytes, the server has one of {total:.30}. It is not "
                "COCO's: try another --base-url."
            )
