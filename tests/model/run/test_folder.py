"""What a run says of itself, in files that somebody else may have written: used, or told what is wrong with them."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from cocoprep.errors import CocoprepError, ConfigError, RecordError
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.run.folder import RunFolder
from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.half_written import leave_half

FILES = LocalFiles()


@pytest.fixture
def run(people_folder, tmp_path):
    """Return the folder of a run that has just begun, and the manifest of what it learns from."""
    data = str(people_folder(size=(32, 32), shards=3))
    manifest = read_manifest(data, FILES)
    folder = RunFolder(str(tmp_path / "run"), FILES)
    folder.begin(TrainConfig(data=data), {"data": manifest}, {7: "damaged"})
    return folder, manifest


def test_what_was_written_down_comes_back(run):
    folder, manifest = run
    crop, table = folder.read_geometry()
    assert crop == manifest.crop
    assert table.names == manifest.keypoints.names
    assert folder.has_learned_from(manifest)
    folder.check_same_people({7: "damaged"})
    assert folder.go_on(TrainConfig(data="elsewhere"), {"data": manifest, "val": manifest}) == []
    assert json.loads(FILES.read_bytes(folder.at("run.json")))["shards"].keys() == {"data", "val"}
    assert folder.read_config().data == "elsewhere"


def test_who_holds_a_run_removes_what_a_killed_training_was_writing(run):
    folder, _ = run
    left = [leave_half(Path(folder.at(name))) for name in ("best.keras", "curves.png", "pictures/epoch-0001.png")]
    folder.hold().release()
    assert [path.exists() for path in left] == [False] * 3


def test_who_may_not_hold_a_run_removes_nothing(run):
    folder, _ = run
    left, hold = leave_half(Path(folder.at("best.keras"))), f"from {RunFolder.__module__} import RunFolder\n"
    hold += f"RunFolder({folder.path!r}).hold(); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        left.write_bytes(b"half")
        with pytest.raises(ConfigError, match="another process is training"):
            folder.hold()
        other.communicate(b"\n")
    assert left.exists()


def test_other_versions_are_told_and_kept(run):
    folder, manifest = run
    about = json.loads(FILES.read_bytes(folder.at("run.json")))
    about["versions"]["keras"] = "3.0.0"
    about.pop("skipped")  # which the first version did not write
    with FILES.create(folder.at("run.json")) as stream:
        stream.write(json.dumps(about).encode())
    (told,) = folder.go_on(TrainConfig(data="d"), {"data": manifest})
    assert told.startswith("keras 3.0.0, now ")
    assert json.loads(FILES.read_bytes(folder.at("run.json")))["earlier_versions"] == [about["versions"]]


def changed(*path, to):
    def change(about):
        inner = about
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = to
        return about

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda about: [1, 2],
        lambda about: None,
        lambda about: 3,
        lambda about: {},
        changed("shards", to=[1]),
        changed("shards", "data", to=5),
        changed("versions", to="all"),
        changed("skipped", to={"7": 3}),
        changed("crop", to=None),
        changed("crop", "heatmap_stride", to=0),
        changed("crop", "input_size", to=[10**9, 10**9]),
        changed("keypoints", "flip_index", to=[99] * 17),
        changed("keypoints", "flip_index", to=[-1] * 17),
        changed("keypoints", "flip_index", to=[*range(1, 17), 0]),
        changed("keypoints", "oks_sigmas", to=[0.1]),
        changed("keypoints", "oks_sigmas", to=[0.0] * 17),
        changed("keypoints", "limbs", to=[[0, 17]]),
        changed("keypoints", "names", to=["nose"] * 17),
        changed("keypoints", "names", to=[]),
    ],
)
def test_what_no_training_writes_is_refused(run, change):
    folder, manifest = run
    about = change(json.loads(FILES.read_bytes(folder.at("run.json"))))
    with FILES.create(folder.at("run.json")) as stream:
        stream.write(json.dumps(about).encode())
    with pytest.raises(RecordError, match=r"run\.json: .*(does not say of the run what it should|cannot be read)"):
        folder.read_geometry()
    for ask in (lambda: folder.has_learned_from(manifest), lambda: folder.check_same_people({7: "damaged"})):
        with suppress(RecordError):
            ask()


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 20_000, b'{"a": "\xff"}', b"\x00", b'{"crop": 1e999}'])
@pytest.mark.parametrize("name", ["run.json", "config.json"])
def test_what_is_no_json_is_refused(run, name, content):
    folder, _ = run
    with FILES.create(folder.at(name)) as stream:
        stream.write(content)
    read = {"run.json": folder.read_geometry, "config.json": folder.read_config}[name]
    with pytest.raises(CocoprepError) as caught:
        read()
    assert str(caught.value).startswith(folder.at(name))
    assert len(str(caught.value)) < 2000
