"""Evaluating, predicting, exporting with buckets: what a disk gives, and a clear end where a bucket does not serve."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from cocoprep.coco.results import result_lines
from cocoprep.coco.truth import read_truth
from cocoprep.evaluation.ceiling import measure_ceiling
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import COCO_17
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.local import LocalFiles
from tests.support.buckets import new_bucket, put
from tests.support.building import build_folder
from tests.support.people import write_people

FILES = AnyFiles(patience_s=20)


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    """Return a folder of: coco/, its photographs as a zip too; shards/ and val/, built of it; results.json of it."""
    root = tmp_path_factory.mktemp("near")
    annotations, images = write_people(root / "coco", images=6)
    for name in ("shards", "val"):
        split = {"shards": "train2017", "val": "val2017"}[name]
        manifest = build_folder(
            root / name, annotations=annotations, images=images, split=split, crop=CropConfig(input_size=(64, 64))
        )
    measure_ceiling(str(root / "val"), manifest, LocalFiles())
    with zipfile.ZipFile(root / "coco" / "photographs.zip", "w") as archive:
        for path in sorted(images.iterdir()):
            archive.write(path, path.name)
    truth, rng = read_truth(str(annotations), LocalFiles(), COCO_17), np.random.default_rng(0)
    points = truth.keypoints + rng.normal(0, 2, truth.keypoints.shape)
    sure = np.where(truth.visibility > 0, 0.9, 0.2) * rng.uniform(0.5, 1, truth.visibility.shape)
    lines = result_lines(truth.image_ids, points, rng.uniform(size=len(points)), 1, sure)
    (root / "results.json").write_text(json.dumps(lines))
    return root


@pytest.fixture(scope="module")
def far(near, storage_address):
    """Return the same folder in a bucket of its own, which no test changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", storage_address)
        return put(near, new_bucket(storage_address))


def annotations_of(root):
    return f"{root}/coco/annotations/person_keypoints_train2017.json"


def content(folder):
    """Return the files right within a folder by name; figures without the paths that they were made from."""
    names = [name for name in FILES.list_names(str(folder)) if not FILES.is_folder(FILES.join(str(folder), name))]
    files = {name: FILES.read_bytes(FILES.join(str(folder), name)) for name in names}
    if "figures.json" in files:
        files["figures.json"] = figures_of(files["figures.json"])
    files.pop("report.html", None)  # names paths all over; its pictures and figures lie beside it
    return files


def figures_of(data):
    return {
        name: value for name, value in json.loads(data).items() if name not in ("data", "annotations", "results", "run")
    }


@pytest.mark.parametrize("images", ["photographs.zip", pytest.param("train2017", marks=pytest.mark.slow)])
def test_results_against_an_annotation_file(near, far, bucket, run, tmp_path, images):
    pytest.importorskip("matplotlib")
    for root, out in ((near, tmp_path / "out"), (far, f"{bucket}/out")):
        code, said, err = run(
            "evaluate", "--annotations", annotations_of(root), "--results", f"{root}/results.json",
            "--images", f"{root}/coco/{images}", "--out", out, "--json", f"{out}/figures-too.json",
        )  # fmt: skip
        assert (code, err) == (0, "")
        assert said.endswith(f"{out}/figures-too.json\n{out}/figures.json\n{out}/report.html\n")
    ours, theirs = content(f"{bucket}/out"), content(tmp_path / "out")
    assert {"worst.png", "best.png", "errors.csv", "results.json", "figures.json"} <= set(ours)
    assert figures_of(ours.pop("figures-too.json")) == figures_of(theirs.pop("figures-too.json"))
    assert ours == theirs


def test_results_against_a_built_folder(near, far, bucket, run, tmp_path):
    for root, out in ((near, tmp_path / "figures.json"), (far, f"{bucket}/new/figures.json")):
        assert run("evaluate", "--data", f"{root}/val", "--results", f"{root}/results.json", "--json", out)[0] == 0
    ours = figures_of(FILES.read_bytes(f"{bucket}/new/figures.json"))
    assert ours == figures_of((tmp_path / "figures.json").read_bytes())
    assert set(ours["beside"]) == {"codec ceiling", "mean guess"}


