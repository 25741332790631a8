"""What a build on Flink needs besides what is given after `--`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cocoprep.errors import ConfigError
from cocoprep.workers import default_workers

LOCAL_MASTERS = ("[local]", "[auto]")


def flink_arguments(given: Mapping[str, Any]) -> list[str]:
    """Return the options to add to those given.

    Raises:
        ConfigError: on a cluster it must be said how workers run there.
    """
    arguments = []
    if given.get("flink_master", LOCAL_MASTERS[1]) in LOCAL_MASTERS and not given.get("job_endpoint"):
        if "parallelism" not in given:
            arguments.append(f"--parallelism={default_workers()}")
        return arguments
    if "environment_type" not in given:
        raise ConfigError(
            "--environment_type: on a Flink cluster, say how its machines run Python after --: "
            "--environment_type=DOCKER --environment_config=IMAGE (an image with cocoprep in it, see "
            "pipelines/Dockerfile), EXTERNAL with the address of a worker pool, or PROCESS with "
            '\'{"command": "/opt/apache/beam/boot"}\'.'
        )
    if "parallelism" not in given:
        raise ConfigError(
            "--parallelism: on a Flink cluster, say after -- how many workers to use: Flink would use one."
        )
    return arguments
