"""Builds on Dataflow, up to Google's door: what is refused, submitted and staged, and that workers can run it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.errors import ConfigError, StoreError
from cocoprep.pipelines.counters import disagreements
from cocoprep.pipelines.local.run import run_local_build
from cocoprep.pipelines.remote.dataflow import job_name
from cocoprep.pipelines.remote.run import run_remote_build
from cocoprep.pipelines.remote.worker_package import write_wheel
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.pipelines.remote.engines import end_workers, find_engine
from tests.pipelines.test_bucket_build import FILES, put_coco
from tests.support.buckets import new_bucket
from tests.support.people import write_people

ROOT = Path(__file__).parents[3]
SMALL = {"crop": CropConfig(input_size=(32, 32)), "select": SelectConfig(shards=4)}
GOOD = ("--project=my-project", "--region=us-central1", "--temp_location=gs://my-bucket/tmp")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    write_people(folder, images=8)
    return folder


def config_of(folder, out, **changes):
    values = {
        "split": "train2017",
        "annotations": f"{folder}/annotations/person_keypoints_train2017.json",
        "images": f"{folder}/train2017",
        "out": str(out),
        **SMALL,
    }
    return BuildConfig(**{**values, **changes})


def digests(folder):
    return [(shard.name, shard.sha256, shard.sidecar) for shard in read_manifest(str(folder), LocalFiles()).shards]


def refusal(config, *options):
    with pytest.raises(ConfigError) as failure:
        run_remote_build(config, "DataflowRunner", options)
    return str(failure.value)


IN_BUCKETS = config_of("gs://my-bucket/coco", "gs://my-bucket/out")


def test_all_that_is_missing_is_named_at_once(people, tmp_path):
    said = refusal(config_of(people, tmp_path))
    for option in ("--project", "--region", "--temp_location"):
        assert re.search(rf"{option}: expected .*, found nothing\.", said), option
    for option in ("--annotations", "--images", "--out"):
        assert f"{option}: expected a path that begins with gs://, found /" in said
    assert "--runner DataflowRunner -- --project my-project --region us-central1 --temp_location gs://" in said


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--project=My Project", "--project: expected the id of a Google Cloud project"),
        ("--region=us-central1-a", "not a zone such as us-central1-a"),
        ("--temp_location=/tmp/there", "--temp_location: expected a folder in a bucket"),
        ("--temp_location=gs://my-bucket", "--temp_location: expected a folder in a bucket"),
        ("--temp_location=gs://ab/tmp", "--temp_location: expected a folder in a bucket"),
        ("--staging_location=/tmp/there", "--staging_location: expected a folder in a bucket"),
        ("--machine=big", "Beam does not know --machine"),
    ],
)
def test_a_wrong_option_is_explained(option, says):
    name = option.split("=")[0]
    said = refusal(IN_BUCKETS, *(good for good in GOOD if not good.startswith(name)), option)
    assert says in said
    assert "found nothing" not in said


@pytest.mark.parametrize(
    ("split", "name"),
    [("train2017", "cocoprep-train2017"), ("My_Split.v2", "cocoprep-my-split-v2"), ("x" * 80, "cocoprep-" + "x" * 54)],
)
def test_names_of_jobs(split, name):
    assert job_name(split) == name
    assert re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name)


@pytest.fixture
def credentials(monkeypatch, tmp_path):
    """Credentials that nobody asks anything of: Beam wants some before it looks at a bucket."""
    path = tmp_path / "credentials.json"
    path.write_text(
        json.dumps({
            "type": "authorized_user", "client_id": "x", "client_secret": "x", "refresh_token": "x", "token": "x",
            "expiry": "2099-01-01T00:00:00Z",
        })
    )  # fmt: skip
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "my-project")


def test_inputs_that_are_not_there_are_missed_before_a_worker_starts(people, bucket, credentials, tmp_path):
    put_coco(people, f"{bucket}/coco", tmp_path)
    options = ("--project=my-project", "--region=us-central1", f"--temp_location={bucket}/tmp")
    here = config_of(f"{bucket}/coco", f"{bucket}/out", images=f"{bucket}/coco/train2017.zip")
    for change, says in (
        ({"annotations": f"{bucket}/coco/no.json"}, f"--annotations: .* {bucket}/coco/no.json, found nothing"),
        ({"images": f"{bucket}/coco/no.zip"}, f"--images: .* {bucket}/coco/no.zip, found nothing"),
    ):
        config = BuildConfig(**{field: getattr(here, field) for field in here.__dataclass_fields__} | change)
        assert re.search(says, refusal(config, *options))
    with pytest.raises(StoreError, match=f"no bucket {bucket}-nowhere"):
        run_remote_build(here, "DataflowRunner", [*options[:2], f"--temp_location={bucket}-nowhere/tmp"])


def test_what_is_submitted_and_staged(people, bucket, storage_address, credentials, tmp_path):
    """The job is translated and staged for real; only the call that would start it is not made."""
    from apache_beam.portability.api import beam_runner_api_pb2

    put_coco(people, f"{bucket}/coco", tmp_path)
    template, temp = tmp_path / "template.json", new_bucket(storage_address)
    found = subprocess.run(
        [
            sys.executable, "-m", "cocoprep", "build", "--data-dir", f"{bucket}/coco", "--split", "train2017",
            "--out", f"{bucket}/shards/train2017", "--runner", "DataflowRunner", "--", "--project", "my-project",
            "--region", "us-central1", "--temp_location", f"{temp}/tmp", f"--template_location={template}",
            "--max_num_workers=3",
        ],
        check=False, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert f"{template}: the job's template. Nothing was built." in found.stderr
    job = json.loads(template.read_text())
    options = job["environment"]["sdkPipelineOptions"]["options"]
    (pool,) = job["environment"]["workerPools"]
    assert (job["name"], job["type"], job["labels"]) == (
        "cocoprep-train2017", "JOB_TYPE_BATCH", {"made-by": "cocoprep"}
    )  # fmt: skip
    assert (options["project"], options["region"]) == ("my-project", "us-central1")
    assert (pool["machineType"], pool["numWorkers"], pool["diskSizeGb"]) == ("e2-standard-2", 3, 30)
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 3  # what is given wins
    assert pool["numThreadsPerWorker"] == 1
    (image,) = pool["sdkHarnessContainerImages"]
    assert image["containerImage"].endswith("sdk:2.77.0")
    assert image["useSingleCorePerContainer"]
    # What is staged: our package, its name for the worker, and the graph; no list of what is installed here.
    staged = {package["name"]: f"gs://{package['location'].split('/', 1)[1]}" for package in pool["packages"]}
    wheel = f"cocoprep-{metadata.version('cocoprep')}-py3-none-any.whl"
    assert set(staged) == {wheel, "extra_packages.txt"}
    assert FILES.read_bytes(staged["extra_packages.txt"]).decode().split() == [wheel]
    assert FILES.read_bytes(staged[wheel]) == write_wheel(tmp_path).read_bytes()
    graph = FILES.read_bytes(options["pipelineUrl"])
    assert len(graph) < 1_000_000
    transforms = beam_runner_api_pb2.Pipeline.FromString(graph).components.transforms.values()
    steps = {transform.unique_name.removeprefix("BuildShards/").split("/")[0] for transform in transforms}
    assert {"Start", "SelectPeople", "DealShards", "WriteShards", "FinishBuild"} <= steps
    assert FILES.list_names(f"{bucket}/shards/train2017") == []


def test_an_image_of_our_own_needs_no_package(people, bucket, credentials, tmp_path):
    from cocoprep.pipelines.options import given_options
    from cocoprep.pipelines.remote.dataflow import dataflow_arguments

    put_coco(people, f"{bucket}/coco", tmp_path, form="folder")
    given = given_options([
        *GOOD[:2], f"--temp_location={bucket}/tmp", "--sdk_container_image=europe-docker.pkg.dev/p/r/cocoprep:1",
    ])  # fmt: skip
    arguments = dataflow_arguments(config_of(f"{bucket}/coco", f"{bucket}/out"), given, tmp_path, FILES)
    assert not [argument for argument in arguments if argument.startswith("--extra_package")]
    assert not list(tmp_path.glob("*.whl"))


def test_the_package_for_workers(tmp_path):
    (tmp_path / "again").mkdir()
    path = write_wheel(tmp_path)
    assert path.read_bytes() == write_wheel(tmp_path / "again").read_bytes()
    assert path.stat().st_size < 1_000_000
    with zipfile.ZipFile(path) as wheel:
        content = {name: wheel.read(name) for name in wheel.namelist()}
    (info,) = {name.split("/")[0] for name in content if ".dist-info/" in name}
    assert {name.split("/")[0] for name in content} == {"cocoprep", info}
    assert "cocoprep/pipelines/transforms.py" in content
    assert not [name for name in content if name.startswith("cocoprep/model/")]
    recorded = {line.split(",")[0]: line.split(",")[1:] for line in content[f"{info}/RECORD"].decode().splitlines()}
    assert set(recorded) == set(content)
    for name, (digest, size) in recorded.items():
        if not name.endswith("RECORD"):
            expected = base64.urlsafe_b64encode(hashlib.sha256(content[name]).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={expected}", len(content[name]))
    required = re.findall(r"^Requires-Dist: (.*)$", content[f"{info}/METADATA"].decode(), re.MULTILINE)
    assert f"pillow=={metadata.version('pillow')}" in required
    assert f"numpy=={metadata.version('numpy')}" in required
    assert [r for r in required if "==" not in r] == [r for r in required if r.startswith("apache-beam<")]
    assert not [r for r in required if re.match("tensorflow|matplotlib|keras|pytest", r)]


# The package, where nothing of this environment is.


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return the Python of an environment with Beam and nothing else, as in Beam's image for workers."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    found = pip(python, "install", "--quiet", "--no-compile", f"apache-beam=={metadata.version('apache-beam')}")
    if found.returncode != 0:
        pytest.skip(f"pip cannot get Beam: {found.stderr.strip().splitlines()[-1]}")
    found = subprocess.run([python, "-c", "import cocoprep"], check=False, capture_output=True, cwd=folder)
    assert found.returncode != 0
    return python


def pip(python, *arguments):
    return subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", *arguments],
        check=False, capture_output=True, text=True, timeout=400, cwd=python.parent, env=environment(),
    )  # fmt: skip


def environment():
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture
def without_package(bare):
    yield bare
    pip(bare, "uninstall", "--yes", "--quiet", "cocoprep", "msgspec", "pillow")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_package_builds_in_a_bare_environment(without_package, people, tmp_path):
    python = without_package
    run_local_build(config_of(people, tmp_path / "here", crop=CropConfig(input_size=(64, 64))), workers=1)
    wheel = write_wheel(tmp_path)
    # As the entry point of Beam's containers does it.
    for options in (("--upgrade", "--force-reinstall", "--no-deps"), ()):
        found = pip(python, "install", "--quiet", "--no-cache-dir", *options, str(wheel))
        assert found.returncode == 0, found.stderr
    installed = {entry["name"].lower() for entry in json.loads(pip(python, "list", "--format=json").stdout)}
    assert not installed & {"tensorflow", "keras", "matplotlib", "opencv-python-headless", "pytest"}
    build = subprocess.run(
        [
            python.parent / "cocoprep", "build", "--data-dir", people, "--split", "train2017", "--input-size", "64",
            "--shards", "4", "--workers", "2", "--out", tmp_path / "there",
        ],
        check=False, capture_output=True, text=True, timeout=200, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    assert build.returncode == 0, build.stderr
    assert digests(tmp_path / "there") == digests(tmp_path / "here")


@pytest.mark.slow
@pytest.mark.prism
@pytest.mark.timeout(600)
def test_workers_install_the_staged_package_and_build(without_package, people, tmp_path):
    """From Beam alone: the entry point of Beam's containers fetches the package, installs it, and starts workers."""
    engine = find_engine("prism", "PROCESS", tmp_path, python=without_package)
    run_local_build(config_of(people, tmp_path / "here"), workers=1)
    options = [*engine.options, f"--extra_package={write_wheel(tmp_path)}"]
    build = run_remote_build(config_of(people, tmp_path / "there"), engine.runner, options)
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
    assert disagreements(build.counters, read_manifest(str(tmp_path / "there"), LocalFiles())) == []
    assert "cocoprep" in pip(without_package, "list").stdout
    end_workers(tmp_path)


