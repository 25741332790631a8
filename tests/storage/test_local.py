"""Files appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.builder.output import sweep_temporaries
from cocoprep.errors import ConfigError, ImageError, OutputError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.paths import real_path
from tests.builder.bad_input import as_nobody
from tests.support.building import build_folder
from tests.support.people import write_people

FILES = LocalFiles()
CROP = CropConfig(input_size=(32, 32))
SELECT = SelectConfig(shards=4)


class UnforeseenError(Exception):
    pass


def write(path, *pieces):
    with FILES.create(str(path)) as stream:
        for piece in pieces:
            if isinstance(piece, BaseException):
                raise piece
            stream.write(piece)


# One file


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "a"
    with FILES.create(str(path)) as stream:
        stream.write(b"whole")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["a"]


def test_an_empty_file_appears_too(tmp_path):
    write(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b""


@pytest.mark.parametrize("error", [UnforeseenError("x"), KeyboardInterrupt(), SystemExit(1), ValueError("x")])
@pytest.mark.parametrize("before", [None, b"old"])
def test_an_exception_leaves_what_was_there(error, before, tmp_path):
    path = tmp_path / "a"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(type(error)):
        write(path, b"half" * 10_000, error)
    assert [p.name for p in tmp_path.iterdir()] == ([] if before is None else ["a"])
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EACCES, "Choose a folder that you may write to"),
        (errno.EROFS, "choose a folder on another one"),
        (errno.ENOTDIR, "choose another folder"),
        (errno.EIO, "Check the folder and the disk"),
    ],
)
def test_a_failed_write_says_what_failed_and_the_cure(number, cure, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(OutputError) as caught:
        write(path, b"half", OSError(number, os.strerror(number)))
    assert str(caught.value).startswith(f"cannot write {path}: {os.strerror(number)}. ")
    assert cure in str(caught.value)
    assert "--" not in str(caught.value).removeprefix(f"cannot write {path}")  # no option: any command may write
    assert os.listdir(tmp_path) == ["a"]
    assert path.read_bytes() == b"old"


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = str(tmp_path / "a")
    with FILES.create(path) as first, FILES.create(path) as second:
        first.write(b"x" * 100_000)
        second.write(b"y")
    assert (tmp_path / "a").read_bytes() in (b"x" * 100_000, b"y")
    assert os.listdir(tmp_path) == ["a"]


def in_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    return tmp_path / "file" / "a"


def a_folder(tmp_path):
    (tmp_path / "a" / "sub").mkdir(parents=True)
    return tmp_path / "a"


@pytest.mark.parametrize(
    "place",
    [in_a_file, a_folder, lambda tmp_path: tmp_path / "no folder" / "a", lambda tmp_path: tmp_path / ("a" * 255)],
)
def test_where_nothing_can_be_written(place, tmp_path):
    path = place(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="cannot write"):
        write(path, b"whole")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_others():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").write_bytes(b"mine")
        Path(folder).chmod(0o555)
        with as_nobody():
            for act in (lambda p: write(p, b"x"), FILES.delete):
                with pytest.raises(OutputError, match=r"cannot (write|remove) .*/a: Permission denied"):
                    act(f"{folder}/a")
            with pytest.raises(OutputError, match=r"cannot write .*/sub: Permission denied.*may write to"):
                FILES.make_folder(f"{folder}/sub")
        Path(folder).chmod(0)
        with as_nobody(), pytest.raises(OutputError, match=r"cannot list .*: Permission denied"):
            FILES.list_names(folder)
        Path(folder).chmod(0o700)
        assert (Path(folder) / "a").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda file: FILES.list_names(str(file)), "cannot list .*: Not a directory. Expected a folder"),
        (lambda file: FILES.make_folder(str(file)), "cannot write .*: File exists"),
        (lambda file: FILES.make_folder(str(file / "sub")), "cannot write .*: Not a directory"),
        (lambda file: FILES.delete(str(file.parent)), "cannot remove .*: Is a directory"),
        (lambda file: FILES.delete(str(file / "sub")), "cannot remove .*: Not a directory"),
    ],
)
def test_a_file_where_a_folder_should_be_and_the_other_way(act, says, tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(OutputError, match=says):
        act(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_device_or_a_pipe_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for path in (pipe, tmp_path / "link"):
        with pytest.raises(OutputError, match="found a device or a pipe"), LocalFiles().create(str(path)) as stream:
            stream.write(b"x")
    assert pipe.is_fifo()
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


SPECIAL = {
    "a pipe": os.mkfifo,
    "a link to a pipe": lambda path: (os.mkfifo(f"{path}.pipe"), path.symlink_to(f"{path}.pipe")),
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "an empty device": lambda path: path.symlink_to("/dev/null"),
    "a socket": make_socket,
    "a folder": os.mkdir,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize(
    "read", [FILES.open_read, FILES.read_bytes, lambda path: FILES.read_range(path, 0, 10), FILES.digest]
)
def test_what_is_no_regular_file_is_not_read(read, kind, tmp_path):
    SPECIAL[kind](tmp_path / "a")
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match=r"not a regular file|Is a directory|No such device"):
        read(str(tmp_path / "a"))
    assert len(os.listdir("/dev/fd")) == before


def test_what_is_not_there(tmp_path):
    FILES.delete(str(tmp_path / "a"))
    assert FILES.list_names(str(tmp_path / "a")) == []
    assert not FILES.exists(str(tmp_path / "a"))
    assert not FILES.is_folder(str(tmp_path / "a"))


def test_a_range_of_a_file(tmp_path):
    write(tmp_path / "a", b"12345")
    path = str(tmp_path / "a")
    assert [FILES.read_range(path, *part) for part in ((0, 5), (1, 3), (3, 99), (7, 9))] == [
        b"12345",
        b"23",
        b"45",
        b"",
    ]


@pytest.mark.parametrize(
    ("path", "other"),
    [("a/../b", "b"), ("link", "b"), ("link/c", "b/c"), ("gs://a/b/", "gs://a/b"), ("gs://a/b", "gs://a/b")],
)
def test_one_spelling_of_a_path(path, other, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("b")
    assert real_path(path) == real_path(other)
    assert real_path("gs://a/b/../c") == "gs://a/b/../c"  # which is a name like any other there


def linked(tmp_path):
    """Return a folder of a file and of links: to files, to folders, to nothing, to a pipe, and round in a circle."""
    folder, outside = tmp_path / "images", tmp_path / "store"
    for place in (folder / "sub", outside / "deep"):
        place.mkdir(parents=True)
    for path in (folder / "a.jpg", folder / "sub/b.jpg", folder / ".hidden.jpg", outside / "deep/c.jpg"):
        path.write_text(path.name)
    os.mkfifo(tmp_path / "pipe")
    links = {"in.jpg": "a.jpg", "out.jpg": "../store/deep/c.jpg", "gone.jpg": "../nothing", "pipe.jpg": "../pipe"}
    for name, target in {
        **links,
        "store": "../store",
        "again": "../store",
        "round": "..",
        "null.jpg": "/dev/null",
    }.items():
        (folder / name).symlink_to(target)
    return str(folder)


def test_a_walk_names_the_files_below_a_folder_and_does_not_leave_it(tmp_path):
    names = list(LocalFiles().walk_names(linked(tmp_path)))
    files = {"a.jpg", "in.jpg", "out.jpg", "gone.jpg", "pipe.jpg", "null.jpg", "sub/b.jpg"}
    assert sorted(names) == sorted({*files, "store", "again", "round"})
    assert list(LocalFiles().walk_names(str(tmp_path / "nowhere"))) == []


def test_a_walk_that_follows_links_ends_and_names_each_folders_files_once(tmp_path):
    names = list(LocalFiles().walk_names(linked(tmp_path), follow_links=True))
    assert names.count("again/deep/c.jpg") == 1  # the first of both links by name
    assert sorted(n.rpartition("/")[2] for n in names if "/" in n) == ["b.jpg", "c.jpg", "pipe"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "refused", "followed"),
    [
        ("in.jpg", None, None),
        ("out.jpg", "leads out of the image folder; --follow-links has it followed", None),
        ("store/deep/c.jpg", "leads out of the image folder", None),
        ("gone.jpg", "leads out of the image folder", "no such file in the image folder, only a link to what is not"),
        ("pipe.jpg", "leads out of the image folder", "cannot be read (not a regular file)"),
        ("null.jpg", "leads out of the image folder", "cannot be read (not a regular file)"),
        ("store", "leads out of the image folder", "cannot be read (Is a directory)"),
        ("../store/deep/c.jpg", "leads out of the image folder", "not within the image folder"),
        ("/etc/hostname", "leads out of the image folder", "not within the image folder"),
    ],
)
def test_links_lead_out_on_the_users_word_alone(name, refused, followed, tmp_path):
    folder = linked(tmp_path)
    for follow_links, says in ((False, refused), (True, followed)):
        if says is None:
            assert LocalFiles().read_contained(folder, name, max_bytes=9, follow_links=follow_links)
            continue
        with pytest.raises(ImageError) as caught:
            LocalFiles().read_contained(folder, name, max_bytes=9, follow_links=follow_links)
        assert says in str(caught.value)


def test_the_store_pickles():
    assert isinstance(pickle.loads(pickle.dumps(FILES)), LocalFiles)


def test_only_our_own_temporaries_are_removed(tmp_path):
    shard = "cocoprep-x.tfrecord-00000-of-00001"
    kept = ["a", ".hidden", "a.tmp", ".editor-backup.tmp", ".a.12-abcdef01.tmp", f".{shard}.tmp", shard]
    swept = [f".{shard}.12-abcdef01.tmp", f".{shard}.json.7-00000000.tmp", ".manifest.json.7-00000000.tmp"]
    for name in [*kept, *swept]:
        (tmp_path / name).touch()
    sweep_temporaries(str(tmp_path), FILES)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
    sweep_temporaries(str(tmp_path / "nowhere"), FILES)


# A whole build


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def whole(people, tmp_path_factory):
    """Return a complete build's shards and sidecars by name."""
    return shards(build(people, tmp_path_factory.mktemp("whole")))


