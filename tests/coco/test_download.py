"""Downloads from a real server on loopback that does all that servers do wrong."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest

from cocoprep.cli import main
from cocoprep.cli.download import SPLITS
from cocoprep.cli.progress import ByteProgress
from cocoprep.coco import download
from cocoprep.coco.archives import check_file
from cocoprep.coco.download import download_splits
from cocoprep.coco.official import OFFICIAL, Split
from cocoprep.errors import ConfigError, OutputError, RecordError, StoreError
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.store import FileDigest
from tests.builder.bad_input import as_nobody
from tests.support.half_written import leave_half
from tests.support.mirror import Answer, archive_of, download_command, serving, write_mirror

MEMBER = "annotations/person_keypoints_train2017.json"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """Return a folder as COCO's server has it, small, and its catalogue."""
    folder = tmp_path_factory.mktemp("mirror")
    return folder, write_mirror(folder, tmp_path_factory.mktemp("coco"))


@pytest.fixture
def server(mirror):
    with serving(mirror[0]) as state:
        yield state


@pytest.fixture
def fetch(mirror, server, tmp_path):
    def fetch(*splits, into=tmp_path / "data", **options):
        options = {"base_url": server.address, "catalogue": mirror[1], "pause_s": 0.01, **options}
        return download_splits(splits or ["train2017"], str(into), **options)

    return fetch


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


class Told:
    """What `download_splits` says of its progress."""

    def __init__(self):
        self.plans, self.bytes = [], []
        self.options = {"on_plan": lambda *plan: self.plans.append(plan), "on_bytes": self.bytes.append}


def names(data):
    return sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file())


def same(data, mirror, name="train2017.zip"):
    return (data / name).read_bytes() == (mirror[0] / "zips" / name).read_bytes()


def test_the_official_layout_and_nothing_else(fetch, data, mirror, server):
    told = Told()
    fetched = fetch("train2017", "val2017", **told.options)
    assert names(data) == [
        "annotations/annotations_trainval2017.zip",
        "annotations/person_keypoints_train2017.json",
        "annotations/person_keypoints_val2017.json",
        "train2017.zip",
        "val2017.zip",
    ]
    assert same(data, mirror)
    assert same(data, mirror, "val2017.zip")
    assert told.plans == [("fetching", server.sent)]
    assert sum(told.bytes) == server.sent
    assert [(one.was_there, one.checked) for one in fetched] == [(False, True)] * 4
    server.requests.clear()
    told = Told()
    assert [(one.was_there, one.checked) for one in fetch("train2017", "val2017", **told.options)] == [(True, True)] * 4
    assert server.requests == []
    assert told.plans == [("checking what is there", sum(told.bytes))]
    assert sum(told.bytes) == sum((data / name).stat().st_size for name in names(data))


def test_what_a_killed_call_was_unpacking_goes(fetch, data):
    left, others = leave_half(data / MEMBER), leave_half(data / "annotations" / "notes.json")
    fetch()
    assert (left.exists(), others.exists()) == (False, True)


def test_photographs_that_are_unpacked_are_not_fetched(fetch, data, server):
    (data / "train2017").mkdir(parents=True)
    fetched = fetch()
    assert [path for path, _ in server.requests] == ["/annotations/annotations_trainval2017.zip"]
    assert [(Path(one.path).name, one.was_there, one.checked) for one in fetched] == [
        ("train2017", True, False),
        ("person_keypoints_train2017.json", False, True),
    ]


def test_a_redirect_is_followed(fetch, data, mirror, server):
    def judge(number, path):
        moved = Answer(status=302, location=f"{server.address}{path}?moved")
        return moved if "?" not in path else Answer()

    (mirror[0] / "zips" / "train2017.zip?moved").write_bytes((mirror[0] / "zips" / "train2017.zip").read_bytes())
    (data / "annotations").mkdir(parents=True)
    (data / MEMBER).write_text("{}")
    server.judge = judge
    fetch()
    assert same(data, mirror)


@pytest.mark.parametrize("ignore_range", [False, True])
def test_a_server_that_cuts_every_connection(ignore_range, fetch, data, mirror, server):
    """A server that knows ranges gets there; one that does not and always cuts at one place never can."""
    server.judge = lambda number, path: Answer(cut_after=400_000, ignore_range=ignore_range)
    if ignore_range:
        with pytest.raises(StoreError, match=r"does not get beyond byte 400000 of .*run the same command again"):
            fetch()
        assert not (data / "train2017.zip").exists()
        assert len(list(data.glob(".train2017.zip.*.part"))) == 1
        server.judge = lambda number, path: Answer()
    fetch()
    assert same(data, mirror)
    assert list(data.glob(".*")) == []


