"""Several hosts that train together: two processes of this machine, joined by JAX."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cocoprep.errors import ConfigError
from cocoprep.model.backends.hosts import OneHost
from tests.support.training import QUICKLY_COMPILED, lines_of

pytest.importorskip("jax")
ROOT = Path(__file__).parents[3]
SETTINGS = ("--channels", "8", "--depth", "1", "--stacks", "1", "--batch-size", "4", "--log-steps", "1", "--ema", "0.9")


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What makes the runs of this file compile little, and that once."""
    return {
        **os.environ,
        "XLA_FLAGS": QUICKLY_COMPILED,
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(environment, run, *options):
    command = [sys.executable, "-m", "cocoprep", "train", "--run-dir", str(run), *options]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def start_hosts(environment, run, *options, second=None):
    """Start a host, and a second one, with other options if so wished; return both processes."""
    joined = {**environment, "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{free_port()}", "JAX_NUM_PROCESSES": "2"}
    return [
        start({**joined, "JAX_PROCESS_ID": str(place)}, run, "--devices", "hosts", *given)
        for place, given in enumerate((options, options if second is None else second))
    ]


def end(processes):
    """Return what each has said, and with what status it ended."""
    said = [process.communicate()[0] for process in processes]
    return said, [process.returncode for process in processes]


def wait_for_steps(run, processes, count):
    while not (run / "log.jsonl").exists() or len(lines_of(run)) < count:
        assert all(process.poll() is None for process in processes), end(processes)
        time.sleep(0.05)


def losses(run):
    return [(line["step"], line["loss"]) for line in lines_of(run)]


def options_for(data, epochs):
    return ("--data", str(data), "--val", str(data), *SETTINGS, "--epochs", str(epochs))


@pytest.mark.slow
def test_two_hosts_train_one_network_in_the_first_ones_folder(data, environment, tmp_path):
    run = tmp_path / "two"
    said, statuses = end(start_hosts(environment, run, *options_for(data, 1), second=()))
    assert statuses == [0, 0], said
    assert "2 CPU devices of 2 hosts" in said[0]
    assert f"host 1: 5 steps done; the run is in {run} of host 0\n" in said[1]
    assert len(losses(run)) == 5
    assert len(lines_of(run, "val")) == 1


@pytest.mark.long
def test_two_hosts_train_as_one_does_and_stop_and_go_on_together(data, environment, tmp_path):
    run, options = tmp_path / "two", options_for(data, 2)
    hosts = start_hosts(environment, run, *options)
    wait_for_steps(run, hosts, 1)
    hosts[1].send_signal(signal.SIGTERM)  # of which JAX would have its own idea
    said, statuses = end(hosts)
    assert statuses == [130, 130], said
    assert 1 <= losses(run)[-1][0] < 10
    said, statuses = end(start_hosts(environment, run, "--resume"))  # of the others, everything comes from the first
    assert statuses == [0, 0], said
    assert f"host 1: 10 steps done; the run is in {run} of host 0\n" in said[1]
    one = start(environment, tmp_path / "one", "--backend", "jax", *options)
    said, statuses = end([one])
    assert statuses == [0], said
    np.testing.assert_allclose(losses(run), losses(tmp_path / "one"), rtol=1e-4)
    figures = [[line["loss"] for line in lines_of(tmp_path / name, "val")] for name in ("two", "one")]
    np.testing.assert_allclose(*figures, rtol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("killed", [0, 1])
def test_a_host_that_is_killed_ends_the_others_and_all_go_on(killed, data, environment, tmp_path):
    options = (*options_for(data, 3), "--checkpoint-steps", "3")
    said, statuses = end(start_hosts(environment, tmp_path / "whole", *options))
    assert statuses == [0, 0], said
    run = tmp_path / "killed"
    hosts = start_hosts(environment, run, *options)
    wait_for_steps(run, hosts, 7)
    hosts[killed].kill()
    started = time.monotonic()
    said, statuses = end(hosts)
    assert statuses[1 - killed] in (1, -signal.SIGABRT)  # JAX may be the first to find out
    assert "cannot go on: another one is gone" in said[1 - killed] or statuses[1 - killed] < 0
    assert time.monotonic() - started < 90
    said, statuses = end(start_hosts(environment, run, *options, "--resume"))
    assert statuses == [0, 0], said
    assert losses(run) == losses(tmp_path / "whole")


@pytest.mark.long
def test_a_host_that_fails_says_why_and_ends_the_others(data, environment, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(data, damaged)
    for shard in damaged.glob("*.tfrecord-*-of-00003"):
        before, picture, after = shard.read_bytes().partition(b"\xff\xd8")
        shard.write_bytes(before + picture + (bytes(200) + after[200:] if picture else b""))
    options = options_for(data, 9)
    hosts = start_hosts(environment, tmp_path / "run", *options, second=("--data", str(damaged), *options[2:]))
    said, statuses = end(hosts)
    assert 0 not in statuses
    assert statuses[1] == 1
    assert f"error: {damaged}" in said[1]
    assert "cannot begin" not in said[0], said


@pytest.mark.long
def test_hosts_that_do_not_fit_end_all_of_them(data, people_folder, environment, tmp_path):
    options = options_for(data, 2)
    said, statuses = end(start_hosts(environment, tmp_path / "a", *options, second=(*options, "--learning-rate", "1")))
    assert statuses == [1, 1]
    assert "begun with other settings: optimizer.learning_rate was 0.001, now 1" in said[1]
    assert "host 1 (of 0 to 1) cannot begin; it says why" in said[0]
    assert f"{tmp_path}/a has a run of step 0 now: with --resume on all hosts it goes on" in said[0]
    other = people_folder(images=9, size=(32, 32))
    said, statuses = end(start_hosts(environment, tmp_path / "b", *options, second=options_for(other, 2)))
    assert statuses == [1, 1]
    assert "the shards of --data are another build's" in said[1]
    constant = [(*options_for(data, epochs), "--schedule", "constant") for epochs in (2, 3)]
    said, statuses = end(start_hosts(environment, tmp_path / "c", *constant[0], second=constant[1]))
    assert statuses == [1, 1]
    assert "--epochs: expected what host 0 is told, 2, found 3" in said[1]
    (tmp_path / "a" / "log.jsonl").write_text("[1]\n")
    said, statuses = end(start_hosts(environment, tmp_path / "a", *options, "--resume"))
    assert statuses == [1, 1]
    assert "line 1 is none that training writes" in said[0]
    assert "host 0 (of 0 to 1) cannot begin; it says why" in said[1]


@pytest.mark.slow
def test_what_is_wrong_with_hosts_is_told(data, environment, tmp_path):
    def refused(expected, *options, **more):
        said, statuses = end([start({**environment, **more}, tmp_path, *options, *options_for(data, 1))])
        assert statuses == [1], said
        assert expected in said[0]

    refused("set JAX_COORDINATOR_ADDRESS=HOST:PORT, the first one's, JAX_NUM_PROCESSES and", "--devices", "hosts")
    refused("JAX_NUM_PROCESSES: expected a whole number, found 'two'", "--devices", "hosts", JAX_NUM_PROCESSES="two")
    refused(
        "JAX_COORDINATOR_ADDRESS: expected HOST:PORT", "--devices", "hosts", JAX_COORDINATOR_ADDRESS="10.0.0.1:99999"
    )
    places = {"JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "2"}
    refused("JAX_PROCESS_ID: expected a number below JAX_NUM_PROCESSES, 2, found 2", "--devices", "hosts", **places)
    refused("--devices hosts: expected --backend jax", "--devices", "hosts", "--backend", "tensorflow")
    file = tmp_path / "hosts.toml"
    file.write_text('devices = "hosts"\nbackend = "jax"\n')
    refused("say it on the command line", "--config", str(file))


def test_hosts_are_to_have_as_many_devices_each():
    from cocoprep.model.backends.jax.hosts import check_alike

    check_alike({0: 4, 1: 4})
    with pytest.raises(ConfigError, match="expected as many devices on each host, found host 0 2, host 1 1"):
        check_alike({1: 1, 0: 2})


def test_chips_of_a_slice_are_not_used_by_one_host_alone(monkeypatch):
    """What libtpu says of a slice of several hosts, which is not to be had here."""
    import jax

    from cocoprep.model.backends.jax.placing import choose_mesh

    monkeypatch.setattr(jax, "process_count", lambda: 4)
    with pytest.raises(
        ConfigError, match="of a slice of 4 hosts, which compute together or not at all: --devices hosts"
    ):
        choose_mesh("all", 4)


def test_one_host_says_what_it_says():
    assert OneHost().gather(True) == [True]
    assert OneHost().share(b"all") == b"all"
