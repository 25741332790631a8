"""What a build on Google's Dataflow needs besides what is given after `--`: defaults, and refusals that explain."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cocoprep.builder.config import BuildConfig
from cocoprep.errors import ConfigError
from cocoprep.pipelines.remote.worker_package import write_wheel
from cocoprep.storage.paths import BUCKET_SCHEME
from cocoprep.storage.store import FileStore

EXAMPLE = (
    "cocoprep build --split train2017 --data-dir gs://my-bucket/coco --out gs://my-bucket/shards/train2017 "
    "--runner DataflowRunner -- --project my-project --region us-central1 --temp_location gs://my-bucket/tmp"
)
NUM_WORKERS = 4  # to begin with
DEFAULTS = {
    # Beam runs one process a core. 4 GB a core: reading COCO's annotations takes 0.6 GB, a shard 0.2 GB.
    "machine_type": "--worker_machine_type=e2-standard-2",
    # Work is dealt by the shard, and a split of COCO's has some 35: more workers than this would wait for one another.
    "max_num_workers": f"--max_num_workers={2 * NUM_WORKERS}",
    "disk_size_gb": "--disk_size_gb=30",  # pixels pass through no shuffle; the image and some temporary files do fit
    "number_of_worker_harness_threads": "--number_of_worker_harness_threads=1",  # one shard a process: bounds memory
    "save_main_session": "--no_save_main_session",
}
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_FOLDER = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/.+")


def dataflow_arguments(config: BuildConfig, given: Mapping[str, Any], folder: Path, files: FileStore) -> list[str]:
    """Check what is given and return the options to add.

    Args:
        config: what to build.
        given: what is set after `--`, by Beam's names.
        folder: where to put the package for the workers; keep it until the job is submitted.
        files: where paths lie.

    Raises:
        ConfigError: an option is missing or wrong, a path is of this machine, or Beam's part for Google is not there.
        StoreError: a bucket is not there or not ours to use.
    """
    try:
        importlib.import_module("apache_beam.runners.dataflow.internal.apiclient")
    except ImportError as error:
        raise ConfigError(
            "--runner: DataflowRunner needs Beam's part for Google: pip install 'cocoprep[gcp]'."
        ) from error
    problems = [*_wrong_options(given), *_wrong_paths(config)]
    if problems:
        raise ConfigError(
            "\n  ".join(["a build on Dataflow needs other options:", *problems, f"All in all: {EXAMPLE}"])
        )
    _look_at_buckets(config, given, files)
    arguments = [argument for name, argument in DEFAULTS.items() if name not in given]
    if "num_workers" not in given:
        arguments.append(f"--num_workers={min(NUM_WORKERS, given.get('max_num_workers', NUM_WORKERS))}")
    if "job_name" not in given:
        arguments.append(f"--job_name={job_name(config.split)}")
    if "labels" not in given:
        arguments.append("--labels=made-by=cocoprep")
    if "sdk_container_image" not in given:
        arguments.append(f"--extra_package={write_wheel(folder)}")
    if not any("submission_environment" in experiment for experiment in given.get("experiments") or ()):
        # Beam would put a list of all that is installed here into the bucket.
        arguments.append("--experiments=disable_logging_submission_environment")
    return arguments


def job_name(split: str) -> str:
    """Return a name that Dataflow takes: it refuses a second running job of the same name, so of the same split."""
    plain = re.sub(r"[^a-z0-9]+", "-", split.lower()).strip("-")
    return f"cocoprep-{plain}"[:63].rstrip("-")


def _wrong_options(given: Mapping[str, Any]) -> list[str]:
    checks = [
        ("project", _PROJECT, "the id of a Google Cloud project, such as my-project"),
        ("region", _REGION, "a region such as us-central1 (not a zone such as us-central1-a), best that of the bucket"),
        ("temp_location", _FOLDER, "a folder in a bucket for Dataflow's own files, such as gs://my-bucket/tmp"),
        ("staging_location", _FOLDER, "a folder in a bucket, such as gs://my-bucket/staging"),
    ]
    problems = []
    for name, form, expected in checks:
        value = given.get(name)
        if value is None and name != "staging_location":
            problems.append(f"--{name}: expected {expected}, found nothing.")
        elif value is not None and not form.fullmatch(value):
            problems.append(f"--{name}: expected {expected}, found {value!r}.")
    return problems


def _wrong_paths(config: BuildConfig) -> list[str]:
    inputs = [
        (option, path)
        for one in config.each_source
        for option, path in (("--annotations", one.annotations), ("--images", one.images))
    ]
    return [
        f"{option}: expected a path that begins with {BUCKET_SCHEME}, found {path}. Dataflow's workers do not see the "
        "files of this machine: `gcloud storage cp` takes them to a bucket."
        for option, path in (*inputs, ("--out", config.out))
        if not path.startswith(BUCKET_SCHEME)
    ]


def _look_at_buckets(config: BuildConfig, given: Mapping[str, Any], files: FileStore) -> None:
    """Find out now what a worker would find out minutes later."""
    for one in config.each_source:
        if not files.exists(one.annotations):
            raise ConfigError(f"--annotations: expected a COCO keypoints file at {one.annotations}, found nothing.")
        if not files.exists(one.images) and not files.is_folder(one.images):
            raise ConfigError(f"--images: expected a folder, a .zip or a .tar at {one.images}, found nothing.")
    for path in (config.out, given["temp_location"]):
        files.list_names(path)
