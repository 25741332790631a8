"""`--json` of `build`, `info` and `verify`: what is printed, for programs."""

from __future__ import annotations

import json
import shutil

import pytest

from cocoprep.shards.manifest import read_manifest, records_digest
from cocoprep.storage.local import LocalFiles
from tests.support.people import write_people

pytestmark = pytest.mark.usefixtures("without_engine")

KEYS = [
    "folder", "split", "fingerprint", "records", "counts", "sources", "keypoints", "notes", "crop", "shards", "bytes",
    "codec_ceiling", "mean_guess",
]  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    annotations, images = write_people(tmp_path_factory.mktemp("people"), images=4)
    options = {"--annotations": annotations, "--images": images, "--split": "a", "--input-size": 32, "--shards": 2}
    return [word for pair in options.items() for word in pair]


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(images=6, size=(32, 32), shards=3)


def test_a_build_its_plan_and_info_say_the_same(inputs, run, tmp_path):
    files = {name: tmp_path / "new" / f"{name}.json" for name in ("plan", "build", "info")}
    build = ["build", *inputs, "--out", tmp_path / "out", "--workers", 1]
    code, text, _ = run(*build, "--dry-run", "--json", files["plan"])
    assert (code, (tmp_path / "out").exists()) == (0, False)
    assert text.endswith(f"Nothing but this was written: {files['plan']}\n")
    code, text, _ = run(*build, "--json", files["build"])
    assert (code, text.endswith(f"\n{files['build']}\n")) == (0, True)
    code, text, _ = run("info", tmp_path / "out", "--json", files["info"])
    assert (code, text.endswith(f"\n{files['info']}\n")) == (0, True)
    plan, built, info = (json.loads(path.read_text()) for path in files.values())
    times = built.pop("build")
    assert set(times) == {"seconds", "ceiling_seconds"}
    assert built == info
    assert list(info) == KEYS
    assert plan["dry_run"] is True
    assert all(plan["counts"][name] == info["counts"][name] for name in ("annotations", "people", "images"))
    assert all(plan[name] == info[name] for name in ("split", "keypoints", "crop", "shards", "notes", "sources"))
    manifest = read_manifest(str(tmp_path / "out"), LocalFiles())
    assert (info["records"], info["bytes"]) == (records_digest(manifest), sum(s.bytes for s in manifest.shards))
    assert info["codec_ceiling"]["full"]["AP"] > 0.9
    assert set(info["mean_guess"]["pck"]["0.1"]["per_joint"]) == set(manifest.keypoints.names)


def test_what_was_not_measured_is_null(built, run, tmp_path):
    assert run("info", built, "--json", tmp_path / "info.json")[0] == 0
    assert json.loads((tmp_path / "info.json").read_text())["codec_ceiling"] is None


def test_verify_names_every_fault(built, run, tmp_path):
    folder, out = shutil.copytree(built, tmp_path / "copy"), tmp_path / "verify.json"
    assert run("verify", folder, "--json", out)[0] == 0
    found = json.loads(out.read_text())
    assert (found["good"], found["shards"], found["records"], found["problems"]) == (True, 3, 12, [])
    (folder / "ledger.parquet").write_bytes(b"")
    shard = max(folder.glob("*-of-00003"), key=lambda path: path.stat().st_size)
    data = bytearray(shard.read_bytes())
    data[40] ^= 1
    shard.write_bytes(data)
    code, text, _ = run("verify", folder, "--json", out)
    found = json.loads(out.read_text())
    assert (code, found["good"], len(found["problems"])) == (1, False, 2)
    first, second = found["problems"]
    assert first == {
        "file": "ledger.parquet", "record": None, "annotation_id": None,
        "what": "its content does not match the digest in the manifest",
    }  # fmt: skip
    assert (second["file"], second["record"], second["annotation_id"] > 0) == (shard.name, 0, True)
    assert all(problem["what"] in text for problem in found["problems"])


@pytest.mark.parametrize("command", ["info", "verify"])
def test_nothing_is_written_where_something_is_read(built, run, tmp_path, command):
    before = {path.name: path.stat().st_mtime_ns for path in built.iterdir()}
    for path, says in (
        (built / "manifest.json", "which is read or built"),
        (built / "new" / "a.json", "which is read or built"),
        (tmp_path, "expected a file to write, found the folder"),
        ("s3://bucket/a.json", "expected a path of this machine"),
    ):
        code, _, err = run(command, built, "--json", path)
        assert (code, says in err) == (1, True)
    assert {path.name: path.stat().st_mtime_ns for path in built.iterdir()} == before


def test_a_build_writes_over_none_of_its_inputs(inputs, run, tmp_path):
    annotations = inputs[1]
    before, listed = annotations.read_bytes(), tmp_path / "exclude.txt"
    listed.write_text("101\n")
    for path in (annotations, listed, tmp_path / "out" / "a.json"):
        code, _, err = run("build", *inputs, "--exclude", listed, "--out", tmp_path / "out", "--json", path)
        assert (code, "which is read or built" in err) == (1, True)
    assert (annotations.read_bytes(), listed.read_text()) == (before, "101\n")
    assert not (tmp_path / "out").exists()