def test_a_second_call_goes_on_where_the_first_stopped(fetch, data, mirror, server):
    server.judge = lambda number, path: Answer(cut_after=1_000_000) if number == 2 else Answer(status=404)
    (data / "annotations").mkdir(parents=True)
    (data / MEMBER).write_text("{}")
    server.requests.append(("", None))
    with pytest.raises(StoreError, match="404"):
        fetch()
    server.judge, server.sent = lambda number, path: Answer(), 0
    told = Told()
    fetch(**told.options)
    size = mirror[1]["train2017"].images.digest.bytes
    assert server.sent == size - 1_000_000
    assert told.plans == [("fetching", sum(told.bytes))] == [("fetching", size)]
    assert same(data, mirror)


def test_a_server_that_ignores_ranges(fetch, data, mirror, server):
    server.judge = lambda number, path: Answer(cut_after=1_000_000) if number % 2 else Answer(ignore_range=True)
    fetch()
    assert same(data, mirror)


@pytest.mark.parametrize("status", [503, 429, 500])
def test_a_server_that_is_busy_for_a_while(status, fetch, data, mirror, server):
    server.judge = lambda number, path: Answer(status=status) if number % 3 else Answer()
    fetch()
    assert same(data, mirror)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=503), "the server answers 503"),
        (Answer(status=403), "the server answers 403"),
        (Answer(status=404), "the server answers 404"),
        (Answer(cut_after=0), "does not get beyond byte 0"),
    ],
)
def test_a_server_that_never_does(answer, says, fetch, data, server):
    server.judge = lambda number, path: answer
    with pytest.raises(StoreError, match=f"{server.address}/annotations/.*{says}.*run the same command again"):
        fetch()
    assert [n for n in names(data) if not n.endswith(".part")] == []


def test_no_server_at_all(fetch, server):
    with pytest.raises(StoreError, match=r"does not get beyond byte 0 .*refused"):
        fetch(base_url="http://127.0.0.1:9")


@pytest.mark.parametrize("said", [100, 10_000_000])
def test_a_server_that_lies_about_the_size(said, fetch, data, mirror, server):
    server.judge = lambda number, path: Answer(size_said=said)
    with pytest.raises(StoreError, match=rf"expected a file of \d+ bytes, the server has one of {said}"):
        fetch()
    assert names(data) == []


def test_a_server_whose_size_is_another_when_it_goes_on(fetch, data, server):
    server.judge = lambda number, path: Answer(cut_after=1000) if number == 1 else Answer(size_said=10_000_000)
    with pytest.raises(StoreError, match="the server has one of 10000000"):
        fetch()


def test_a_file_of_another_content(fetch, data, mirror, server, tmp_path):
    other = tmp_path / "other"
    for path in ("annotations/annotations_trainval2017.zip", "zips/train2017.zip"):
        (other / path).parent.mkdir(parents=True, exist_ok=True)
        (other / path).write_bytes(bytes((mirror[0] / path).stat().st_size))
    server.folder = other
    with pytest.raises(RecordError, match=r"expected the SHA-256 .*It came from http.*another --base-url"):
        fetch()
    assert names(data) == []


def test_more_bytes_than_were_said(fetch, data, mirror, server, tmp_path):
    other = tmp_path / "other" / "annotations" / "annotations_trainval2017.zip"
    other.parent.mkdir(parents=True)
    other.write_bytes((mirror[0] / "annotations" / other.name).read_bytes() + b"more")
    server.folder = tmp_path / "other"
    server.judge = lambda number, path: Answer(chunked=True)
    with pytest.raises(RecordError, match=r"expected \d+ bytes, \d+ came"):
        fetch()
    assert names(data) == []


def test_ranges_that_are_not_what_they_say(fetch, data, mirror, server):
    """What came is found to be wrong; the next call begins anew."""
    server.judge = lambda number, path: Answer(cut_after=1000) if number == 1 else Answer(shift=-1)
    with pytest.raises((RecordError, StoreError)):
        fetch()
    assert not (data / MEMBER).exists()
    server.judge = lambda number, path: Answer()
    fetch()
    assert same(data, mirror)


def test_a_kept_part_that_is_damaged(fetch, data, mirror):
    digest = mirror[1]["train2017"].images.digest
    data.mkdir()
    (data / f".train2017.zip.{digest.sha256[:16]}.part").write_bytes(bytes(1_000_000))
    fetch()
    assert same(data, mirror)