def dockerfile():
    return (ROOT / "pipelines" / "Dockerfile").read_text()


def test_the_image_has_the_beam_and_the_python_of_the_machine_that_submits():
    assert f"FROM apache/beam_python3.11_sdk:{metadata.version('apache-beam')} AS beam" in dockerfile()
    assert "FROM python:3.11-slim" in dockerfile()
    assert f"apache-beam=={metadata.version('apache-beam')}" in (ROOT / "constraints.txt").read_text().split()
    ignored = (ROOT / "pipelines" / "Dockerfile.dockerignore").read_text().split()
    for line in dockerfile().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for name in line.split()[1:-1]:
                assert (ROOT / name).exists()
                assert f"!{name}" in ignored


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_the_image_installs_builds_shards(people, tmp_path):
    """The Dockerfile's own line, in a fresh environment, from what it copies."""
    source, folder = tmp_path / "src", tmp_path / "venv"
    source.mkdir()
    for line in dockerfile().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for name in line.split()[1:-1]:
                if (ROOT / name).is_dir():
                    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                    shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
                else:
                    shutil.copy(ROOT / name, source / name)
    venv.create(folder, with_pip=True)
    (install,) = re.findall(r"^RUN python (.*)$", dockerfile(), re.MULTILINE)
    found = subprocess.run(
        [folder / "bin" / "python", *shlex.split(install), "--quiet"],
        check=False, capture_output=True, text=True, timeout=700, cwd=source, env=environment(),
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert pip(folder / "bin" / "python", "check").returncode == 0
    run_local_build(config_of(people, tmp_path / "here"), workers=1)
    build = subprocess.run(
        [
            folder / "bin" / "cocoprep", "build", "--data-dir", people, "--split", "train2017", "--input-size", "32",
            "--shards", "4", "--workers", "2", "--out", tmp_path / "there",
        ],
        check=False, capture_output=True, text=True, timeout=200, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    assert build.returncode == 0, build.stderr
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
