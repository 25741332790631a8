"""Every command that writes, killed at random moments: nothing broken, nothing left behind, the same in the end."""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cocoprep.shards.tfrecord import read_record
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.buckets import put
from tests.support.killing import Home, Killing, sha256_of
from tests.support.mirror import download_command, serving, write_mirror
from tests.support.other_forms import drawn_set, write_yolo
from tests.support.people import write_people
from tests.support.processes import NEEDS_PROC

pytestmark = [NEEDS_PROC, pytest.mark.timeout(1800)]

COCOPREP = [sys.executable, "-m", "cocoprep"]
FILES = AnyFiles(patience_s=20)


def shares(few: int | None, many: int):
    """Return the numbers of kills: in the slow suite, where it is cheap, and in the long one."""
    slow = [] if few is None else [pytest.param(few, marks=pytest.mark.slow)]
    return pytest.mark.parametrize("kills", [*slow, pytest.param(many, marks=[pytest.mark.long])])


@pytest.fixture
def killing(tmp_path, request):
    """Return what kills a command of cocoprep, and tells of it."""

    def kill(kills: int, command: list[str], home: Home, **options) -> None:
        killing = Killing(command, home, temporary=tmp_path / "temporary", seed=request.node.name, **options)
        killing.kill(kills)
        print(f"{killing.seconds:.1f} s undisturbed; killed:")
        for end, count in sorted(killing.ends.items()):
            print(f"{count:4} {end}")
        done = sum(count for end, count in killing.ends.items() if end.endswith(" 0"))
        assert done <= kills - kills // 4, "most kills came too late"

    return kill


@pytest.fixture(scope="module")
def built(people_folder):
    return people_folder(size=(64, 64), shards=6)


@pytest.fixture(scope="module")
def other(people_folder):
    return people_folder(size=(64, 64), shards=3, images=4, seed=1)


# What is compared of files that hold times, and how a file is read that changes while a command runs


def lines_of(path: Path) -> list[dict]:
    """Read JSON by lines, of which a kill may have cut the last one short."""
    lines = path.read_bytes().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def json_of(path: Path):
    return json.loads(path.read_bytes())


def arrays_of(path: Path) -> dict[str, bytes]:
    with np.load(path) as arrays:
        return {name: arrays[name].tobytes() for name in arrays.files}


def picture_of(path: Path) -> bytes:
    with Image.open(path) as picture:
        return picture.tobytes()


def events_of(run: Path) -> list[tuple]:
    """Return the points of all curves of TensorBoard, without the times at which they were written."""
    from tensorflow.core.util.event_pb2 import Event

    points = []
    for path in (run / "tensorboard").glob("*tfevents*"):
        with path.open("rb") as stream:
            while (record := read_record(stream)) is not None:
                event = Event.FromString(record)
                points += [(value.tag, event.step, value.SerializeToString()) for value in event.summary.value]
    return sorted(points)


def nothing(path: Path) -> None:
    """Compare nothing."""


# The commands


@shares(None, 25)
def test_build(killing, tmp_path, kills):
    annotations, images = write_people(tmp_path / "coco", images=30)
    home = Home(tmp_path / "home", changing={"under_way.json": nothing})
    killing(
        kills,
        [
            *COCOPREP, "build", "--split", "train2017", "--annotations", str(annotations), "--images", str(images),
            "--out", str(home.path / "out"), "--shards", "24", "--workers", "2", "--input-size", "64",
        ],
        home,
        inputs=[annotations, images],
    )  # fmt: skip


@shares(None, 12)
def test_train(killing, built, other, tmp_path, kills):
    pytest.importorskip("tensorflow")
    home = Home(
        tmp_path / "home",
        looks={"best.keras": weights_of, "tensorboard/*": nothing, "log.jsonl": lines_of},
        changing={
            "tensorboard/*": nothing,
            "log.jsonl": lines_of,
            "checkpoints/*.npz": arrays_of,
            "best.keras": weights_of,
            "curves.png": picture_of,
        },
        others={"curves": lambda path: events_of(path / "run")},
    )
    killing(
        kills,
        [
            *COCOPREP, "train", "--data", str(built), "--val", str(other), "--run-dir", str(home.path / "run"),
            "--resume", "--channels", "8", "--depth", "1", "--stacks", "1", "--batch-size", "4", "--epochs", "3",
            "--log-steps", "2", "--checkpoint-steps", "3", "--ema", "0.9",
        ],
        home,
        inputs=[built, other],
    )  # fmt: skip