@pytest.fixture(scope="module")
def trained(near, tmp_path_factory):
    """Return the folder of a run that has learned from `shards`."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("matplotlib")
    from tests.support.runs import write_run

    return write_run(tmp_path_factory.mktemp("runs") / "run", near / "shards")


@pytest.fixture
def there(trained, bucket):
    """Return the same run in a bucket."""
    return put(trained, f"{bucket}/run")


@pytest.mark.slow
def test_in_python_a_path_is_enough(near, far, trained, there):
    from cocoprep.model.predict.folder import predict_folder
    from cocoprep.model.predict.listing import list_files, read_picture
    from cocoprep.model.predict.predictor import flip_warning, open_predictor
    from cocoprep.model.run.joint_thresholds import read_thresholds

    found = []
    for run, root in ((trained, near), (there, far)):
        predictor = open_predictor(str(run))
        predictions, _ = predict_folder(predictor, f"{root}/val")
        pictures = list_files([f"{root}/coco/train2017"], [], lambda name, fault: None)
        first = read_picture(pictures[0].name).tobytes()
        known = flip_warning(str(run)), read_thresholds(str(run), predictor.table)
        found.append((predictions.keypoints.tolist(), predictions.annotation_ids.tolist(), len(pictures), first, known))
    assert found[0] == found[1]
    assert found[0][2] == 6


@pytest.mark.slow
def test_a_run_in_a_bucket(near, far, trained, there, run, tmp_path):
    """Its network, its thresholds, and where the report goes."""
    here = shutil.copytree(trained, tmp_path / "run")
    for data, folder in ((near / "val", here), (f"{far}/val", there)):
        code, said, err = run("evaluate", "--data", data, "--run", folder)
        assert code == 0, err
        assert said.endswith(f"{folder}/evaluation/val2017/report.html\n{folder}/thresholds.json\n")
    ours = content(f"{there}/evaluation/val2017")
    assert ours == content(here / "evaluation" / "val2017")
    assert {"errors.csv", "results.json", "figures.json", "worst.png"} <= set(ours)
    assert FILES.read_bytes(f"{there}/thresholds.json") == (here / "thresholds.json").read_bytes()
    code, said, err = run("predict", "--run", there, near / "coco" / "train2017", "--out", tmp_path / "out")
    assert code == 0, err
    assert "at the thresholds that `cocoprep evaluate` chose" in said


@pytest.mark.parametrize("images", ["photographs.zip", pytest.param("train2017", marks=pytest.mark.slow)])
def test_the_people_of_a_coco_file_are_predicted(near, far, trained, there, bucket, run, tmp_path, images):
    for root, folder, out in ((near, trained, tmp_path / "out"), (far, there, f"{bucket}/out")):
        code, _, err = run(
            "predict", "--run", folder, "--annotations", annotations_of(root), "--images", f"{root}/coco/{images}",
            "--out", out,
        )  # fmt: skip
        assert code == 0, err
    assert content(f"{bucket}/out") == content(tmp_path / "out")
    assert len(content(f"{bucket}/out")) == 2 + 6


def test_pictures_and_folders_are_predicted(near, far, there, bucket, run):
    """By default into the run's folder; what is not there costs itself."""
    folder = f"{far}/coco/train2017"
    one = FILES.join(folder, FILES.list_names(folder)[0])
    code, _, err = run("predict", "--run", there, folder, one, f"{folder}/", f"{bucket}/none.jpg")
    assert code == 1
    assert f"left out: '{bucket}/none.jpg': no such file" in err
    images = json.loads(FILES.read_bytes(f"{there}/predictions/images.json"))
    assert len(images["images"]) == 6
    assert one in [image["file_name"] for image in images["images"]]
    assert len(json.loads(FILES.read_bytes(f"{there}/predictions/results.json"))) == 6


