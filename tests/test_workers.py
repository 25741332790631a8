from __future__ import annotations

import os

import pytest

from cocoprep.workers import default_workers


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no system that binds processes to cores")
def test_a_process_bound_to_one_core_counts_one():
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        assert default_workers() == 1
    finally:
        os.sched_setaffinity(0, cores)
    assert default_workers() == len(cores)


@pytest.mark.parametrize(("cores", "expected"), [(6, 6), (None, 1)])
def test_where_processes_are_not_bound_the_machines_cores_count(monkeypatch, cores, expected):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert default_workers() == expected