def weights_of(path: Path) -> dict[str, bytes]:
    """Return the weights in a Keras file; beside them it holds the time, and numbers that Keras draws anew."""
    import h5py

    weights = {}
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda name, one: weights.update({name: one[()].tobytes()} if hasattr(one, "shape") else {}))
    return weights


@shares(1, 10)
def test_stage_on_a_disk(killing, built, tmp_path, kills):
    home = Home(tmp_path / "home")
    killing(kills, [*COCOPREP, "stage", str(built), str(home.path / "out")], home, inputs=[built])


@shares(None, 10)
def test_stage_from_a_bucket(killing, built, bucket, tmp_path, kills):
    source, home = put(built, f"{bucket}/source"), Home(tmp_path / "home")
    killing(kills, [*COCOPREP, "stage", source, str(home.path / "out")], home)
    names = FILES.list_names(source)
    assert {name: FILES.digest(f"{source}/{name}").sha256 for name in names} == {
        path.name: sha256_of(path) for path in built.iterdir()
    }


class Bucket(Home):
    """A bucket of which a command writes one folder."""

    def __init__(self, bucket: str, path: Path) -> None:
        super().__init__(path)
        self.bucket = bucket

    def begin(self) -> None:
        """See `Home`."""
        super().begin()
        for name in self.names():
            FILES.delete(f"{self.bucket}/{name}")

    def names(self) -> list[str]:
        """See `Home`."""
        folders = FILES.list_names(self.bucket)
        return [f"{folder}/{name}" for folder in folders for name in FILES.list_names(f"{self.bucket}/{folder}")]

    def digest(self, name: str) -> str:
        """See `Home`."""
        return FILES.digest(f"{self.bucket}/{name}").sha256


@shares(None, 10)
def test_stage_to_a_bucket(killing, built, bucket, tmp_path, kills):
    home = Bucket(bucket, tmp_path / "home")
    killing(kills, [*COCOPREP, "stage", str(built), f"{bucket}/out"], home, inputs=[built])


@shares(1, 15)
def test_sample(killing, tmp_path, kills):
    home = Home(tmp_path / "home", changing={"sample.json": json_of, "sample-progress.jsonl": lines_of})
    images = 40 if kills > 1 else 8  # enough for two processes, or quickly drawn
    killing(kills, [*COCOPREP, "sample", "out", "--images", str(images), "--workers", "2"], home)


@shares(1, 15)
def test_convert_from_another_form(killing, tmp_path, kills):
    coco = drawn_set(tmp_path / "drawn")
    source, home = write_yolo(coco, tmp_path / "yolo"), Home(tmp_path / "home", changing={"converted.json": json_of})
    killing(kills, [*COCOPREP, "convert", str(source), "--from", "yolo-pose", "--out", "out"], home, inputs=[source])


@shares(1, 15)
def test_convert_crops(killing, built, tmp_path, kills):
    home = Home(tmp_path / "home", changing={"converted.json": json_of})
    killing(kills, [*COCOPREP, "convert", str(built), "--to", "coco", "--out", "out"], home, inputs=[built])


@shares(1, 12)
def test_download(killing, tmp_path, kills):
    mirror, home = tmp_path / "mirror", Home(tmp_path / "home")
    mirror.mkdir()
    catalogue = write_mirror(mirror, tmp_path / "coco", photographs_bytes=20_000_000)
    with serving(mirror) as server:
        command = [*download_command(catalogue), "--split", "train2017", "--base-url", server.address]
        killing(kills, [*command, "--data-dir", "out"], home, inputs=[mirror])


