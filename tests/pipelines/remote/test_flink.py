"""What is added to the options of a build on Flink, and what a cluster must be told."""

from __future__ import annotations

import pytest

from cocoprep.errors import ConfigError
from cocoprep.pipelines.remote.flink import flink_arguments
from cocoprep.workers import default_workers

HERE = [f"--parallelism={default_workers()}"]
CLUSTER = {"flink_master": "cluster:8081"}


@pytest.mark.parametrize(
    ("given", "added"),
    [
        ({}, HERE),
        ({"flink_master": "[auto]"}, HERE),
        ({"flink_master": "[local]"}, HERE),
        ({"environment_type": "LOOPBACK"}, HERE),
        ({"parallelism": 3}, []),
        ({"flink_master": "[local]", "parallelism": 1}, []),
        ({**CLUSTER, "environment_type": "EXTERNAL", "parallelism": 8}, []),
        ({"job_endpoint": "host:8099", "environment_type": "DOCKER", "parallelism": 8}, []),
    ],
)
def test_on_this_machine_all_cores_work_unless_it_is_said(given, added):
    assert flink_arguments(given) == added


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        (CLUSTER, "environment_type"),
        ({**CLUSTER, "parallelism": 8}, "environment_type"),
        ({"job_endpoint": "host:8099"}, "environment_type"),
        ({"job_endpoint": "host:8099", "flink_master": "[local]"}, "environment_type"),
        ({**CLUSTER, "environment_type": "PROCESS"}, "parallelism"),
    ],
)
def test_on_a_cluster_it_must_be_said(given, lacks):
    with pytest.raises(ConfigError, match=f"^--{lacks}: on a Flink cluster"):
        flink_arguments(given)
