"""Copies of built folders: whole, checked, and going on where they stopped."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.cli import main
from cocoprep.errors import ConfigError, OutputError, RecordError, StoreError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import CEILING, MANIFEST
from cocoprep.shards.seal import seal
from cocoprep.shards.stage import Staged, stage_folder
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.digests import digest_file
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.store import FileDigest
from tests.support.building import build_folder
from tests.support.half_written import leave_half
from tests.support.people import write_people

FILES = AnyFiles(patience_s=20)
CROP = CropConfig(input_size=(64, 64))


def build(folder, out, *, shards=4, seed=0):
    annotations, images = write_people(folder, images=8)
    build_folder(out, annotations=annotations, images=images, crop=CROP, select=SelectConfig(shards=shards, seed=seed))
    return str(out)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage")
    return build(folder / "coco", folder / "out", shards=12)  # some of them without people: empty files


@pytest.fixture(scope="module")
def another(tmp_path_factory):
    folder = tmp_path_factory.mktemp("another")
    return build(folder / "coco", folder / "out", shards=5, seed=1)


@pytest.fixture
def disk(tmp_path):
    return str(tmp_path / "disk" / "shards")


@pytest.fixture(params=["disk", "bucket"])
def target(request, tmp_path):
    """Return a folder to copy to, on a disk and in a bucket."""
    if request.param == "disk":
        return str(tmp_path / "disk" / "shards")
    return f"{request.getfixturevalue('bucket')}/shards"


def content(folder):
    return {name: FILES.digest(FILES.join(folder, name)).sha256 for name in FILES.list_names(folder)}


def damage(path):
    data = bytearray(FILES.read_bytes(path))
    data[len(data) // 2] ^= 1
    with FILES.create(path) as stream:
        stream.write(bytes(data))


def largest(folder):
    return max(read_manifest(folder, FILES).shards, key=lambda shard: shard.bytes)


def test_there_and_back_and_nothing_the_second_time(built, target, tmp_path):
    told = []
    done = stage_folder(built, target, FILES, on_plan=told.append, on_bytes=told.append)
    assert (done.kept_files, done.kept_bytes) == (0, 0)
    assert sum(told[1:]) == told[0] == done.bytes
    assert content(target) == content(built)
    assert verify_folder(target, FILES).problems == []
    assert stage_folder(built, target, FILES) == Staged(done.files, done.bytes, done.files, done.bytes)
    back = str(tmp_path / "back")
    stage_folder(target, back, FILES)
    assert content(back) == content(built)


def test_from_bucket_to_bucket(built, bucket):
    stage_folder(built, f"{bucket}/a", FILES)
    stage_folder(f"{bucket}/a", f"{bucket}/b", FILES)
    assert content(f"{bucket}/b") == content(built)


def test_what_is_there_is_not_copied_again(built, target):
    stage_folder(built, target, FILES)
    shard = largest(built)
    FILES.delete(FILES.join(target, MANIFEST))
    FILES.delete(FILES.join(target, shard.name))
    done = stage_folder(built, target, FILES)
    assert (done.files - done.kept_files, done.bytes - done.kept_bytes) == (1, shard.bytes)
    assert content(target) == content(built)


def test_what_was_measured_after_the_build_comes_too(built, target, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(built, source)
    from cocoprep.evaluation.ceiling import measure_ceiling, read_ceiling

    manifest = read_manifest(str(source), FILES)
    measured = measure_ceiling(str(source), manifest, FILES)
    stage_folder(str(source), target, FILES)
    assert read_ceiling(target, manifest, FILES) == measured


def test_a_file_that_was_cut_short_at_the_target_is_brought_again(built, target):
    stage_folder(built, target, FILES)
    shard = largest(built)
    with FILES.create(FILES.join(target, shard.name)) as stream:
        stream.write(b"short")
    assert stage_folder(built, target, FILES).kept_files < stage_folder(built, target, FILES).files
    assert content(target) == content(built)


def test_what_a_killed_copy_was_writing_goes_and_what_others_write_stays(built, disk):
    left = [leave_half(Path(disk) / name) for name in (MANIFEST, CEILING)]
    others = leave_half(Path(disk) / "notes.txt")
    stage_folder(built, disk, FILES)
    assert [path.exists() for path in left] == [False, False]
    assert others.exists()


def test_another_build_is_never_replaced_unasked(built, another, target):
    stage_folder(built, target, FILES)
    before = content(target)
    with pytest.raises(OutputError, match="holds another build"):
        stage_folder(another, target, FILES)
    FILES.delete(FILES.join(target, MANIFEST))
    with pytest.raises(OutputError, match=r"is not that of .*--force"):
        stage_folder(another, target, FILES)
    assert content(target) == {k: v for k, v in before.items() if k != MANIFEST}
    stage_folder(another, target, FILES, force=True)
    assert content(target) == content(another)
    assert verify_folder(target, FILES).problems == []


def test_a_damaged_source_is_never_taken_for_a_copy(built, target, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(built, source)
    damage(str(source / largest(built).name))
    with pytest.raises(RecordError, match=rf"expected the SHA-256 .*cocoprep verify {source}"):
        stage_folder(str(source), target, FILES, threads=2)
    assert MANIFEST not in FILES.list_names(target)
    assert largest(built).name not in FILES.list_names(target)
    shutil.copy(Path(built) / largest(built).name, source)
    stage_folder(str(source), target, FILES)
    assert content(target) == content(built)


def test_a_source_that_is_cut_short(built, target, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(built, source)
    os.truncate(source / largest(built).name, 1000)
    with pytest.raises(RecordError, match=r"expected \d+ bytes, 1000 came"):
        stage_folder(str(source), target, FILES)
    assert MANIFEST not in FILES.list_names(target)


@pytest.mark.parametrize(("which", "says"), [("none", "no manifest.json"), ("unfinished", "no manifest.json")])
def test_a_source_that_is_no_built_folder(which, says, built, disk, tmp_path):
    source = tmp_path / which
    if which == "unfinished":
        shutil.copytree(built, source)
        (source / MANIFEST).unlink()
    with pytest.raises(RecordError, match=says):
        stage_folder(str(source), disk, FILES)
    assert not Path(disk).exists()


def test_a_source_that_names_files_elsewhere_writes_nothing(built, tmp_path):
    source, target = tmp_path / "source", tmp_path / "home" / "target"
    shutil.copytree(built, source)
    (tmp_path / "evil.txt").write_text("evil")
    body = json.loads((source / MANIFEST).read_text())
    del body["digest"]
    body["files"]["../evil.txt"] = {"bytes": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}
    (source / MANIFEST).write_bytes(seal(body))
    with pytest.raises(RecordError, match=r"files: expected .* found .*evil\.txt"):
        stage_folder(str(source), str(target), FILES)
    assert not (tmp_path / "home").exists()


def test_a_target_that_cannot_be(built, disk, tmp_path):
    with pytest.raises(ConfigError, match="expected another folder than SRC"):
        stage_folder(built, f"{built}/", FILES)
    Path(disk).parent.mkdir()
    Path(disk).write_bytes(b"mine")
    with pytest.raises(OutputError, match="found a file"):
        stage_folder(built, disk, FILES)
    assert Path(disk).read_bytes() == b"mine"
    with pytest.raises(OutputError, match=r"cannot (write|list) .*: Not a directory"):
        stage_folder(built, f"{disk}/sub", FILES)


# In the middle of a file


def partial_of(folder, shard):
    return Path(folder) / f".{shard.name}.{shard.sha256[:16]}.part"


def test_a_file_goes_on_in_the_middle(built, disk, bad_service, bucket):
    stage_folder(built, f"{bucket}/shards", FILES)
    shard = largest(built)
    Path(disk).mkdir(parents=True)
    kept = shard.bytes - 1000
    partial_of(disk, shard).write_bytes((Path(built) / shard.name).read_bytes()[:kept])
    bad_service.seen.clear()
    stage_folder(f"{bucket}/shards", disk, FILES)
    asked = [seen for seen in bad_service.seen if shard.name + "?" in seen.path and "download" in seen.path]
    assert [seen.answered for seen in asked] == [1000]
    assert content(disk) == content(built)


@pytest.mark.parametrize("keep", [1000, None])
def test_a_kept_part_that_is_damaged_is_brought_anew(keep, built, disk):
    """As after a power failure: the part has the right name and length, but zeros in it."""
    shard = largest(built)
    Path(disk).mkdir(parents=True)
    partial_of(disk, shard).write_bytes(bytes(keep or shard.bytes))
    told = []
    done = stage_folder(built, disk, FILES, on_bytes=told.append)
    assert sum(told) == done.bytes
    assert content(disk) == content(built)


def test_a_part_of_another_content_is_removed(built, disk):
    shard = largest(built)
    Path(disk).mkdir(parents=True)
    stale = Path(disk) / f".{shard.name}.{'0' * 16}.part"
    stale.write_bytes(b"stale")
    stage_folder(built, disk, FILES)
    assert content(disk) == content(built)


def test_two_at_once_do_not_meet(built, disk):
    shard = largest(built)
    Path(disk).mkdir(parents=True)
    with partial_of(disk, shard).open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another process writes this file"):
            stage_folder(built, disk, FILES)
    stage_folder(built, disk, FILES)
    assert content(disk) == content(built)


PARTED = FileDigest(40_000_000, "b43cd3db1a7ea4a7ef1d0b9d8a3a6c5e7a1ff3a4c9d5a5a1d9ad6a2f3b1ce7f9")


@pytest.fixture
def large(tmp_path):
    """Return a file that goes up in three parts, and its digest."""
    path = tmp_path / "large"
    path.write_bytes(os.urandom(PARTED.bytes))
    return path, digest_file(str(path), FILES)


def pieces_of(path, stop_after=None):
    def pieces(start):
        with open(path, "rb") as stream:
            stream.seek(start)
            while piece := stream.read(1 << 20):
                if stop_after is not None and stream.tell() > stop_after:
                    raise StoreError("the line is dead")
                yield piece

    return pieces


def uploads(seen):
    return [s for s in seen if s.method in ("POST", "PUT") and "/upload/" in s.path]


def test_an_upload_goes_on_in_the_middle(large, bad_service, bucket):
    path, digest = large
    target = f"{bucket}/f/large"
    with pytest.raises(StoreError, match="the line is dead"):
        FILES.receive(target, digest, pieces_of(path, stop_after=34_000_000), on_bytes=lambda count: None)
    assert FILES.list_names(f"{bucket}/f") == []
    assert FILES.kept_bytes(target, digest) == 2 * (16 << 20)
    bad_service.seen.clear()
    FILES.receive(target, digest, pieces_of(path), on_bytes=lambda count: None)
    sent = sum(int(seen.headers.get("content-length", 0)) for seen in uploads(bad_service.seen))
    assert sent < 7_000_000
    assert FILES.list_names(f"{bucket}/f") == ["large"]
    assert FILES.list_names(bucket) == ["f"]
    assert FILES.read_bytes(target) == path.read_bytes()
    assert FILES.digest(target) == digest


def test_a_part_in_the_bucket_that_is_not_right_is_sent_again(large, bucket):
    path, digest = large
    with pytest.raises(StoreError):
        FILES.receive(f"{bucket}/large", digest, pieces_of(path, stop_after=34_000_000), on_bytes=lambda count: None)
    damage(f"{bucket}/.cocoprep-parts/large/{digest.sha256[:16]}-01")
    FILES.receive(f"{bucket}/large", digest, pieces_of(path), on_bytes=lambda count: None)
    assert FILES.read_bytes(f"{bucket}/large") == path.read_bytes()


def test_an_upload_of_what_is_damaged_leaves_nothing(large, bucket):
    path, _ = large
    with pytest.raises(RecordError, match="expected the SHA-256"):
        FILES.receive(f"{bucket}/large", PARTED, pieces_of(path), on_bytes=lambda count: None)
    assert FILES.list_names(bucket) == []
    assert FILES.kept_bytes(f"{bucket}/large", PARTED) == 0


# Faults on the way


def test_a_service_that_often_fails(built, disk, bad_service, bucket):
    stage_folder(built, f"{bucket}/shards", FILES)
    answers = iter([503, "drop", ("wait", 0.3), ("cut", 100), 503, 429])
    bad_service.judge = lambda seen: next(answers, None) if "download" in seen.path else None
    stage_folder(f"{bucket}/shards", disk, FILES, threads=3)
    assert content(disk) == content(built)


def test_a_service_that_fails_for_good_and_a_rerun(built, disk, bad_service, bucket):
    stage_folder(built, f"{bucket}/shards", FILES)
    seen_before = len(bad_service.seen)
    bad_service.judge = lambda seen: 503 if len(bad_service.seen) > seen_before + 15 else None
    with pytest.raises(StoreError, match="does not answer as it should"):
        stage_folder(f"{bucket}/shards", disk, AnyFiles(patience_s=1), threads=2)
    bad_service.judge = lambda seen: None
    assert MANIFEST not in FILES.list_names(disk)
    stage_folder(f"{bucket}/shards", disk, FILES)
    assert content(disk) == content(built)


class TinyDisk(LocalFiles):
    def free_bytes(self, folder):
        return 1000


def test_too_little_room_is_told_before_anything_is_written(built, disk):
    with pytest.raises(
        OutputError, match=r"kB are still to come, but only 1\.0 kB are free there.*nothing was written"
    ):
        stage_folder(built, disk, TinyDisk())
    assert not Path(disk).exists()


STAGE = [sys.executable, "-m", "cocoprep", "stage"]
MOUNT = ["unshare", "--map-root-user", "--user", "--mount", "sh", "-c"]


def test_a_disk_that_others_fill_in_the_middle(built, disk, bucket, tmp_path):
    """The kernel refuses every write beyond a limit, though the check at the start saw room enough."""
    stage_folder(built, f"{bucket}/shards", FILES)
    limit = largest(built).bytes - 1000
    script = (
        "import resource, signal, sys\n"
        "from cocoprep.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "main(['stage', *sys.argv[1:]])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, f"{bucket}/shards", disk],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 1, found.stderr
    assert re.search(rf"error: cannot write {disk}/cocoprep-.*: File too large", found.stderr)
    assert "Traceback" not in found.stderr
    names = FILES.list_names(disk)
    assert MANIFEST not in names
    assert largest(built).name not in names
    whole = content(built)
    assert all(FILES.digest(f"{disk}/{n}").sha256 == whole[n] for n in names if not n.startswith("."))
    assert any(part.stat().st_size == limit for part in Path(disk).glob(".*.part"))
    stage_folder(f"{bucket}/shards", disk, FILES)
    assert content(disk) == whole


def test_a_disk_that_is_full(built, tmp_path):
    """On a real disk, mounted where nobody else sees it, that something else fills after the check."""
    mounted, copy = tmp_path / "mounted", tmp_path / "copy"
    mounted.mkdir()
    size = sum(p.stat().st_size for p in Path(built).iterdir())
    small_disk = f"mount -t tmpfs -o size={2 * size // 4096 * 4}k tmpfs {mounted}"
    tried = subprocess.run([*MOUNT, small_disk], check=False, capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no small disk can be mounted here: {tried.stderr.strip()}")
    fill = (
        "import sys; from cocoprep.shards.stage import stage_folder\n"
        "from cocoprep.storage.local import LocalFiles as F\n"
        "from cocoprep.errors import OutputError\n"
        "def filling(size):\n"
        f"    open('{mounted}/other', 'wb').write(bytes({size} + {size} // 3))\n"
        "files = F(); files.free_bytes = lambda folder: (filling(0), 1 << 40)[1]\n"
        "try: stage_folder(*sys.argv[1:3], files)\n"
        "except OutputError as error: print(error)\n"
    )
    script = f'{small_disk} && "$@"; rm {mounted}/other; cp -r {mounted}/out {copy}'
    found = subprocess.run(
        [*MOUNT, script, "sh", sys.executable, "-c", fill, built, f"{mounted}/out"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert found.stderr == ""
    assert (
        "No space left on device. The disk is full: free some space, then run the same command again." in found.stdout
    )
    names = FILES.list_names(str(copy))
    assert MANIFEST not in names
    whole = content(built)
    assert all(FILES.digest(f"{copy}/{n}").sha256 == whole[n] for n in names if not n.startswith("."))
    stage_folder(built, str(copy), FILES)
    assert content(str(copy)) == whole


def test_a_copy_that_is_interrupted_goes_on(built, disk, bad_service, bucket):
    stage_folder(built, f"{bucket}/shards", FILES)
    bad_service.judge = lambda seen: ("wait", 1.0) if "download" in seen.path else None
    copying = subprocess.Popen(
        [*STAGE, f"{bucket}/shards", disk, "--threads", "1"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while not (os.path.isdir(disk) and os.listdir(disk)) and time.monotonic() < deadline:
        time.sleep(0.05)
    copying.send_signal(signal.SIGINT)
    _, err = copying.communicate(timeout=30)
    assert copying.returncode == 130
    assert "the same command goes on where it stopped" in err
    assert "Traceback" not in err
    assert MANIFEST not in os.listdir(disk)
    bad_service.judge = lambda seen: None
    found = subprocess.run([*STAGE, f"{bucket}/shards", disk], check=False, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr
    assert content(disk) == content(built)


def test_the_command_line(built, bucket, disk, capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main(["stage", *arguments])
        return exit_.value.code, capsys.readouterr()

    code, said = run(built, f"{bucket}/shards")
    assert code == 0, said.err
    assert re.search(r"\d+ files copied, [\d.]+ [kM]B in [\d.]+ s \([\d.]+ [kM]B/s\)", said.out)
    code, said = run(f"{bucket}/shards", disk, "--threads", "2")
    assert code == 0
    code, said = run(f"{bucket}/shards", disk)
    assert code == 0
    assert "nothing was copied" in said.out
    assert content(disk) == content(built)
    assert CEILING not in content(disk)
    assert json.loads((Path(disk) / MANIFEST).read_text())["split"] == "train2017"
    code, said = run("/nowhere", disk)
    assert (code, "no manifest.json" in said.err) == (1, True)
    code, said = run("s3://bucket/shards", disk)
    assert (code, "expected a path of this machine" in said.err) == (1, True)
