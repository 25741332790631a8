"""A bucket stands where a folder does: the same promises, on a real service and on a bad one."""

from __future__ import annotations

import io
import os
import pickle
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor

import pytest

from cocoprep.crops.photographs import open_images
from cocoprep.errors import ConfigError, ImageError, OutputError, StoreError
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.gcs import BucketFiles
from cocoprep.storage.local import LocalFiles
from tests.support.buckets import new_bucket

FILES = AnyFiles(patience_s=3)
BIG = os.urandom(20_000_000)  # more than one request of an upload, and of a read


def write(path, *pieces):
    with FILES.create(path) as stream:
        for piece in pieces:
            if isinstance(piece, BaseException):
                raise piece
            stream.write(piece)


def test_each_path_says_where_it_lies(bucket, tmp_path):
    for folder in (bucket, str(tmp_path)):
        write(FILES.join(folder, "a"), b"whole")
        assert FILES.read_bytes(FILES.join(folder, "a")) == b"whole"
    assert LocalFiles().read_bytes(str(tmp_path / "a")) == b"whole"
    for odd in ("s3://bucket/a", "hdfs://a"):
        with pytest.raises(ConfigError, match=r"expected a path of this machine or one that begins with gs://"):
            FILES.exists(odd)
    with pytest.raises(ConfigError, match="found no bucket"):
        FILES.exists("gs:///a")


def test_both_kinds_answer_alike(bucket, tmp_path):
    def say(act):
        try:
            return act()
        except OSError as error:
            return type(error), error.errno

    answers = []
    for root in (bucket, str(tmp_path)):
        folder, path = FILES.join(root, "f"), FILES.join(FILES.join(root, "f"), "a")
        FILES.make_folder(folder)
        write(path, b"12", b"345")
        write(FILES.join(folder, "empty"))
        deep = FILES.join(FILES.join(folder, "sub"), "b")
        FILES.make_folder(FILES.join(folder, "sub"))
        write(deep, b"b")
        missing = FILES.join(folder, "missing")
        FILES.delete(missing)
        answers.append(
            [
                say(act)
                for act in (
                    lambda: FILES.list_names(folder),  # noqa: B023
                    lambda: FILES.list_names(missing),  # noqa: B023
                    lambda: [FILES.exists(p) for p in (root, folder, path, missing)],  # noqa: B023
                    lambda: [FILES.is_folder(p) for p in (root, folder, path, missing)],  # noqa: B023
                    lambda: FILES.size(path),  # noqa: B023
                    lambda: FILES.size(missing),  # noqa: B023
                    lambda: FILES.read_bytes(FILES.join(folder, "empty")),  # noqa: B023
                    lambda: FILES.read_bytes(missing),  # noqa: B023
                    lambda: [FILES.read_range(path, *part) for part in ((1, 3), (3, 99), (7, 9), (2, 2))],  # noqa: B023
                    lambda: FILES.read_range(missing, 0, 1),  # noqa: B023
                    lambda: FILES.open_read(missing),  # noqa: B023
                    lambda: FILES.read_contained(root, "f/a", max_bytes=5),  # noqa: B023
                    lambda: FILES.read_contained(folder, "empty", max_bytes=5),  # noqa: B023
                    lambda: [FILES.read_contained(root, "f/a", max_bytes=99, first=n) for n in (1, 3, 99)],  # noqa: B023
                    lambda: FILES.digest(path),  # noqa: B023
                )
            ]
        )
    assert answers[0] == answers[1]
    assert answers[0][0] == ["a", "empty", "sub"]


def test_a_walk_names_all_objects_below_a_folder_but_hidden_ones(bucket, tmp_path):
    for root in (bucket, str(tmp_path)):
        for name in ("f/a", "f/x/y/b", "f/.hidden", "f/.x/c", "g/d"):
            folder, _, last = name.rpartition("/")
            FILES.make_folder(FILES.join(root, folder))
            write(FILES.join(FILES.join(root, folder), last), b"1")
        assert sorted(FILES.walk_names(FILES.join(root, "f"))) == ["a", "x/y/b"]
        assert list(FILES.walk_names(FILES.join(root, "none"))) == []


@pytest.mark.parametrize("name", ["missing", "a"])
def test_a_photograph_that_cannot_be_had_is_the_photographs_fault(name, bucket, tmp_path):
    for root in (bucket, str(tmp_path)):
        write(FILES.join(root, "a"), b"123456")
        with pytest.raises(ImageError) as caught:
            FILES.read_contained(root, name, max_bytes=5)
        assert ("no such file" if name == "missing" else "6 bytes, more than the limit of 5") in str(caught.value)