def test_a_file_of_another_size_in_the_way(fetch, data, server):
    data.mkdir()
    (data / "train2017.zip").write_bytes(b"cut short")
    with pytest.raises(OutputError, match=r"train2017\.zip: expected \d+ bytes, found 9.*Remove it .*another folder"):
        fetch()
    assert server.requests == []
    assert (data / "train2017.zip").read_bytes() == b"cut short"


def test_a_folder_where_a_file_should_be(fetch, data, server):
    (data / "train2017.zip").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"train2017\.zip: expected a file, found a folder"):
        fetch()
    assert server.requests == []


@pytest.mark.parametrize("name", ["train2017.zip", "annotations/annotations_trainval2017.zip", MEMBER])
def test_what_is_there_and_damaged_is_told_and_left(name, fetch, data, server):
    fetch("train2017", "val2017")
    server.requests.clear()
    path = data / name
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    kind = "CRC-32" if name == MEMBER else "SHA-256"
    with pytest.raises(OutputError, match=rf"{name}: expected the {kind} \w+.*, found \w+.*Remove it .*another folder"):
        fetch("train2017", "val2017")
    assert path.read_bytes() == whole
    assert server.requests == []
    path.unlink()
    fetch("train2017", "val2017")


def test_annotations_that_are_no_more_as_in_their_zip(fetch, data):
    fetch()
    (data / MEMBER).write_text("{}")
    with pytest.raises(OutputError, match=rf"{MEMBER}: expected \d+ bytes, found 2"):
        fetch()
    assert (data / MEMBER).read_text() == "{}"


def test_annotations_without_their_zip_are_not_checked(fetch, data):
    fetch()
    (data / "annotations" / "annotations_trainval2017.zip").unlink()
    (data / MEMBER).write_text("{}")
    assert [(Path(one.path).name, one.was_there, one.checked) for one in fetch()] == [
        ("person_keypoints_train2017.json", True, False),
        ("train2017.zip", True, True),
    ]
    with pytest.raises(OutputError, match=f"{MEMBER}: expected"):  # the zip comes for the other split
        fetch("train2017", "val2017")
    assert (data / MEMBER).read_text() == "{}"


def test_what_may_not_be_read():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "train2017.zip"
        path.write_bytes(b"mine")
        path.chmod(0)
        with as_nobody(), pytest.raises(OutputError, match=r"train2017\.zip: cannot be read \(Permission denied\)"):
            check_file(str(path), FileDigest(4, ""), lambda count: None)


@pytest.mark.parametrize("below", ["", "x", "x/y"])
def test_a_path_through_a_file(below, fetch, server, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=r"cannot write .*Not a directory. A part of this path is a file"):
        fetch(into=tmp_path / "file" / below)
    assert server.requests == []


def test_a_folder_that_may_not_be_looked_at(fetch, server):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0)
        with (
            as_nobody(),
            pytest.raises(OutputError, match=r"cannot write .*Permission denied. Choose a folder that you"),
        ):
            fetch(into=Path(folder) / "coco")
        Path(folder).chmod(0o700)
    assert server.requests == []


def test_too_little_room_is_told_at_once(fetch, data, server):
    class TinyDisk(LocalFiles):
        def free_bytes(self, folder):
            return 1000

    with pytest.raises(OutputError, match=r"are still to come, but only 1\.0 kB are free there.*--data-dir"):
        fetch(files=TinyDisk())
    assert not data.exists()
    assert server.requests == []


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda archive: archive.writestr("annotations/other.json", "{}"), "cannot be unpacked"),
        (None, "cannot be unpacked"),
    ],
)
def test_annotations_that_cannot_be_unpacked(write, says, fetch, data, mirror, server, tmp_path):
    other = tmp_path / "other"
    (other / "annotations").mkdir(parents=True)
    (other / "zips").mkdir()
    path = other / "annotations" / "annotations_trainval2017.zip"
    if write is None:
        whole = bytearray((mirror[0] / "annotations" / path.name).read_bytes())
        whole[200] ^= 1
        path.write_bytes(whole)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            write(archive)
    (other / "zips" / "train2017.zip").write_bytes(b"zip")
    server.folder = other
    catalogue = {
        "train2017": Split(archive_of(other, "zips/train2017.zip"), archive_of(other, f"annotations/{path.name}"))
    }
    with pytest.raises(RecordError, match=says):
        fetch(catalogue=catalogue)
    assert not (data / MEMBER).exists()
    assert list((data / "annotations").glob(".*")) == []


