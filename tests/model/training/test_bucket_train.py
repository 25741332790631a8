"""Training on shards in a bucket: the losses of a disk, in few requests, whatever the service does."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from cocoprep.errors import ConfigError, RecordError, StoreError
from cocoprep.shards.names import MANIFEST
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.buckets import put
from tests.support.training import lines_of, open_tiny

pytest.importorskip("tensorflow")
pytestmark = pytest.mark.slow
FILES = AnyFiles(patience_s=20)
SMALL = {"epochs": 2, "network__stacks": 1}


@pytest.fixture(scope="module")
def local(people_folder):
    """Return the folders of a data set: 20 people to learn from, 6 to validate on."""
    small = {"size": (32, 32), "shards": 3}
    return people_folder(**small), people_folder(**small, images=3, seed=1)


@pytest.fixture
def remote(local, bucket):
    """Return the same folders in a bucket."""
    return put(local[0], f"{bucket}/data"), put(local[1], f"{bucket}/val")


@pytest.fixture(scope="module")
def whole(local, tmp_path_factory):
    """Return a run on a disk, from start to end."""
    run = tmp_path_factory.mktemp("whole") / "run"
    open_tiny(*local, run, **SMALL).go()
    return run


def curves(run):
    return lines_of(run), lines_of(run, "val")


@pytest.mark.long
@pytest.mark.parametrize("cache", [True, False])
def test_losses_are_those_of_the_disk(whole, remote, tmp_path, cache):
    run = tmp_path / "run"
    open_tiny(*remote, run, files=FILES, cache=cache, **SMALL).go()
    assert curves(run) == curves(whole)
    assert len(curves(run)[1]) == 2


@pytest.mark.long
def test_the_command_from_bucket_to_disk(local, remote, bucket, tmp_path):
    (tmp_path / "tiny.json").write_text('{"network": {"channels": 8, "depth": 1, "stacks": 1}, "batch_size": 4}')
    settings = put(tmp_path / "tiny.json", f"{bucket}/tiny.json")
    runs = []
    for name, (data, val), config in (("near", local, tmp_path / "tiny.json"), ("far", remote, settings)):
        runs.append(tmp_path / name)
        options = ["--data", data, "--val", val, "--run-dir", runs[-1], "--config", config, "--epochs", "1"]
        found = subprocess.run(
            [sys.executable, "-m", "cocoprep", "train", *map(str, options)],
            check=False, capture_output=True, text=True, timeout=200,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
    assert curves(runs[0]) == curves(runs[1])


def test_pieces_of_many_records_are_read(local, bad_service, bucket):
    """With one request each, of no byte more than the records have; a record at a time would be twenty."""
    from cocoprep.model.input.config import ReadConfig
    from cocoprep.model.input.dataset import eval_dataset, train_dataset
    from cocoprep.model.input.records import RecordSource
    from tests.support.reading import assert_same, take

    data = put(local[0], f"{bucket}/data")
    config = ReadConfig(batch_size=4, cache=False)
    source = RecordSource(data, config, FILES)
    shards = [shard for shard in source.manifest.shards if shard.examples]
    bad_service.seen.clear()
    everybody = source.read(np.arange(len(source)))
    assert len(everybody) == 20
    requests = [seen for seen in bad_service.seen if "/o/" in seen.path]  # the others are the library's own
    assert len(requests) == len(shards) > 1
    assert sum(seen.answered for seen in requests) == sum(shard.bytes for shard in shards)
    for read, count in ((eval_dataset, None), (train_dataset, 12)):
        assert_same(take(read(source, config), count), take(read(str(local[0]), config), count))


def test_damage_in_a_bucket_is_named_and_skipped(local, bucket):
    from cocoprep.model.input.config import ReadConfig
    from cocoprep.model.input.records import RecordSource

    data = put(local[0], f"{bucket}/data")
    shard = next(name for name in FILES.list_names(data) if ".tfrecord-" in name)
    damaged = bytearray(FILES.read_bytes(f"{data}/{shard}"))
    damaged[200] ^= 1
    with FILES.create(f"{data}/{shard}") as stream:
        stream.write(bytes(damaged))
    with pytest.raises(RecordError, match=f"{data}/{shard}, record 0, annotation .* fails its CRC"):
        RecordSource(data, ReadConfig(), FILES).read(np.arange(20))
    found = RecordSource(data, ReadConfig(on_bad_record="skip"), FILES)
    assert (len(found), len(found.skipped)) == (19, 1)
    FILES.delete(f"{data}/{shard}")
    with pytest.raises(RecordError, match="1 of 3 shards are missing"):
        RecordSource(data, ReadConfig(), FILES)


@pytest.mark.long
def test_a_service_that_often_fails_changes_no_loss(whole, remote, bad_service, tmp_path):
    rng = np.random.default_rng(0)
    faults = [None] * 16 + [503, ("wait", 0.2), "drop", ("cut", 50)]
    bad_service.judge = lambda seen: faults[rng.integers(len(faults))]
    run = tmp_path / "run"
    open_tiny(*remote, run, files=FILES, cache=False, **SMALL).go()
    bad_service.judge = lambda seen: None
    assert curves(run) == curves(whole)


@pytest.mark.long
def test_a_service_that_fails_for_good_ends_a_run_that_goes_on(remote, bad_service, local, tmp_path):
    """In the middle of the run, when its records do not stay in memory."""
    reference, run = tmp_path / "reference", tmp_path / "run"
    open_tiny(local[0], None, reference, epochs=8, network__stacks=1).go()
    training = open_tiny(remote[0], None, run, files=AnyFiles(patience_s=1), cache=False, epochs=8, network__stacks=1)
    bad_service.judge = lambda seen: 503 if training.now.step >= 6 else None
    with pytest.raises(StoreError, match=r"does not answer as it should.*the last: 503.*run the same command again"):
        training.go()
    training._lock.release()
    assert 6 <= training.now.step < 40
    bad_service.judge = lambda seen: None
    again = open_tiny(remote[0], None, run, files=FILES, resume=True, epochs=8, network__stacks=1)
    assert again.now.step > 0
    again.go()
    assert curves(run) == curves(reference)


ENDS = """
import sys, time
from cocoprep.model.input.dataset import eval_dataset
from cocoprep.model.input.failures import readable_errors
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.records import RecordSource
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.errors import StoreError
source = RecordSource(sys.argv[1], ReadConfig(batch_size=1, cache=False), AnyFiles(patience_s=20))
print("opened", flush=True)
sys.stdin.readline()
try:
    with readable_errors():
        list(eval_dataset(source, ReadConfig(batch_size=1, cache=False)).as_numpy_iterator())