def test_what_is_read_is_never_written_over(far, there, bucket, run):
    results, folder = f"{far}/results.json", f"{far}/coco/train2017"
    before = FILES.read_bytes(results)
    both = ("evaluate", "--data", f"{far}/val", "--results", results)
    for where in (("--json", results), ("--out", f"{far}/"), ("--json", f"{far}/val/manifest.json")):
        code, _, err = run(*both, *where)
        assert code == 1
        assert "would be overwritten" in err
    code, _, err = run("evaluate", "--data", f"{far}/val", "--run", there, "--json", f"{there}/best.keras")
    assert (code, "would be overwritten" in err) == (1, True)
    code, _, err = run(*both, "--out", f"{bucket}/out/", "--json", f"{bucket}/out/report.html")
    assert (code, "--out writes too" in err) == (1, True)
    for out in (folder, f"{folder}/", f"{folder}/inner"):
        code, _, err = run(
            "predict", "--run", there, "--annotations", annotations_of(far), "--images", folder, "--out", out
        )
        assert (code, "holds what is read" in err) == (1, True)
    assert FILES.read_bytes(results) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--json", "{bucket}/"], "--json: expected a file to write, found the folder"),
        (["--json", "{bucket}/new/"], "--json: expected a file to write, found the folder"),
        (["--out", "{far}/results.json"], "--out: expected a folder at {far}/results.json, found a file"),
        (["--out", "{bucket}-nowhere/out"], "no bucket {bucket}-nowhere. Check its name"),
        (["--json", "gs://"], "expected gs://bucket/name, found no bucket"),
    ],
)
def test_outputs_that_cannot_be(far, bucket, run, options, says):
    names = FILES.list_names(bucket)
    code, _, err = run(
        "evaluate", "--data", f"{far}/val", "--results", f"{far}/results.json",
        *(option.format(bucket=bucket, far=far) for option in options),
    )  # fmt: skip
    assert code == 1
    assert says.format(bucket=bucket, far=far) in err
    assert FILES.list_names(bucket) == names


def commands(near, far, trained, there, bucket):
    """Yield one command for each thing that a bucket is used for: by what of the bucket it needs."""
    pictures = f"{far}/coco/train2017"
    here = near / "results.json"
    yield "/val", ("evaluate", "--data", f"{far}/val", "--results", here)
    yield "/results.json", ("evaluate", "--data", near / "val", "--results", f"{far}/results.json")
    yield "/coco", ("evaluate", "--annotations", annotations_of(far), "--results", here)
    yield "/run", ("evaluate", "--data", near / "val", "--run", there, "--out", f"{bucket}/out")
    yield "/coco/train2017", ("predict", "--run", trained, pictures, "--out", f"{bucket}/out")
    yield "/coco/photographs.zip", (
        "predict", "--run", trained, "--annotations", annotations_of(near),
        "--images", f"{far}/coco/photographs.zip", "--out", f"{bucket}/out",
    )  # fmt: skip
    yield "/run", ("export", "--run", there, "--data", near / "val", "--format", "keras")
    yield (
        "/val",
        ("export", "--run", trained, "--data", f"{far}/val", "--format", "keras", "--out", f"{bucket}/x.keras"),
    )
    yield "/val", ("augment", f"{far}/val", "--out", f"{bucket}/sheet.png")


@pytest.mark.parametrize("judge", [403, *(pytest.param(judge, marks=pytest.mark.slow) for judge in (503, "drop"))])
def test_a_bucket_that_does_not_serve(near, far, trained, there, bucket, bad_service, run, monkeypatch, judge):
    """From the first request for what is needed there."""
    monkeypatch.setattr(AnyFiles.__init__, "__defaults__", (1.0,))  # of patience, in place of two minutes
    says = "the bucket refuses this account (403" if judge == 403 else "the bucket does not answer as it should"
    for needed, command in commands(near, far, trained, there, bucket):
        asked_for = needed.replace("/", "%2F").removeprefix("%2F")
        bad_service.judge = lambda seen, asked_for=asked_for: judge if asked_for in seen.path else None
        code, _, err = run(*command)
        assert code == 1, command
        assert f"error: {bucket if needed == '/run' else far}{needed}" in err, command
        assert says in err, command
    bad_service.judge = lambda seen: None
    assert FILES.list_names(f"{bucket}/out") == []
    assert set(FILES.list_names(there)) == {"best.keras", "config.json", "run.json"}


def test_what_may_not_be_written_is_told_before_the_work(near, far, trained, bucket, bad_service, run):
    bad_service.judge = lambda seen: 403 if seen.method in ("POST", "PUT") else None
    for command in (
        ("evaluate", "--data", f"{far}/val", "--run", trained, "--out", f"{bucket}/out"),
        ("predict", "--run", trained, f"{far}/coco/train2017", "--out", f"{bucket}/out"),
    ):
        code, said, err = run(*command)
        assert (code, said) == (1, "")
        assert f"error: {bucket}/out: the bucket refuses this account (403 as the test wants it)" in err
        assert "Storage Object User" in err