def build(people, out, **options):
    build_folder(out, annotations=people[0], images=people[1], crop=CROP, select=SELECT, **options)
    return out


def shards(out):
    return {path.name: path.read_bytes() for path in out.glob("cocoprep-*")}


SMALL_DISK = """
    import sys
    from pathlib import Path
    from cocoprep.errors import OutputError
    from tests.storage.test_local import build

    annotations, images, out = map(Path, sys.argv[1:])
    try:
        build((annotations, images), out)
    except OutputError as error:
        print(error)
"""


def run(script, *arguments, before=(), limit=""):
    code = limit + textwrap.dedent(script)
    return subprocess.run(
        [*before, sys.executable, "-c", code, *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2],
    )  # fmt: skip


@pytest.mark.parametrize("limit", [100, 9_000, 15_000, 20_000])
def test_a_build_whose_files_may_not_grow_goes_on_later(limit, people, whole, tmp_path):
    """The kernel refuses every write beyond the limit, as a full disk does."""
    out = tmp_path / "out"
    found = run(
        SMALL_DISK, *people, out,
        limit=f"import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n",
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")
    assert f"cannot write {out}/" in found.stdout
    assert "File too large" in found.stdout
    assert_nothing_half_written(out, whole)
    assert shards(build(people, out)) == whole


def assert_nothing_half_written(out, whole):
    there = shards(out)
    assert there.items() <= whole.items()
    assert not list(out.glob(".*"))
    assert not (out / "manifest.json").exists()


def test_a_build_on_a_full_disk_goes_on_when_there_is_room(people, whole, tmp_path):
    """On a real disk of 64 kB, mounted where nobody else sees it."""
    mount = ["unshare", "--map-root-user", "--user", "--mount", "sh", "-c"]
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    small_disk = f"mount -t tmpfs -o size=64k tmpfs {disk}"
    tried = subprocess.run([*mount, small_disk], check=False, capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no small disk can be mounted here: {tried.stderr.strip()}")
    script = f'{small_disk} && "$@"; cp -r {disk}/out {copy}'
    found = run(SMALL_DISK, *people, disk / "out", before=[*mount, script, "sh"])
    assert found.stderr == ""
    assert f"cannot write {disk}/out/" in found.stdout
    assert "No space left on device. The disk is full: free some space" in found.stdout
    assert_nothing_half_written(copy, whole)
    assert any(not name.endswith(".json") for name in shards(copy))
    assert shards(build(people, copy)) == whole
    assert verify_folder(str(copy), FILES).problems == []


# The output folder


@pytest.mark.parametrize("name", ["manifest.json", "ledger.parquet", "ground_truth.json", "build.json", "baseline.npz"])
def test_a_file_of_somebody_elses_with_a_name_of_ours_is_not_replaced(name, people, tmp_path):
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(OutputError, match=f"holds shards made in another way.*{name}.*--force"):
        build(people, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"mine"


@pytest.mark.parametrize("link", [False, True])
def test_an_input_in_the_output_folder_is_never_replaced(link, people, tmp_path):
    """The ground truth of one build is a fine annotation file for another, in another folder."""
    out = build(people, tmp_path / "out")
    before = (out / "ground_truth.json").read_bytes()
    annotations = out / "ground_truth.json"
    if link:
        annotations = tmp_path / "link.json"
        annotations.symlink_to(out / "ground_truth.json")
    for force in (False, True):
        with pytest.raises(ConfigError, match=r"--annotations: .* lies in --out.*Choose another --out"):
            build((annotations, people[1]), out, force=force)
    assert (out / "ground_truth.json").read_bytes() == before
    assert verify_folder(str(out), FILES).problems == []
    again = build((annotations, people[1]), tmp_path / "again")
    assert {n: d for n, d in shards(again).items() if not n.endswith("json")} == {
        n: d for n, d in shards(out).items() if not n.endswith("json")
    }


@pytest.mark.parametrize("force", [False, True])
def test_photographs_are_never_taken_for_outputs(force, people, tmp_path):
    names = {path.name for path in people[1].iterdir()}
    with pytest.raises(ConfigError, match=r"--out: .* is the folder of the photographs. Choose another --out"):
        build(people, people[1], force=force)
    assert {path.name for path in people[1].iterdir()} == names


@pytest.mark.parametrize(
    ("obstacle", "says"),
    [
        (lambda out: out.write_bytes(b"mine"), "--out: expected a folder at .*out, found a file"),
        (lambda out: (out / "build.json").mkdir(parents=True), "build.json is damaged"),
        (lambda out: (out / "manifest.json" / "x").mkdir(parents=True), "manifest.json is not known"),
    ],
)
def test_an_output_folder_that_is_none(obstacle, says, people, tmp_path):
    obstacle(tmp_path / "out")
    with pytest.raises(OutputError, match=says):
        build(people, tmp_path / "out")


def test_an_annotation_file_that_may_not_be_read(people):
    with tempfile.TemporaryDirectory() as folder:
        annotations = Path(folder) / "a.json"
        annotations.write_bytes(b"{}")
        annotations.chmod(0)
        Path(folder).chmod(0o755)
        with (
            as_nobody(),
            pytest.raises(ConfigError, match=r"a\.json: .* cannot be read \(Permission denied"),
        ):
            build((annotations, people[1]), Path(folder) / "out")
        assert os.listdir(folder) == ["a.json"]
