"""Where an export goes: what may be replaced, and that it appears as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cocoprep.errors import ConfigError, OutputError, StoreError
from cocoprep.model.export.place import GRAPH, ExportPlace
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.local import LocalFiles


def place_of(path, form) -> ExportPlace:
    return ExportPlace.named(str(path), form, AnyFiles(patience_s=1))


def write_model(folder, content: str = "new"):
    """Write something like a SavedModel; return it."""
    (folder / "variables").mkdir(parents=True)
    (folder / "variables" / "data").write_text(content)
    (folder / GRAPH).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("path", "expected"),
    [("gs://bucket/model/", "gs://bucket/model"), ("gs://bucket/a.keras", "gs://bucket/a.keras"), ("/a/../b/", "/b")],
)
def test_a_place_has_one_spelling(path, expected):
    assert place_of(path, "savedmodel").path == expected
    assert place_of("model", "savedmodel").path == os.path.join(os.getcwd(), "model")


@pytest.mark.parametrize(
    ("name", "form", "fits"),
    [
        ("model", "savedmodel", True),
        ("a.keras", "keras", True),
        ("a.onnx", "onnx", True),
        ("a.onnx", "keras", False),
        ("model", "onnx", False),
        ("a.keras.zip", "keras", False),
    ],
)
def test_a_files_name_ends_as_its_form(tmp_path, name, form, fits):
    if fits:
        place_of(tmp_path / name, form).check(force=False)
    else:
        with pytest.raises(ConfigError, match=rf"--out: expected a name that ends in \.{form}, found .*{name}"):
            place_of(tmp_path / name, form).check(force=True)


def put(kind: str, path) -> None:
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
        (path / "mine").touch()
    elif kind == "model":
        write_model(path)
    elif kind == "link to nothing":
        path.symlink_to(path.parent / "nothing")


@pytest.mark.parametrize(
    ("kind", "form", "forced_says"),
    [
        ("model", "savedmodel", None),
        ("folder", "savedmodel", "no SavedModel: it is not replaced"),
        ("file", "savedmodel", "no SavedModel: it is not replaced"),
        ("link to nothing", "savedmodel", "no SavedModel: it is not replaced"),
        ("file", "keras", None),
        ("file", "onnx", None),
        ("link to nothing", "keras", None),
        ("folder", "keras", "is a folder: it is not replaced"),
        ("model", "onnx", "is a folder: it is not replaced"),
    ],
)
def test_what_is_there_is_replaced_only_by_force_and_only_by_its_like(tmp_path, kind, form, forced_says):
    path = tmp_path / ("a" + {"savedmodel": "", "keras": ".keras", "onnx": ".onnx"}[form])
    put(kind, path)
    with pytest.raises(OutputError, match="is there already: pass --force"):
        place_of(path, form).check(force=False)
    if forced_says is None:
        place_of(path, form).check(force=True)
    else:
        with pytest.raises(OutputError, match=forced_says):
            place_of(path, form).check(force=True)


@pytest.mark.parametrize("before", ["nothing", "model", "link"])
def test_a_folder_appears_as_a_whole_in_place_of_the_old_one(tmp_path, before):
    out, elsewhere = tmp_path / "deep" / "model", tmp_path / "elsewhere"
    if before != "nothing":
        write_model(elsewhere if before == "link" else out, "old")
        (elsewhere if before == "link" else out).joinpath("stale").touch()
    if before == "link":
        out.parent.mkdir()
        out.symlink_to(elsewhere)
    place = place_of(out, "savedmodel")
    with place.temporary() as path:
        write_model(Path(path))
        assert Path(path).is_relative_to(out.parent), "it is moved, not copied"
        place.take(path)
    assert sorted(one.name for one in out.iterdir()) == [GRAPH, "variables"]
    assert (out / GRAPH).read_text() == "new"
    assert [one.name for one in out.parent.iterdir()] == ["model"]
    assert before != "link" or (elsewhere / GRAPH).read_text() == "old", "what a link leads to stays"


def write_and_fail(place: ExportPlace, write) -> None:
    with place.temporary() as path:
        write(Path(path))
        raise KeyError


def test_what_is_not_taken_is_removed(tmp_path):
    file = place_of(tmp_path / "a.keras", "keras")
    with pytest.raises(KeyError):
        write_and_fail(place_of(tmp_path / "model", "savedmodel"), write_model)
    with pytest.raises(KeyError):
        write_and_fail(file, Path.touch)
    with file.temporary():
        pass
    assert list(tmp_path.iterdir()) == []


WRITE = (
    "import sys\n"
    "from pathlib import Path\n"
    "from cocoprep.storage.held_folder import held_folder\n"
    "with held_folder(sys.argv[1], prefix=sys.argv[2]) as folder:\n"
    "    Path(folder, 'half').touch()\n"
    "    print('writing', flush=True)\n"
    "    sys.stdin.read()\n"
)


def test_what_a_killed_export_was_writing_goes_and_what_another_writes_stays(tmp_path):
    command = [sys.executable, "-c", WRITE, str(tmp_path), ".model."]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    assert [writer.stdout.readline() for writer in writers] == [b"writing\n"] * 2
    writers[0].kill()
    writers[0].communicate()
    with place_of(tmp_path / "model", "savedmodel").temporary() as path:
        place_of(tmp_path / "model", "savedmodel").take(str(write_model(Path(path))))
    assert len(list(tmp_path.glob(f".model.{writers[0].pid}-*"))) == 0
    assert len(list(tmp_path.glob(f".model.{writers[1].pid}-*/half"))) == 1
    writers[1].communicate(b"")
    assert [one.name for one in tmp_path.iterdir()] == ["model"]


def test_a_file_takes_the_place_of_a_file(tmp_path):
    out = tmp_path / "a.onnx"
    out.write_text("old")
    place = ExportPlace.named(str(out), "onnx", LocalFiles())
    with place.temporary() as path:
        Path(path).write_text("new")
        place.take(path)
    assert out.read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.onnx"]


@pytest.mark.parametrize("form", ["savedmodel", "keras"])
def test_an_export_goes_into_a_bucket(bucket, form):
    place = place_of(f"{bucket}/deep/a.keras", form)
    with place.temporary() as path:
        here = os.path.dirname(path)
        if form == "keras":
            with open(path, "w") as stream:
                stream.write("new")
        else:
            write_model(Path(path))
        place.take(path)
    assert not os.path.exists(here)
    files, parts = AnyFiles(), ["/" + GRAPH, "/variables/data"] if form == "savedmodel" else [""]
    assert [files.read_bytes(place.path + part) for part in parts] == [b"new"] * len(parts)


@pytest.mark.parametrize("sent", [0, 1])
def test_a_model_of_which_some_parts_came_is_none(sent, bucket, bad_service, tmp_path):
    place = place_of(f"{bucket}/model", "savedmodel")
    place.take(str(write_model(tmp_path / "old", "old")))
    uploads = iter([None] * sent)
    bad_service.judge = lambda seen: next(uploads, 403) if seen.method == "POST" else None
    with pytest.raises(StoreError, match="refuses this account"):
        place.take(str(write_model(tmp_path / "new")))
    bad_service.judge = lambda seen: None
    assert not place.files.exists(f"{bucket}/model/{GRAPH}")
    place.take(str(tmp_path / "new"))
    assert place.files.read_bytes(f"{bucket}/model/{GRAPH}") == b"new"