def test_an_object_is_written_over_as_a_whole(bucket):
    path = f"{bucket}/a"
    write(path, b"old" * 100)
    with FILES.create(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert FILES.read_bytes(path) == b"old" * 100
    assert FILES.read_bytes(path) == b"new"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
@pytest.mark.parametrize("size", [10, 20_000_000])
def test_an_exception_leaves_no_object(error, size, bucket):
    with pytest.raises(type(error)):
        write(f"{bucket}/a", bytes(size), error)
    assert FILES.list_names(bucket) == []


def test_a_disk_that_is_full_of_what_waits(bucket):
    """The kernel refuses every write of a file beyond the limit, as a full disk does."""
    script = (
        "import resource, signal, sys\n"
        "from cocoprep.storage.by_scheme import AnyFiles\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "with AnyFiles().create(sys.argv[1]) as stream:\n"
        "    stream.write(bytes(20_000_000))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, f"{bucket}/a"], check=False, capture_output=True, text=True, timeout=60
    )
    assert f"OutputError: cannot write {bucket}/a: File too large" in found.stderr
    assert "TMPDIR" in found.stderr
    assert FILES.list_names(bucket) == []


def test_long_reads_and_short_ones_anywhere(bucket):
    path = f"{bucket}/big"
    write(path, BIG)
    assert FILES.read_bytes(path) == BIG
    with FILES.open_read(path) as stream:
        assert stream.seek(0, os.SEEK_END) == len(BIG)
        for at in (0, 1, 262_143, 262_145, 9_000_000, 5, len(BIG) - 3):
            stream.seek(at)
            assert stream.read(1000) == BIG[at : at + 1000]
        stream.seek(0)
        assert b"".join(iter(lambda: stream.read(300_001), b"")) == BIG
        stream.seek(len(BIG) + 5)
        assert stream.read() == b""


def test_reading_on_asks_for_more_and_jumping_for_little(bad_service, bucket):
    path = f"{bucket}/big"
    write(path, BIG)
    bad_service.seen.clear()
    with FILES.open_read(path) as stream:
        while stream.read(100_000):
            pass
    assert len(bad_service.seen) < 10
    assert sum(seen.answered for seen in bad_service.seen) < len(BIG) + 10_000
    bad_service.seen.clear()
    with FILES.open_read(path) as stream:
        for at in range(0, 20_000_000, 2_000_000):
            stream.seek(at)
            stream.read(1000)
    assert sum(seen.answered for seen in bad_service.seen) < 11 * 300_000


def test_a_zip_is_read_by_ranges(bad_service, bucket):
    packed, photographs = io.BytesIO(), {f"{n:04d}.jpg": os.urandom(100_000) for n in range(200)}
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in photographs.items():
            archive.writestr(f"train2017/{name}", data)
    write(f"{bucket}/train2017.zip", packed.getvalue())
    bad_service.seen.clear()
    images = open_images(f"{bucket}/train2017.zip", FILES)
    names = list(photographs)[::20]
    assert all(images.read(name) == photographs[name] for name in names)
    assert images.digest("0007.jpg") is not None
    assert len(bad_service.seen) < 2 * len(names) + 8
    assert sum(seen.answered for seen in bad_service.seen) < 300_000 * (len(names) + 4)  # of 20 MB


def test_a_tar_is_read_on_once_and_then_by_ranges(bad_service, bucket):
    packed, photographs = io.BytesIO(), {f"{n:04d}.jpg": os.urandom(100_000) for n in range(200)}
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in photographs.items():
            info = tarfile.TarInfo(f"train2017/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    write(f"{bucket}/train2017.tar", packed.getvalue())
    bad_service.seen.clear()
    names = list(photographs)[::20]
    images = open_images(f"{bucket}/train2017.tar", FILES)
    places = images.places(names)
    assert len(places) == len(names)
    assert len(bad_service.seen) < 20  # for 200 members: no request each
    bad_service.seen.clear()
    elsewhere = open_images(f"{bucket}/train2017.tar", FILES)  # as a worker does
    elsewhere.learn(places)
    assert all(elsewhere.read(name) == photographs[name] for name in names)
    assert len(bad_service.seen) < 2 * len(names) + 8
    assert sum(seen.answered for seen in bad_service.seen) < 300_000 * (len(names) + 4)  # of 20 MB


def test_a_zip_that_is_cut_short(bucket):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jpg", bytes(100_000))
    write(f"{bucket}/images.zip", packed.getvalue()[:60_000])
    with pytest.raises(ConfigError, match=r"images\.zip is not a zip that can be read.*cut short"):
        open_images(f"{bucket}/images.zip", FILES)


def read_in_another_process(files, path):
    return files.read_bytes(path)


def test_the_store_pickles_and_works_in_forked_and_threaded_workers(bucket):
    path = f"{bucket}/a"
    write(path, b"whole")
    assert pickle.loads(pickle.dumps(FILES)).read_bytes(path) == b"whole"
    with ProcessPoolExecutor(2) as pool:
        assert set(pool.map(read_in_another_process, [FILES] * 6, [path] * 6)) == {b"whole"}
    found = []
    threads = [threading.Thread(target=lambda: found.append(FILES.read_bytes(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"whole"] * 4


def test_what_is_replaced_while_it_is_read_is_not_mixed(bad_service, bucket):
    path = f"{bucket}/big"
    write(path, BIG)
    with FILES.open_read(path) as stream:
        stream.read(1000)
        # The emulator keeps no generations: the proxy answers as the real service does for one that is gone.
        bad_service.judge = lambda seen: 404 if "generation=" in seen.path else None
        stream.seek(15_000_000)
        with pytest.raises(StoreError, match="replaced or removed while it was read"):
            stream.read(1000)


# A bad service


def failing(times, what):
    """Return a judge that answers `what` so many times, and then lets everything pass."""
    left = iter([what] * times)
    return lambda seen: next(left, None)


@pytest.mark.parametrize(
    "what", [503, ("cut", 100), *(pytest.param(what, marks=pytest.mark.slow) for what in (429, 500, ("wait", 0.5)))]
)
def test_a_service_that_fails_for_a_while(what, bad_service, bucket):
    files = AnyFiles(patience_s=20)
    for act in (
        lambda: write(f"{bucket}/a", BIG[:100_000]),
        lambda: files.read_bytes(f"{bucket}/a") == BIG[:100_000],
        lambda: files.list_names(bucket) == ["a"],
        lambda: files.exists(f"{bucket}/a"),
        lambda: write(f"{bucket}/big", BIG),
        lambda: files.read_bytes(f"{bucket}/big") == BIG,
        lambda: files.read_range(f"{bucket}/big", 7, 9_000_000) == BIG[7:9_000_000],
        lambda: files.make_folder(f"{bucket}/folder"),
        lambda: files.delete(f"{bucket}/a"),
    ):
        bad_service.judge = failing(2 if what == 503 else 1, what)
        assert act() in (None, True)
    assert FILES.list_names(bucket) == ["big"]


def create(files, path):
    with files.create(path) as stream:
        stream.write(b"b")


@pytest.mark.parametrize("what", [503, "drop"])
def test_a_service_that_never_answers_well(what, bad_service, bucket):
    write(f"{bucket}/a", b"whole")
    bad_service.judge = lambda seen: what
    files = AnyFiles(patience_s=1)
    for act in (
        lambda: files.read_bytes(f"{bucket}/a"),
        lambda: files.read_range(f"{bucket}/a", 0, 3),
        lambda: files.make_folder(bucket),
        lambda: files.list_names(bucket),
        lambda: files.exists(f"{bucket}/a"),
        lambda: files.delete(f"{bucket}/a"),
        lambda: files.read_contained(bucket, "a", max_bytes=100),  # not the photograph's fault
        lambda: create(files, f"{bucket}/b"),
    ):
        started = time.monotonic()
        with pytest.raises(StoreError, match=rf"{bucket}/?.*does not answer as it should.*run the same command again"):
            act()
        assert time.monotonic() - started < 6
    bad_service.judge = lambda seen: None
    assert FILES.list_names(bucket) == ["a"]


def test_an_account_that_may_not(bad_service, bucket):
    bad_service.judge = lambda seen: 403
    for act in (
        lambda: FILES.read_bytes(f"{bucket}/a"),
        lambda: FILES.read_range(f"{bucket}/a", 0, 1),
        lambda: FILES.exists(f"{bucket}/a"),
        lambda: FILES.make_folder(bucket),
        lambda: FILES.read_contained(bucket, "a", max_bytes=10),
        lambda: write(f"{bucket}/a", b"x"),
    ):
        with pytest.raises(StoreError, match=r"the bucket refuses this account.*Storage Object Viewer"):
            act()


def test_an_account_that_may_only_read_is_told_so_by_an_empty_folder(bad_service, bucket):
    bad_service.judge = lambda seen: 403 if seen.method == "POST" else None
    says = rf"{bucket}/new: the bucket refuses this account \(403 as the test wants it\)\. .*Storage Object User"
    with pytest.raises(StoreError, match=says):
        FILES.make_folder(f"{bucket}/new")
    bad_service.judge = lambda seen: None
    FILES.make_folder(f"{bucket}/new")
    assert FILES.list_names(bucket) == []


def test_no_such_bucket(bucket):
    nowhere = f"{bucket}-nowhere"
    for act in (
        lambda: FILES.exists(nowhere),
        lambda: FILES.exists(f"{nowhere}/a"),
        lambda: FILES.is_folder(f"{nowhere}/a"),
        lambda: FILES.make_folder(f"{nowhere}/a"),
        lambda: FILES.list_names(f"{nowhere}/a"),
        lambda: write(f"{nowhere}/a", b"x"),
    ):
        with pytest.raises(StoreError, match=f"no bucket {nowhere}. Check its name"):
            act()


def test_what_is_stored_compressed_cannot_be_read_by_ranges(bucket, storage_address):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    blob = storage.Client(project=None, credentials=AnonymousCredentials()).bucket(bucket[5:]).blob("a")
    blob.content_encoding = "gzip"
    blob.upload_from_string(b"x")
    with pytest.raises(StoreError, match="Content-Encoding gzip"):
        FILES.open_read(f"{bucket}/a")


def without_credentials(tmp_path, **more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE", "STORAGE", "CLOUDSDK", "GCE"))}
    return {**kept, "HOME": str(tmp_path), **more}


@pytest.mark.parametrize("silent", [False, True])
def test_no_credentials_are_told_at_once(silent, tmp_path):
    """Also where the place that a machine of Google's would ask takes the call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        place = f"127.0.0.1:{mute.getsockname()[1]}"
        more = {"GCE_METADATA_HOST": place, "GCE_METADATA_IP": place} if silent else {}
        started = time.monotonic()
        found = subprocess.run(
            [sys.executable, "-m", "cocoprep", "info", "gs://some-bucket/shards"],
            check=False, capture_output=True, text=True, timeout=60, env=without_credentials(tmp_path, **more),
        )  # fmt: skip
    assert found.returncode == 1
    assert "no Google credentials" in found.stderr
    assert "gcloud auth application-default login" in found.stderr
    assert time.monotonic() - started < 12


def test_a_key_file_that_is_not_there(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "cocoprep", "info", "gs://some-bucket/shards"],
        check=False, capture_output=True, text=True, timeout=60,
        env=without_credentials(tmp_path, GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "key.json")),
    )  # fmt: skip
    assert found.returncode == 1
    assert "key.json" in found.stderr
    assert "GOOGLE_APPLICATION_CREDENTIALS" in found.stderr


def test_many_names_come_in_pages(bucket):
    for n in range(30):
        write(f"{bucket}/f/{n:03d}", b"")
    assert FILES.list_names(f"{bucket}/f") == [f"{n:03d}" for n in range(30)]


def test_two_buckets_do_not_meet(bucket, storage_address):
    other = new_bucket(storage_address)
    write(f"{bucket}/a", b"1")
    assert not FILES.exists(f"{other}/a")


def test_the_disk_for_what_waits_is_named(bucket, monkeypatch):
    with pytest.raises(OutputError, match=rf"cannot write {bucket}/a: No space left.*TMPDIR"):
        write(f"{bucket}/a", OSError(28, "No space left on device"))
    assert isinstance(FILES.store_of(bucket), BucketFiles)


def test_paths_of_this_machine_load_neither_beam_nor_googles_library(tmp_path):
    script = (
        "import sys\n"
        "from cocoprep.storage.by_scheme import AnyFiles\n"
        "AnyFiles().exists(sys.argv[1])\n"
        "print({'apache_beam', 'google.cloud.storage', 'google.auth', 'requests'} & set(sys.modules))\n"
    )
    found = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True)
    assert found.stdout == "set()\n"
