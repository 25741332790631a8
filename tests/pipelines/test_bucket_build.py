"""Builds from bucket to bucket: the same bytes as on a disk, resumed where they stopped, whatever the service does."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.errors import ConfigError, StoreError
from cocoprep.pipelines.build import BuildShards
from cocoprep.pipelines.local.run import run_local_build
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import MANIFEST
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.building import build_folder
from tests.support.people import write_people

FILES = AnyFiles(patience_s=20)


def put(path, target):
    with open(path, "rb") as stream, FILES.create(target) as out:
        shutil.copyfileobj(stream, out)


def put_coco(coco, target, tmp_path, *, form="zip", split="train2017"):
    """Put a data set in COCO's layout into a bucket, the photographs as a zip or as a folder."""
    put(coco / "annotations" / f"person_keypoints_{split}.json", f"{target}/annotations/person_keypoints_{split}.json")
    if form == "folder":
        for path in (coco / split).iterdir():
            put(path, f"{target}/{split}/{path.name}")
        return
    packed = tmp_path / f"{split}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted((coco / split).iterdir()):
            archive.write(path, f"{split}/{path.name}")
    put(packed, f"{target}/{split}.zip")


def digests(folder):
    return [(shard.name, shard.sha256, shard.sidecar) for shard in read_manifest(str(folder), FILES).shards]


def config_of(data, out, *, images="train2017.zip", **changes):
    annotations = FILES.join(FILES.join(data, "annotations"), "person_keypoints_train2017.json")
    values = {"split": "train2017", "annotations": annotations, "images": FILES.join(data, images), "out": out}
    return BuildConfig(**{**values, **changes})


@pytest.fixture(scope="module")
def reference(coco_mini, tmp_path_factory):
    """Return the digests of a build on this machine's disk, without an engine."""
    out = tmp_path_factory.mktemp("reference")
    annotations = coco_mini / "annotations" / "person_keypoints_train2017.json"
    build_folder(out, annotations=annotations, images=coco_mini / "train2017")
    return digests(out)


@pytest.mark.long
def test_real_photographs_from_bucket_to_bucket(coco_mini, reference, bucket, tmp_path, run):
    """The command line from end to end: build by worker processes, build again, verify, look at it."""
    put_coco(coco_mini, f"{bucket}/coco", tmp_path)
    out = f"{bucket}/shards/train2017"
    build = ("build", "--data-dir", f"{bucket}/coco", "--split", "train2017", "--out", out, "--workers", "2")
    code, said, err = run(*build)
    assert code == 0, err
    assert "codec ceiling" in said
    assert digests(out) == reference
    code, said, err = run("verify", out, "--workers", "2")
    assert (code, said.splitlines()[-1].endswith("all good")) == (0, True), err
    code, said, err = run(*build)
    assert code == 0, err
    assert "nothing to build" in said
    code, said, _ = run("info", f"{out}/")
    assert code == 0
    assert "codec ceiling" in said
    annotation_id = read_manifest(out, FILES) and next(iter(_annotation_ids(out)))
    code, said, err = run("show", out, annotation_id, "--out", tmp_path / "show.png")
    assert code == 0, err
    assert "without the photograph" not in said
    code, _, err = run("contact-sheet", out, "--people", "8", "--out", f"{bucket}/sheet.png")
    assert code == 0, err
    assert FILES.read_bytes(f"{bucket}/sheet.png").startswith(b"\x89PNG")


def _annotation_ids(out):
    from cocoprep.shards.dataset import open_dataset

    return open_dataset(out, FILES).annotation_ids


def test_each_of_the_three_may_lie_elsewhere(coco_mini, reference, bucket, tmp_path):
    put_coco(coco_mini, f"{bucket}/coco", tmp_path)
    local = str(tmp_path / "out")
    run_engine(config_of(f"{bucket}/coco", local))
    assert digests(local) == reference
    remote = f"{bucket}/out"
    run_engine(config_of(str(coco_mini), remote, images="train2017"))
    assert digests(remote) == reference


def run_engine(config, files=FILES):
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as pipeline:
        _ = pipeline | BuildShards(config, files=files)


