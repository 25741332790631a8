"""COCO's server on this machine, small, and one that does all that servers do wrong."""

from __future__ import annotations

import os
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from cocoprep.coco.official import Archive, Split
from cocoprep.storage.store import FileDigest
from tests.support.people import write_people
from tests.support.serving import serving as serving_by


@dataclass
class Answer:
    """How the server answers one request; by default as a good one does."""

    status: int | None = None
    cut_after: int | None = None
    ignore_range: bool = False
    shift: int = 0  # sends other bytes than it says
    size_said: int | None = None
    chunked: bool = False
    wait_s: float = 0
    location: str | None = None


@dataclass
class Server:
    """A server's folder and address, how it answers the n-th request for a path, and what it was asked."""

    folder: Path
    address: str = ""
    judge: Callable[[int, str], Answer] = lambda number, path: Answer()
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve a folder while the block runs."""
    state = Server(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            wanted = self.headers.get("Range")
            state.requests.append((self.path, wanted))
            how = state.judge(len(state.requests), self.path)
            time.sleep(how.wait_s)
            path = state.folder / self.path.lstrip("/")
            if how.status or not path.is_file():
                self.send_response(how.status or 404)
                if how.location:
                    self.send_header("Location", how.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = path.read_bytes()
            size = how.size_said or len(data)
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and not how.ignore_range else 0
            if start >= size:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = data[start + how.shift :]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            if how.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(size - start))
            self.end_headers()
            cut = len(body) if how.cut_after is None else how.cut_after
            if how.chunked:
                body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
                cut = len(body) if how.cut_after is None else how.cut_after
            state.sent += len(body[:cut])
            self.wfile.write(body[:cut])
            if len(body[:cut]) < size - start:
                self.close_connection = True

        def log_message(self, *arguments):
            pass

    with serving_by(Handler) as state.address:
        yield state


def archive_of(folder: Path, path: str) -> Archive:
    """Return what a file of a folder is, as a catalogue says it."""
    data = (folder / path).read_bytes()
    return Archive(path, FileDigest(len(data), sha256(data).hexdigest()))


def write_mirror(folder: Path, coco: Path, *, photographs_bytes: int = 3_000_000) -> Mapping[str, Split]:
    """Write the files that COCO's server has, drawn from data sets below `coco`; return their catalogue."""
    (folder / "zips").mkdir()
    (folder / "annotations").mkdir()
    people = {s: write_people(coco / s, images=6, seed=n) for n, s in enumerate(("train2017", "val2017"))}
    for split, (_, photographs) in people.items():
        with zipfile.ZipFile(folder / "zips" / f"{split}.zip", "w") as archive:
            for path in sorted(photographs.iterdir()):
                archive.write(path, f"{split}/{path.name}")
            archive.writestr(f"{split}/notes.bin", os.urandom(photographs_bytes))
    with zipfile.ZipFile(folder / "annotations" / "annotations_trainval2017.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for split, (path, _) in people.items():
            archive.write(path, f"annotations/person_keypoints_{split}.json")
        archive.writestr("annotations/captions_train2017.json", "{}")
        archive.writestr("../outside.json", "{}")
    annotations = archive_of(folder, "annotations/annotations_trainval2017.zip")
    return {s: Split(archive_of(folder, f"zips/{s}.zip"), annotations) for s in ("train2017", "val2017")}


def download_command(catalogue: Mapping[str, Split]) -> list[str]:
    """Return the command line of `cocoprep download` in a process of its own, for the files of a catalogue."""
    script = (
        "import sys\n"
        "from cocoprep.coco import download\n"
        "from cocoprep.coco.download import *\n"
        "from cocoprep.storage.store import FileDigest\n"
        f"download.download_splits.__kwdefaults__['catalogue'] = {catalogue!r}\n"
        "from cocoprep.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    return [sys.executable, "-c", script, "download"]
