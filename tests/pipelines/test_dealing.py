"""Who writes which shard: each once, whoever is free."""

from __future__ import annotations

import threading

import pytest

from cocoprep.errors import OutputError
from cocoprep.pipelines.dealing import ClaimedByWorkers, DealtByEngine

LABELS = [f"{index:05d}-of-00040" for index in range(40)]


def offered(tmp_path):
    dealing = ClaimedByWorkers(str(tmp_path / "shards"))
    return dealing, [dealing.offer(label, [label.encode()]) for label in LABELS]


def test_an_engines_worker_writes_what_it_is_given():
    dealing = DealtByEngine()
    dealt = dealing.offer(LABELS[0], [b"people"])
    assert list(dealing.take(dealt)) == [(LABELS[0], [b"people"])]


def test_the_content_of_claimed_shards_does_not_pass_through_the_engine(tmp_path):
    dealing, dealt = offered(tmp_path)
    assert dealt == [(label, []) for label in LABELS]
    assert list(dealing.take(dealt[7])) == [(label, [label.encode()]) for label in LABELS]
    assert list(dealing.take(dealt[8])) == []


def test_a_slow_worker_keeps_nobody_waiting(tmp_path):
    dealing, dealt = offered(tmp_path)
    slow = dealing.take(dealt[0])
    first = next(slow)
    others = [shard for number in range(1, 40, 2) for shard in dealing.take(dealt[number])]
    assert [first, *others] == [(label, [label.encode()]) for label in LABELS]
    assert list(slow) == []


def test_workers_at_the_same_time_take_each_shard_once(tmp_path):
    dealing, dealt = offered(tmp_path)
    taken = []

    def work(number):
        taken.extend(label for n in range(number, 40, 8) for label, _ in dealing.take(dealt[n]))

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == LABELS


def test_no_room_for_temporary_files_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"cannot write to the folder for temporary files, .* TMPDIR"):
        ClaimedByWorkers(str(tmp_path / "file" / "shards")).offer(LABELS[0], [])