except StoreError as error:
    print("failed", error, flush=True)
"""


@pytest.mark.long
def test_a_process_ends_when_its_bucket_has_failed(remote, bad_service):
    """At once: its other readers do not wait for the bucket all over again."""
    command = [sys.executable, "-c", ENDS, remote[0]]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == "opened\n"
        bad_service.judge = lambda seen: 503
        process.stdin.write("\n")
        process.stdin.flush()
        assert "failed" in process.stdout.readline()
        failed = time.monotonic()
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert time.monotonic() - failed < 19  # a reader of its own patience would take 20 s


def test_no_rights_are_told_before_the_run_begins(remote, bad_service, tmp_path):
    bad_service.judge = lambda seen: 403 if "/val" in seen.path else None
    with pytest.raises(StoreError, match=f"{remote[1]}/{MANIFEST}: the bucket refuses this account"):
        open_tiny(*remote, tmp_path / "run", files=FILES)
    assert not (tmp_path / "run").exists()


def test_what_is_not_there_is_told(bucket, local, tmp_path):
    with pytest.raises(StoreError, match=f"no bucket {bucket}-nowhere"):
        open_tiny(f"{bucket}-nowhere/data", None, tmp_path / "run", files=FILES)
    with pytest.raises(RecordError, match=rf"{bucket}/none: no manifest\.json"):
        open_tiny(local[0], f"{bucket}/none", tmp_path / "run", files=FILES)
    with pytest.raises(ConfigError, match="s3://a/b: expected a path of this machine or one that begins with gs://"):
        open_tiny("s3://a/b", None, tmp_path / "run", files=FILES)


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_lies_on_this_machine(local, bucket, resume, tmp_path, monkeypatch):
    from cocoprep.model.run.resolve import resolve_config

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"--run-dir: expected a folder of this machine.*gcloud storage cp -r"):
        resolve_config(f"{bucket}/run", None, {"data": str(local[0])}, resume=resume)
    assert FILES.list_names(bucket) == []
    assert list(tmp_path.iterdir()) == []