def test_photographs_that_cannot_be_reached_any_more(coco_mini, bucket, tmp_path):
    """A machine that may not read the bucket still shows what the folder on its disk holds."""
    put_coco(coco_mini, f"{bucket}/coco", tmp_path, split="val2017")
    data, out = f"{bucket}/coco", tmp_path / "out"
    annotations = f"{data}/annotations/person_keypoints_val2017.json"
    config = BuildConfig(split="val2017", annotations=annotations, images=f"{data}/val2017.zip", out=str(out))
    run_engine(config)
    picture = tmp_path / "show.png"
    command = ["show", str(out), str(_annotation_ids(str(out))[0]), "--out", str(picture)]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE", "STORAGE", "CLOUDSDK", "GCE"))}
    found = subprocess.run(
        [sys.executable, "-m", "cocoprep", *command],
        check=False, capture_output=True, text=True, timeout=60, env={**kept, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "without the photograph" in found.stdout
    assert "no Google credentials" in found.stdout
    assert picture.exists()


# From here on a small drawn data set does.


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    write_people(folder, images=12)
    return folder


SMALL = {"crop": CropConfig(input_size=(32, 32)), "select": SelectConfig(shards=6)}


@pytest.fixture(scope="module")
def small_reference(people, tmp_path_factory):
    out = tmp_path_factory.mktemp("small")
    annotations = people / "annotations" / "person_keypoints_train2017.json"
    build_folder(out, annotations=annotations, images=people / "train2017", **SMALL)
    return digests(out)


@pytest.mark.parametrize("form", ["zip", pytest.param("folder", marks=pytest.mark.long)])
def test_a_build_goes_on_where_it_stopped(form, people, small_reference, bucket, tmp_path):
    put_coco(people, f"{bucket}/coco", tmp_path, form=form)
    out = f"{bucket}/out"
    config = config_of(f"{bucket}/coco", out, images="train2017.zip" if form == "zip" else "train2017", **SMALL)
    run_engine(config)
    assert digests(out) == small_reference
    names = [name for name, _, _ in small_reference]
    FILES.delete(f"{out}/{MANIFEST}")
    FILES.delete(f"{out}/{names[0]}")
    FILES.delete(f"{out}/{names[1]}.json")
    damaged = bytearray(FILES.read_bytes(f"{out}/{names[2]}"))
    damaged[len(damaged) // 2] ^= 1
    with FILES.create(f"{out}/{names[2]}") as stream:
        stream.write(bytes(damaged))
    assert verify_folder(out, FILES).problems
    seen = []
    run_local_build(config, workers=2, on_progress=lambda plan, done: seen.append(done))
    assert seen[-1].reused_shards == 3
    assert digests(out) == small_reference
    assert verify_folder(out, FILES).problems == []


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_nothing_half_written(people, small_reference, bucket, tmp_path):
    put_coco(people, f"{bucket}/coco", tmp_path)
    out = f"{bucket}/out"
    command = [
        sys.executable, "-m", "cocoprep", "build", "--data-dir", f"{bucket}/coco", "--split", "train2017", "--out", out,
        "--input-size", "32", "--shards", "6", "--workers", "2", "--no-ceiling",
    ]  # fmt: skip
    build = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any(n.endswith("-of-00006") for n in FILES.list_names(out)) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(build.pid, signal.SIGKILL)
    build.wait()
    whole = {name: digest for name, digest, _ in small_reference}
    for name in FILES.list_names(out):
        if name in whole:
            assert FILES.digest(f"{out}/{name}").sha256 == whole[name]
    found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert found.returncode == 0, found.stderr
    assert digests(out) == small_reference


def test_a_service_that_often_fails(people, small_reference, bad_service, bucket, tmp_path):
    put_coco(people, f"{bucket}/coco", tmp_path)
    rng = random.Random(0)
    bad_service.judge = lambda seen: rng.choice([None] * 20 + [503, ("wait", 0.2), "drop", ("cut", 50)])
    run_engine(config_of(f"{bucket}/coco", f"{bucket}/out", **SMALL))
    bad_service.judge = lambda seen: None
    assert digests(f"{bucket}/out") == small_reference


@pytest.mark.parametrize("after", [0, 12, 40])
def test_a_service_that_fails_for_good(after, people, small_reference, bad_service, bucket, tmp_path):
    """A clear end, no photograph blamed for it, and a rerun that completes."""
    put_coco(people, f"{bucket}/coco", tmp_path)
    config = config_of(f"{bucket}/coco", f"{bucket}/out", **SMALL)
    bad_service.seen.clear()
    bad_service.judge = lambda seen: 503 if len(bad_service.seen) > after else None
    with pytest.raises(StoreError, match="does not answer as it should"):
        run_engine(config, AnyFiles(patience_s=1))
    bad_service.judge = lambda seen: None
    assert MANIFEST not in FILES.list_names(f"{bucket}/out")
    run_engine(config)
    assert digests(f"{bucket}/out") == small_reference


def test_a_workers_error_comes_back_as_itself(people, bucket, tmp_path):
    config = config_of(str(people), f"{bucket}-nowhere/out", images="train2017", **SMALL)
    with pytest.raises(StoreError, match=f"no bucket {bucket}-nowhere"):
        run_local_build(config, workers=1)


def test_a_zip_that_is_cut_short(people, bucket, tmp_path):
    put_coco(people, f"{bucket}/coco", tmp_path)
    archive = f"{bucket}/coco/train2017.zip"
    whole = FILES.read_bytes(archive)
    with FILES.create(archive) as stream:
        stream.write(whole[:-100])
    with pytest.raises(ConfigError, match=r"train2017\.zip is not a zip that can be read.*cut short"):
        run_local_build(config_of(f"{bucket}/coco", f"{bucket}/out", **SMALL), workers=1)
    assert MANIFEST not in FILES.list_names(f"{bucket}/out")


def test_an_input_in_the_output_is_never_replaced(people, bucket, tmp_path):
    put_coco(people, f"{bucket}/coco", tmp_path)
    put(people / "annotations" / "person_keypoints_train2017.json", f"{bucket}/out/ground_truth.json")
    config = config_of(f"{bucket}/coco", f"{bucket}/out", annotations=f"{bucket}/out/ground_truth.json", **SMALL)
    with pytest.raises(ConfigError, match=r"--annotations: .* lies in --out"):
        run_local_build(config, workers=1)


def test_where_there_are_no_photographs(people, bucket, tmp_path, run):
    code, _, err = run("build", "--data-dir", f"{bucket}/coco", "--split", "train2017", "--out", tmp_path)
    assert code == 1
    folder = f"{bucket}/coco/train2017"
    assert f"expected photographs in {folder}, {folder}.zip or {folder}.tar, found none" in err
