"""A second build is told of the first; what a build left behind that died blocks nobody."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
import pytest

from cocoprep.builder import under_way
from cocoprep.builder.under_way import BuildMark, claim_folder, kept_fresh, make_way, new_mark
from cocoprep.errors import BuildError
from cocoprep.shards.names import UNDER_WAY
from cocoprep.storage.by_scheme import AnyFiles

FILES = AnyFiles(patience_s=3)
ELSEWHERE = BuildMark("0" * 32, "elsewhere", 12, 0.0, 0.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(under_way, "WATCH_S", 1.5)
    monkeypatch.setattr(under_way, "REFRESH_S", 0.2)
    monkeypatch.setattr(under_way, "_POLL_S", 0.05)


def read(folder):
    return msgspec.json.decode(FILES.read_bytes(FILES.join(folder, UNDER_WAY)), type=BuildMark)


def leave(folder, **changes):
    """Leave a mark in a folder as a build elsewhere does that has just been heard of."""
    mark = msgspec.structs.replace(ELSEWHERE, **{"refreshed": time.time(), **changes})
    FILES.make_folder(folder)
    with FILES.create(FILES.join(folder, UNDER_WAY)) as stream:
        stream.write(msgspec.json.encode(mark))
    return mark


def ended_process():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def seconds_to_claim(folder):
    started, mark = time.monotonic(), new_mark()
    claim_folder(folder, mark, FILES)
    assert read(folder) == mark
    return time.monotonic() - started


@pytest.fixture(params=["folder", "bucket"])
def folder(request, tmp_path):
    return str(tmp_path / "out") if request.param == "folder" else request.getfixturevalue("bucket") + "/out"


def test_a_build_that_is_refreshed_is_told(folder):
    first = msgspec.structs.replace(new_mark(), started=1.7e9)
    with kept_fresh(folder, first, FILES):
        claim_folder(folder, first, FILES)
        claim_folder(folder, first, FILES)  # as an engine that takes a step again
        for refused in (claim_folder, make_way):
            with pytest.raises(BuildError) as told:
                refused(folder, new_mark(), FILES)
            assert f"process {os.getpid()} of {socket.gethostname()}, since 2023-11-14 22:13:20 UTC." in str(told.value)
        assert read(folder).build == first.build
        assert read(folder).refreshed > first.refreshed
    assert FILES.list_names(folder) == []


@pytest.mark.parametrize(
    "changes",
    [
        lambda: {"refreshed": time.time() - 700},
        lambda: {"refreshed": time.time() + 700},
        lambda: {"refreshed": 1e308},
        lambda: {"host": socket.gethostname(), "process": ended_process()},
        lambda: {"host": socket.gethostname(), "process": 10**30},
    ],
    ids=["old", "of the future", "of no time", "of a process that has ended", "of no process"],
)
def test_what_a_dead_build_left_is_passed_over(folder, changes):
    leave(folder, **changes())
    assert seconds_to_claim(folder) < 0.9


@pytest.mark.parametrize("host", ["elsewhere", socket.gethostname()])
def test_a_mark_that_nobody_refreshes_holds_up_a_build_for_a_moment(folder, host):
    leave(folder, host=host, process=os.getpid())
    assert 1.4 < seconds_to_claim(folder) < 5


def test_a_mark_that_goes_away_while_it_is_watched(tmp_path):
    leave(str(tmp_path))
    threading.Timer(0.3, (tmp_path / UNDER_WAY).unlink).start()
    assert seconds_to_claim(str(tmp_path)) < 1.4


@pytest.mark.parametrize("content", [b"", b"null", b"[" * 4000, b"\xff", b"{}", b"x" * 10**6])
def test_what_is_no_mark_marks_nothing(tmp_path, content):
    (tmp_path / UNDER_WAY).write_bytes(content)
    make_way(str(tmp_path), new_mark(), FILES)
    claim_folder(str(tmp_path), new_mark(), FILES)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_no_file_is_no_mark(tmp_path, make):
    make(tmp_path / UNDER_WAY)
    with kept_fresh(str(tmp_path), new_mark(), FILES):
        claim_folder(str(tmp_path), new_mark(), FILES)
        time.sleep(0.3)


def test_only_its_own_mark_is_refreshed_and_removed(folder):
    with kept_fresh(folder, new_mark(), FILES):
        there = leave(folder)
        time.sleep(0.5)
    assert read(folder) == there


def test_nothing_is_left_where_nothing_was_claimed(tmp_path):
    with kept_fresh(str(tmp_path / "out"), new_mark(), FILES):
        time.sleep(0.3)
    assert list(tmp_path.iterdir()) == []


def keep_preconditions(service, address):
    """Answer for `ifGenerationMatch` as the real service does; the emulator does not look at it."""

    def generation(bucket, name):
        try:
            with urllib.request.urlopen(f"{address}/storage/v1/b/{bucket}/o/{quote(name, safe='')}") as answer:
                return msgspec.json.decode(answer.read())["generation"]
        except HTTPError:
            return "0"

    def judge(seen):
        url = urlsplit(seen.path)
        wanted = parse_qs(url.query).get("ifGenerationMatch")
        if wanted is None:
            return None
        bucket, name = url.path.split("/b/")[1].split("/")[0], re.search(rb'"name": ?"([^"]+)"', seen.body)[1].decode()
        return None if generation(bucket, name) == wanted[0] else 412

    service.judge = judge


def test_of_several_at_once_one_has_the_folder(bucket, bad_service, storage_address):
    path = f"{bucket}/out/{UNDER_WAY}"
    keep_preconditions(bad_service, storage_address)
    assert FILES.put_if(path, b"1", found=None)
    assert not FILES.put_if(path, b"2", found=None)
    assert not FILES.put_if(path, b"2", found=b"other")
    assert FILES.read_bytes(path) == b"1"
    assert FILES.put_if(path, b"2", found=b"1")
    assert FILES.read_bytes(path) == b"2"
    assert not FILES.put_if(f"{bucket}/nothing", b"2", found=b"1")


def test_of_several_at_once_one_has_the_file(tmp_path):
    path = str(tmp_path / UNDER_WAY)
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda number: FILES.put_if(path, b"%d" % number, found=None), range(8)))
    assert won.count(True) == 1
    assert FILES.read_bytes(path) == b"%d" % won.index(True)
    assert not FILES.put_if(path, b"x", found=b"other")
    assert FILES.put_if(path, b"x", found=b"%d" % won.index(True))
    assert not FILES.put_if(str(tmp_path / "nothing"), b"x", found=b"")
    assert sorted(p.name for p in tmp_path.iterdir()) == [UNDER_WAY]