@pytest.mark.parametrize("limit", [500_000])
def test_a_disk_that_fills(limit, mirror, server, data):
    """The kernel refuses every write beyond a limit, as a full disk does."""
    script = (
        "import resource, signal, sys\n"
        "from cocoprep.coco.download import *\n"
        "from cocoprep.errors import OutputError\n"
        "from cocoprep.storage.store import FileDigest\n"
        f"catalogue = {mirror[1]!r}\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "try: download_splits(['train2017'], sys.argv[1], base_url=sys.argv[2], catalogue=catalogue)\n"
        "except OutputError as error: print(error)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(data), server.address],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.stderr == ""
    assert f"cannot write {data}/train2017.zip: File too large" in found.stdout
    assert not (data / "train2017.zip").exists()
    download_splits(["train2017"], str(data), base_url=server.address, catalogue=mirror[1])
    assert same(data, mirror)


def test_an_address_that_is_none(fetch):
    with pytest.raises(ConfigError, match="--base-url: expected an address"):
        fetch(base_url="images.cocodataset.org")


# The command line


@pytest.fixture
def run(capsys, monkeypatch, mirror):
    monkeypatch.setattr(
        download.download_splits, "__kwdefaults__", {**download.download_splits.__kwdefaults__, "catalogue": mirror[1]}
    )

    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        return exit_.value.code, capsys.readouterr()

    return run


def test_from_a_download_to_a_build(run, server, data, tmp_path):
    code, said = run(
        "download", "--split", "train2017", "--split", "val2017", "--data-dir", data, "--base-url", server.address
    )
    assert code == 0, said.err
    assert f"{data}/train2017.zip: fetched and checked" in said.out
    assert f"next: cocoprep build --data-dir {data} --split val2017" in said.out
    code, said = run("download", "--split", "train2017", "--data-dir", data, "--base-url", server.address)
    assert f"{data}/train2017.zip: was there, checked" in said.out
    assert f"{data}/{MEMBER}: was there, checked" in said.out
    (data / "annotations" / "annotations_trainval2017.zip").unlink()
    code, said = run("download", "--split", "train2017", "--data-dir", data, "--base-url", server.address)
    assert f"{data}/{MEMBER}: was there, not checked" in said.out
    code, said = run(
        "build", "--data-dir", data, "--split", "train2017", "--out", tmp_path / "out", "--input-size", "32"
    )
    assert code == 0, said.err
    assert "people kept" in said.out


def test_what_the_command_refuses(run, data):
    code, said = run("download", "--data-dir", data)
    assert (code, "--split" in said.err) == (2, True)
    code, said = run("download", "--split", "test2017", "--data-dir", data)
    assert (code, "train2017" in said.err) == (2, True)
    code, said = run("download", "--split", "train2017", "--data-dir", "gs://bucket/coco")
    assert (code, "gcloud storage cp" in said.err) == (1, True)
    data.write_text("mine")
    code, said = run("download", "--split", "train2017", "--data-dir", data / "x")
    assert (code, said.err.count("error"), "A part of this path is a file" in said.err) == (1, 1, True)


def test_checking_is_said_while_it_goes_on(capsys):
    with ByteProgress("fetching") as progress:
        progress.log_interval_s = 0.0
        for doing, size in (("checking what is there", 4000), ("fetching", 2000)):
            progress.turn_to(doing, size)
            progress.advance(1000)
    assert capsys.readouterr().err.splitlines() == [
        "checking what is there: 1.0 kB of 4.0 kB",
        "fetching: 1.0 kB of 2.0 kB",
    ]


def test_the_catalogue():
    assert set(SPLITS) == set(OFFICIAL)
    for name, split in OFFICIAL.items():
        assert split.images.path == f"zips/{name}.zip"
        assert split.annotations.path == f"annotations/annotations_trainval{name[-4:]}.zip"
        assert all(re.fullmatch(r"[0-9a-f]{64}", a.digest.sha256) for a in (split.images, split.annotations))
    # COCO's own figures: 18 GB, 1 GB, 13 GB and 6 GB of photographs, in units of 2 ** 30.
    assert [round(OFFICIAL[s].images.digest.bytes / 2**30) for s in SPLITS] == [18, 1, 13, 6]


def test_an_interrupted_download_goes_on(mirror, server, data):
    server.judge = lambda number, path: Answer(wait_s=2 if "zips" in path else 0)
    command = [
        *download_command(mirror[1]), "--split", "train2017", "--data-dir", str(data), "--base-url", server.address
    ]  # fmt: skip
    fetching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while len(server.requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    fetching.send_signal(signal.SIGINT)
    _, err = fetching.communicate(timeout=30)
    assert fetching.returncode == 130
    assert "the same command goes on where it stopped" in err
    assert "Traceback" not in err
    assert not (data / "train2017.zip").exists()
    server.judge = lambda number, path: Answer()
    found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    assert same(data, mirror)