def test_a_run_that_may_only_be_read(near, there, bad_service, run, tmp_path):
    """Its report goes elsewhere; that it keeps no thresholds is said."""
    bad_service.judge = lambda seen: 403 if seen.method == "POST" else None
    code, said, err = run("evaluate", "--data", near / "val", "--run", there, "--out", tmp_path / "out")
    assert code == 0
    assert said.endswith(f"{tmp_path}/out/report.html\n")
    assert f"no thresholds of confidence written: {there}/thresholds.json: the bucket refuses this account" in err
    assert FILES.list_names(there) == ["best.keras", "config.json", "run.json"]


def test_figures_that_cannot_be_written_are_printed_all_the_same(far, bucket, bad_service, run):
    bad_service.judge = lambda seen: 403 if "uploadType=multipart" in seen.path else None
    code, said, err = run(
        "evaluate", "--data", f"{far}/val", "--results", f"{far}/results.json", "--json", f"{bucket}/figures.json"
    )
    assert code == 1
    assert "box, mean guess" in said
    assert f"error: {bucket}/figures.json: the bucket refuses this account" in err


@pytest.mark.long
def test_without_credentials(near, trained, tmp_path):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE", "STORAGE", "CLOUDSDK", "GCE"))}
    for command in (
        ("evaluate", "--data", "gs://some-bucket/val", "--results", near / "results.json"),
        ("predict", "--run", trained, "gs://some-bucket/a.jpg", "--out", tmp_path / "out"),
    ):
        found = subprocess.run(
            [sys.executable, "-m", "cocoprep", *map(str, command)],
            check=False, capture_output=True, text=True, timeout=60, env={**kept, "HOME": str(tmp_path)},
        )  # fmt: skip
        assert found.returncode == 1
        assert found.stderr.startswith("error: gs://some-bucket/")
        assert "no Google credentials" in found.stderr


@pytest.mark.long
@pytest.mark.parametrize("form", ["keras", "savedmodel"])
def test_an_export_in_a_bucket(near, far, trained, there, run, tmp_path, form):
    """It is checked on real crops before it is sent, and replaced as a whole."""
    name = {"keras": "network.keras", "savedmodel": "savedmodel"}[form]
    command = ("export", "--run", there, "--format", form, "--data", f"{far}/val")
    code, said, err = run(*command)
    assert code == 0, err
    assert said.startswith(f"{there}/export/{name}\n")
    assert f"people of {far}/val" in said
    sent = FILES.list_names(f"{there}/export")
    assert sent == (["network.keras", "network.keras.json"] if form == "keras" else ["savedmodel"])
    if form == "savedmodel":
        assert set(FILES.list_names(f"{there}/export/savedmodel")) >= {"saved_model.pb", "metadata.json", "variables"}
    else:
        import keras

        (tmp_path / name).write_bytes(FILES.read_bytes(f"{there}/export/{name}"))
        assert keras.saving.load_model(tmp_path / name).count_params() > 0
    code, _, err = run(*command)
    assert (code, "is there already: pass --force" in err) == (1, True)
    assert run(*command, "--force")[0] == 0
    assert FILES.list_names(f"{there}/export") == sent


def test_a_network_that_is_cut_short_in_a_bucket(near, there, run):
    whole = FILES.read_bytes(f"{there}/best.keras")
    with FILES.create(f"{there}/best.keras") as stream:
        stream.write(whole[:-100])
    code, _, err = run("predict", "--run", there, near / "coco" / "train2017")
    assert code == 1
    assert f"{there}/best.keras: not a network that can be read (it is no .keras file, or cut short)" in err


def test_a_sheet_of_augmentation(far, bucket, run, tmp_path):
    pytest.importorskip("cv2")
    for out in (f"{bucket}/sheet.png", str(tmp_path / "sheet.png")):
        assert run("augment", f"{far}/val", "--people", "2", "--epochs", "2", "--out", out)[0] == 0
    assert FILES.read_bytes(f"{bucket}/sheet.png") == (tmp_path / "sheet.png").read_bytes()
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 300
