"""A storage service for tests: the emulator as it is on PyPI, and a proxy in front of it that plays a bad service."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cocoprep.storage.by_scheme import AnyFiles
from tests.support.serving import serving

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}


@contextmanager
def emulator() -> Iterator[str]:
    """Run the emulator in a process of its own, in memory, on a free port of loopback; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--host=127.0.0.1", f"--port={port}", "-q", "-M"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process)
        yield address
    finally:
        process.kill()
        process.wait()


def _wait_for(address: str, process: subprocess.Popen) -> None:
    for _ in range(200):
        assert process.poll() is None, "the emulator has ended"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the emulator does not answer")


def new_bucket(address: str) -> str:
    """Make a bucket that nobody else uses; return its `gs://` path."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    body = json.dumps({"name": name}).encode()
    request = urllib.request.Request(
        f"{address}/storage/v1/b?project=p", body, {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10):
        return f"gs://{name}"


def put(source: Path, target: str) -> str:
    """Write a file, or all files of a folder, to a path in a bucket; return that path."""
    files = AnyFiles()
    for path in [source] if source.is_file() else sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_file():
            with files.create(target if name == "." else files.join(target, name)) as stream:
                stream.write(path.read_bytes())
    return target


@dataclass
class Seen:
    """One request that came by, and how many bytes of an answer went back."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    answered: int = 0


@dataclass
class Proxy:
    """What the proxy does with each request, and what it has seen.

    `judge` is called with the request and returns an action: None to pass it on, a number for that HTTP status,
    ("wait", seconds) to pass it on late, ("cut", bytes) to break the connection after so many bytes of the answer,
    "drop" to break it without passing the request on.
    """

    address: str = ""
    judge: Callable[[Seen], object] = lambda seen: None
    seen: list[Seen] = field(default_factory=list)


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Run a proxy in front of `target`, both on loopback."""
    state = Proxy()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = Seen(self.command, self.path, dict(self.headers.items()), body)
            state.seen.append(seen)
            action = state.judge(seen)
            if action == "drop":
                self.close_connection = True
                return
            if isinstance(action, int):
                self._answer(seen, action, [], b'{"error": {"code": %d, "message": "as the test wants it"}}' % action)
                return
            if isinstance(action, tuple) and action[0] == "wait":
                time.sleep(action[1])
            connection = http.client.HTTPConnection(target.removeprefix("http://"), timeout=60)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            connection.close()
            cut = action[1] if isinstance(action, tuple) and action[0] == "cut" else None
            self._answer(seen, answer.status, answer.getheaders(), data, cut)

        def _answer(self, seen: Seen, status: int, headers: list, data: bytes, cut: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in {*HOP_BY_HOP, "content-length", "server", "date"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            data = data if cut is None else data[:cut]
            seen.answered = len(data)
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            pass

    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"):
        setattr(Handler, f"do_{method}", Handler._handle)
    with serving(Handler) as state.address:
        yield state
