from __future__ import annotations

import json
import random
import shutil
from contextlib import suppress

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from cocoprep.builder.config import SelectConfig
from cocoprep.errors import RecordError
from cocoprep.evaluation.baseline import read_baseline
from cocoprep.evaluation.ceiling import measure_ceiling, read_ceiling
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import BASELINE, CEILING, LEDGER, MANIFEST, PLAN
from cocoprep.shards.seal import seal
from cocoprep.shards.sidecar import read_sidecar, write_sidecar
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.digests import digest_file
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import write_people
from tests.support.sourced import deal_to_sources


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(images=6, size=(32, 32), shards=3)


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
        "manifest.json", "build.json", "ledger.parquet", "ground_truth.json", "baseline.npz", "features.json",
        "dataset_info.json", "cocoprep-train2017.tfrecord-00001-of-00003.json",
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


@pytest.mark.parametrize(
    "name", ["cocoprep-other.tfrecord-00000-of-00001", "cocoprep-other-of-3", "cocoprep-x-of-1.json"]
)
def test_whatever_a_reader_would_take_for_a_shard_is_named(copy, name):
    shutil.copyfile(next(copy.glob("*-00000-of-00003")), copy / name)
    (found,) = problems(copy)
    assert (found.file, "does not know this shard" in found.what) == (name, True)


def test_files_that_no_reader_takes_for_shards_may_lie_there(copy):
    (copy / "cocoprep-notes.txt").write_text("mine")
    assert problems(copy) == []


@pytest.fixture(scope="module")
def corrected(built, tmp_path_factory):
    """Return a folder of the same settings and ids, with another area of one person in it."""
    root = tmp_path_factory.mktemp("corrected")
    annotations, images = write_people(root / "coco", images=6)
    coco = json.loads(annotations.read_text())
    coco["annotations"][1]["area"] += 1
    annotations.write_text(json.dumps(coco))
    build_folder(
        root / "out", annotations=annotations, images=images,
        crop=CropConfig(input_size=(32, 32)), select=SelectConfig(shards=3),
    )  # fmt: skip
    return root / "out"


def test_the_ceiling_of_another_build_is_found(copy, corrected):
    files = LocalFiles()
    measure_ceiling(str(copy), read_manifest(str(copy), files), files)
    assert problems(copy) == []
    other = read_manifest(str(corrected), files)
    assert other.fingerprint == read_manifest(str(copy), files).fingerprint
    measure_ceiling(str(corrected), other, files)
    shutil.copyfile(corrected / CEILING, copy / CEILING)
    (found,) = problems(copy)
    assert (found.file, "measured on another build" in found.what) == (CEILING, True)
    assert read_ceiling(str(copy), read_manifest(str(copy), files), files) is None


def test_a_ceiling_of_other_settings_is_found_where_it_names_no_basis(copy):
    """As version 0.1 wrote them."""
    (copy / CEILING).write_bytes(seal({"fingerprint": "of another", "kept": {}, "full": {}}))
    assert [problem.file for problem in problems(copy)] == [CEILING]
    fingerprint = read_manifest(str(copy), LocalFiles()).fingerprint
    (copy / CEILING).write_bytes(seal({"fingerprint": fingerprint, "kept": {}, "full": {}}))
    assert problems(copy) == []


def reseal(folder, change):
    body = json.loads((folder / MANIFEST).read_text())
    del body["digest"]
    change(body)
    (folder / MANIFEST).write_bytes(seal(body))


def relist(folder, name):
    """Enter a file's digest in the manifest as it is now."""
    digest = msgspec.to_builtins(digest_file(str(folder / name), LocalFiles()))
    reseal(folder, lambda body: body["files"].update({name: digest}))


def test_a_plan_of_other_annotations_is_found_though_the_manifest_lists_it(copy, corrected):
    shutil.copyfile(corrected / PLAN, copy / PLAN)
    relist(copy, PLAN)
    (found,) = problems(copy)
    assert (found.file, "other annotations" in found.what) == (PLAN, True)


def test_a_sidecar_of_other_annotations_is_found_though_the_manifest_lists_it(copy, corrected):
    manifests = [read_manifest(str(folder), LocalFiles()) for folder in (copy, corrected)]
    differ = [index for index in range(3) if len({m.shards[index].annotations for m in manifests}) == 2]
    assert len(differ) == 1
    theirs = msgspec.to_builtins(manifests[1].shards[differ[0]])
    for name in (theirs["name"], theirs["name"] + ".json"):
        shutil.copyfile(corrected / name, copy / name)
    ours = manifests[0].shards[differ[0]].annotations
    reseal(copy, lambda body: body["shards"].__setitem__(differ[0], {**theirs, "annotations": ours}))
    (found,) = problems(copy)
    assert (found.file, "other annotations" in found.what) == (theirs["name"] + ".json", True)


@pytest.fixture(scope="module")
def sourced(built, tmp_path_factory):
    to = tmp_path_factory.mktemp("sourced") / "out"
    return deal_to_sources(built, to, {"a": None, "b": ["nose"]}, lambda number: number % 2)


def rewrite_sidecar(folder, change):
    """Change the first sidecar that has records; the manifest lists it as it is now."""
    files = LocalFiles()
    number, entry = next((n, e) for n, e in enumerate(read_manifest(str(folder), files).shards) if e.examples)
    sidecar = read_sidecar(str(folder), entry.name, files)
    digest = msgspec.to_builtins(write_sidecar(str(folder), change(sidecar), files))
    reseal(folder, lambda body: body["shards"][number].update(sidecar=digest))
    return entry.name


@pytest.mark.parametrize("swapped", [lambda found: [1 - found[0], *found[1:]], lambda _: None])
def test_a_sidecar_that_tells_other_sources_than_its_records_is_found(sourced, tmp_path, swapped):
    folder = shutil.copytree(sourced, tmp_path / "copy")
    assert problems(folder) == []
    name = rewrite_sidecar(folder, lambda sidecar: replace(sidecar, origins=swapped(sidecar.origins)))
    found = problems(folder)
    assert (found[0].file, found[0].record) == (name, 0)
    assert "in the sidecar: places among the manifest's sources" in found[0].what


def test_a_source_that_the_manifest_has_not_is_found(sourced, tmp_path):
    folder = shutil.copytree(sourced, tmp_path / "copy")

    def drop_source(body):
        first, second = body["sources"]
        added = {name: first[name] + second[name] for name in ("people", "annotations_read")}
        body["sources"] = [{**first, **added}]

    reseal(folder, drop_source)
    found = problems(folder)
    assert found
    assert all("its source is 1, of 1 that the manifest has" in problem.what for problem in found)


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
    relist(copy, LEDGER)
    (found,) = problems(copy)
    assert (found.file, "its columns are not those of a ledger" in found.what) == (LEDGER, True)


def test_whatever_is_damaged_of_a_summary_is_an_error_that_says_so(copy):
    rng = random.Random(0)
    manifest = read_manifest(str(copy), LocalFiles())

    def baseline(folder, files):
        return read_baseline(folder, manifest, files)

    for name, read in ((LEDGER, read_ledger), (BASELINE, baseline)):
        whole = (copy / name).read_bytes()
        for _ in range(300):
            start = rng.randrange(len(whole))
            (copy / name).write_bytes(whole[:start] + rng.randbytes(rng.randrange(1, 20)) + whole[start + 8 :])
            with suppress(RecordError):
                read(str(copy), LocalFiles())


def test_a_folder_that_is_none(tmp_path):
    assert "no manifest.json" in str(problems(tmp_path)[0])
