from __future__ import annotations

import json
import random
import shutil
from contextlib import suppress

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.errors import RecordError
from cocoprep.evaluation.baseline import read_baseline
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.names import BASELINE, LEDGER, MANIFEST
from cocoprep.shards.seal import seal
from cocoprep.shards.sidecar import read_sidecar
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.digests import digest_file
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("verify")
    annotations, images = write_people(root / "coco", images=6)
    build_folder(
        root / "out", annotations=annotations, images=images,
        crop=CropConfig(input_size=(32, 32)), select=SelectConfig(shards=3),
    )  # fmt: skip
    return root / "out"


@pytest.fixture
def copy(built, tmp_path):
    return shutil.copytree(built, tmp_path / "copy")


def problems(folder):
    return verify_folder(str(folder), LocalFiles()).problems


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(data))


def test_a_whole_folder_has_no_problems(built):
    found = verify_folder(str(built), LocalFiles())
    assert found.problems == []
    assert (found.shards, found.records) == (3, 12)


def test_any_flipped_bit_of_a_shard_is_found_and_its_record_named(copy):
    files, rng = LocalFiles(), random.Random(0)
    shard = next(path for path in sorted(copy.glob("*-of-00003")) if path.stat().st_size)
    sidecar = read_sidecar(str(copy), shard.name, files)
    ends = [*sidecar.offsets[1:], sidecar.bytes]
    for _ in range(150):
        bit = rng.randrange(8 * shard.stat().st_size)
        flip(shard, bit)
        record = next(index for index, end in enumerate(ends) if bit // 8 < end)
        found = problems(copy)
        assert [(p.file, p.record, p.annotation_id) for p in found] == [
            (shard.name, record, sidecar.annotation_ids[record])
        ]
        flip(shard, bit)
    assert problems(copy) == []


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json", "build.json", "ledger.parquet", "ground_truth.json", "baseline.npz",
        "cocoprep-train2017.tfrecord-00001-of-00003.json",
    ],
)  # fmt: skip
def test_any_flipped_bit_beside_the_shards_is_found(copy, name):
    rng = random.Random(name)
    for _ in range(60):
        bit = rng.randrange(8 * (copy / name).stat().st_size)
        flip(copy / name, bit)
        assert any(name in str(problem) for problem in problems(copy)), bit
        flip(copy / name, bit)
    assert problems(copy) == []


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda f: (f / "manifest.json").unlink(), "no manifest.json"),
        (lambda f: (f / "ledger.parquet").unlink(), "ledger.parquet: cannot be read"),
        (lambda f: next(f.glob("*-00000-of-00003")).unlink(), "cannot be read"),
        (lambda f: next(f.glob("*-00000-of-00003.json")).unlink(), ".json"),
        (lambda f: (f / "cocoprep-train2017.tfrecord-00003-of-00004").touch(), "does not know this shard"),
    ],
)
def test_what_is_missing_or_too_much_is_named(copy, harm, says):
    harm(copy)
    assert any(says in str(problem) for problem in problems(copy))


def test_a_shard_cut_short_or_with_a_tail_is_found(copy):
    shard = max(copy.glob("*-of-00003"), key=lambda path: path.stat().st_size)
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-5])
    assert any("ends within" in str(problem) for problem in problems(copy))
    shard.write_bytes(whole + b"tail")
    assert any("expected" in str(problem) and "bytes" in str(problem) for problem in problems(copy))


def test_a_ledger_that_only_looks_whole_is_a_problem(copy):
    """Its digest is right: whoever wrote it wrote no ledger."""
    pq.write_table(pa.table({"row": [0]}), copy / LEDGER)
    body = json.loads((copy / MANIFEST).read_text())
    del body["digest"]
    body["files"][LEDGER] = msgspec.to_builtins(digest_file(str(copy / LEDGER), LocalFiles()))
    (copy / MANIFEST).write_bytes(seal(body))
    (found,) = problems(copy)
    assert (found.file, "its columns are not those of a ledger" in found.what) == (LEDGER, True)


def test_whatever_is_damaged_of_a_summary_is_an_error_that_says_so(copy):
    rng = random.Random(0)
    for name, read in ((LEDGER, read_ledger), (BASELINE, read_baseline)):
        whole = (copy / name).read_bytes()
        for _ in range(300):
            start = rng.randrange(len(whole))
            (copy / name).write_bytes(whole[:start] + rng.randbytes(rng.randrange(1, 20)) + whole[start + 8 :])
            with suppress(RecordError):
                read(str(copy), LocalFiles())


def test_a_folder_that_is_none(tmp_path):
    assert "no manifest.json" in str(problems(tmp_path)[0])