@shares(None, 14)
def test_evaluate(killing, built, tmp_path, kills):
    results, home = tmp_path / "results.json", Home(tmp_path / "home")
    rng = np.random.default_rng(0)
    people = json_of(built / "ground_truth.json")["annotations"]
    found = [
        {
            **{name: person[name] for name in ("image_id", "category_id")},
            "keypoints": (np.array(person["keypoints"]) + rng.normal(0, 3, len(person["keypoints"]))).tolist(),
            "score": rng.random(),
        }
        for person in people
    ]
    results.write_text(json.dumps(found))
    killing(
        kills,
        [
            *COCOPREP, "evaluate", "--data", str(built), "--results", str(results), "--out", "out",
            "--json", "figures.json",
        ],
        home,
        inputs=[built, results],
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(built, tmp_path_factory):
    pytest.importorskip("tensorflow")
    from tests.support.runs import write_run

    return write_run(tmp_path_factory.mktemp("run") / "run", built)


@shares(None, 6)
def test_evaluate_of_a_run(killing, run, other, tmp_path, kills):
    home = Home(tmp_path / "home", prepare=lambda home: shutil.copytree(run, home / "run"))
    killing(kills, [*COCOPREP, "evaluate", "--data", str(other), "--run", "run"], home, inputs=[run, other])


@pytest.mark.parametrize("form", ["savedmodel", "keras", "onnx"])
@pytest.mark.parametrize("kills", [pytest.param(None, marks=pytest.mark.long)])
def test_export(killing, run, other, tmp_path, form, kills):
    kills = {"savedmodel": 4, "keras": 3, "onnx": 3}[form]
    out = {"savedmodel": "model", "keras": "model.keras", "onnx": "model.onnx"}[form]
    looks = {"*.keras": weights_of, "*.onnx": constants_of, "variables.index": variables_of}
    home = Home(tmp_path / "home", looks={**looks, "*.pb": nothing, "variables.data*": nothing})
    command = [*COCOPREP, "export", "--run", str(run), "--format", form, "--out", out, "--data", str(other), "--force"]
    killing(kills, command, home, inputs=[run, other])


def variables_of(path: Path) -> list[tuple]:
    """Return what a SavedModel's variables hold, but for the names and the order that TensorFlow draws anew."""
    import tensorflow as tf

    tf.saved_model.load(path.parents[1])  # the rest of it is whole
    reader = tf.train.load_checkpoint(str(path.with_suffix("")))
    names = [name for name in reader.get_variable_to_shape_map() if "OBJECT_GRAPH" not in name]
    return sorted((array.shape, array.tobytes()) for array in map(reader.get_tensor, names))


def constants_of(path: Path) -> list[tuple]:
    """Return the steps and the constants of an ONNX file, but for the names that its converter draws anew."""
    import onnx

    graph = onnx.load(path).graph
    constants = sorted((tuple(one.dims), one.raw_data) for one in graph.initializer)
    return [sorted(node.op_type for node in graph.node), constants]


@shares(None, 4)
def test_predict(killing, run, tmp_path, kills):
    _, images = write_people(tmp_path / "coco", images=6)
    command = [*COCOPREP, "predict", str(images), "--run", str(run), "--bbox", "10,10,50,60", "--out", "out"]
    killing(kills, command, Home(tmp_path / "home"), inputs=[run, images])


@pytest.mark.parametrize("command", [["show", "102"], ["contact-sheet"], ["augment", "--strength", "heavy"]])
@shares(None, 2)
def test_pictures(killing, built, tmp_path, command, kills):
    line = [*COCOPREP, command[0], str(built), *command[1:], "--out", "picture.png"]
    killing(kills, line, Home(tmp_path / "home"), inputs=[built])


@shares(1, 15)
def test_leaks(killing, tmp_path, kills):
    annotations, images = write_people(tmp_path / "coco", images=60)
    home = Home(tmp_path / "home", looks={"fingerprints/*": nothing})
    sources = [part for name in ("val", "train") for part in ("--source", f"{name}={annotations},{images}")]
    killing(
        kills, [*COCOPREP, "leaks", *sources, "--out", str(home.path / "out"), "--workers", "2"], home,
        inputs=[annotations, images],
    )  # fmt: skip
