"""The drawn data set: its files, its annotations, and that it is neither trivial nor unlearnable."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cocoprep.errors import ConfigError, OutputError
from cocoprep.pose.tables import COCO_17
from cocoprep.sample import SampleSummary, write_sample
from cocoprep.sample.outline import trace_outline
from cocoprep.sample.pose import mirror_pose, random_pose
from cocoprep.sample.rle import encode_rle
from cocoprep.sample.skeleton import pose_skeleton, random_body
from cocoprep.sample.state import PROGRESS
from tests.support.processes import session_of

IMAGES, VAL_IMAGES = 120, 10
SPLITS = ("train2017", "val2017")


def load(folder: Path, split: str) -> Any:
    return json.loads((folder / "annotations" / f"person_keypoints_{split}.json").read_bytes())


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, images=IMAGES, val_fraction=VAL_IMAGES / IMAGES)
    return folder


@pytest.fixture(scope="module")
def train(sample: Path) -> Any:
    return load(sample, "train2017")


@pytest.fixture(scope="module")
def labelled(train: Any) -> list[tuple[dict[str, Any], NDArray[np.float64]]]:
    """Annotations with joints, and these as (K, 3)."""
    people = [a for a in train["annotations"] if a["num_keypoints"]]
    return [(a, np.array(a["keypoints"], np.float64).reshape(-1, 3)) for a in people]


# Files


def test_layout_is_that_of_coco(sample: Path) -> None:
    for split, count in zip(SPLITS, (IMAGES, VAL_IMAGES), strict=True):
        document = load(sample, split)
        assert set(document) == {"info", "licenses", "images", "annotations", "categories"}
        assert len(document["images"]) == count
        assert {i["file_name"] for i in document["images"]} == set(os.listdir(sample / split))
        for image in document["images"]:
            assert image["file_name"] == f"{image['id']:012d}.jpg"
        (category,) = document["categories"]
        assert category["name"] == "person"
        assert tuple(category["keypoints"]) == COCO_17.names
        assert category["skeleton"] == COCO_17.skeleton
    assert {path.name for path in sample.iterdir()} == {"annotations", "sample.json", *SPLITS}


def test_ids_are_unique_across_the_splits(sample: Path) -> None:
    documents = [load(sample, split) for split in SPLITS]
    for kind in ("images", "annotations"):
        ids = [entry["id"] for document in documents for entry in document[kind]]
        assert len(ids) == len(set(ids))
    for document in documents:
        images = {image["id"] for image in document["images"]}
        assert {a["image_id"] for a in document["annotations"]} <= images


def test_images_have_the_annotated_size(sample: Path, train: Any) -> None:
    sizes = set()
    for entry in train["images"]:
        with Image.open(sample / "train2017" / entry["file_name"]) as image:
            assert (image.format, image.mode, image.size) == (
                "JPEG",
                "RGB",
                (entry["width"], entry["height"]),
            )
            sizes.add(image.size)
    assert len(sizes) >= 4


def test_same_seed_same_bytes_and_a_longer_sample_starts_with_the_shorter(sample: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_sample(tmp_path / name, images=3, val_fraction=1 / 3)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    short, long = load(tmp_path / "one", "train2017"), load(sample, "train2017")
    ids = {image["id"] for image in short["images"]}
    assert short["images"] == long["images"][:3]
    assert short["annotations"] == [a for a in long["annotations"] if a["image_id"] in ids]
    for image in short["images"]:
        path = Path("train2017", image["file_name"])
        assert (tmp_path / "one" / path).read_bytes() == (sample / path).read_bytes()


def test_other_seeds_and_splits_draw_other_images(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_sample(tmp_path / str(seed), images=1, seed=seed)
    pictures = {value for name, value in digests(tmp_path).items() if name.endswith(".jpg")}
    assert len(pictures) == 4


class InterruptError(Exception):
    """What the user's interrupt is here."""


@pytest.mark.parametrize("damage", ["none", "half a line", "lost image", "no progress"])
def test_interrupted_run_is_finished(tmp_path: Path, damage: str) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise InterruptError

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    write_sample(whole, images=3)
    with pytest.raises(InterruptError):
        write_sample(broken, images=3, on_image=stop)
    progress = broken / "sample-progress.jsonl"
    if damage == "half a line":
        progress.write_bytes(progress.read_bytes()[:-100])
    elif damage == "lost image":
        (broken / "train2017" / "000000000001.jpg").unlink()
    elif damage == "no progress":
        progress.unlink()
    calls: list[tuple[int, int]] = []
    summary = write_sample(broken, images=3, on_image=lambda *call: calls.append(call))
    assert summary.drawn == len(calls) == {"none": 2, "no progress": 4}.get(damage, 3)
    assert calls[-1] == (4, 4)
    assert digests(broken) == digests(whole)


def test_several_processes_draw_the_same(tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cocoprep.sample.dataset._IMAGES_A_PROCESS", 1)
    write_sample(tmp_path / "one", images=6)
    calls: list[tuple[int, int]] = []
    write_sample(tmp_path / "two", images=6, workers=2, on_image=lambda *call: calls.append(call))
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert calls == [(done, 8) for done in range(1, 9)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the processes by way of /proc")
@pytest.mark.parametrize(
    "victim", [pytest.param("a process that draws", marks=pytest.mark.long), "the one that started it"]
)
def test_a_lost_process_leaves_no_other_behind(tmp_path: Path, victim: str) -> None:
    command = [sys.executable, "-m", "cocoprep", "sample", str(tmp_path / "coco"), "--images", "40", "--workers", "2"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    progress = tmp_path / "coco" / PROGRESS  # a photograph counts from when it is listed there
    while not (progress.exists() and progress.read_bytes().count(b"\n") >= 6) and time.monotonic() < deadline:
        time.sleep(0.01)
    drawing = [pid for pid in session_of(run.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(drawing) == 2
    os.kill(run.pid if victim == "the one that started it" else drawing[0], signal.SIGKILL)
    output, _ = run.communicate(timeout=60)
    if victim == "a process that draws":
        assert run.returncode == 1
        assert "error: a process that draws was lost" in output
        assert "Traceback" not in output
    deadline = time.monotonic() + 10
    while session_of(run.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert session_of(run.pid) == []
    assert write_sample(tmp_path / "coco", images=40).drawn <= 47  # of 50: the others were there


def test_complete_sample_is_left_as_it_is(tmp_path: Path) -> None:
    first = write_sample(tmp_path, images=2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = write_sample(tmp_path, images=2, on_image=lambda *_: pytest.fail("drew again"))
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert (first.drawn, again.drawn) == (3, 0)
    document = load(tmp_path, "train2017")["annotations"] + load(tmp_path, "val2017")["annotations"]
    assert again == SampleSummary(
        folder=tmp_path,
        train_images=2,
        val_images=1,
        annotations=len(document),
        labelled=sum(a["num_keypoints"] > 0 for a in document),
        crowds=sum(a["iscrowd"] for a in document),
        drawn=0,
    )


def test_lost_file_of_a_complete_sample_is_drawn_again(tmp_path: Path) -> None:
    write_sample(tmp_path, images=1)
    before = digests(tmp_path)
    (tmp_path / "train2017" / "000000000001.jpg").unlink()
    write_sample(tmp_path, images=1)
    assert digests(tmp_path) == before


def test_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"no cocoprep sample.*empty folder"):
        write_sample(tmp_path, images=1)
    assert digests(tmp_path).keys() == {"holiday.jpg"}


def test_other_sample_is_refused(tmp_path: Path) -> None:
    write_sample(tmp_path, images=1)
    with pytest.raises(OutputError, match=r"holds another sample.*'seed': 5"):
        write_sample(tmp_path, images=1, seed=5)


def test_unreadable_marker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sample.json").write_text("[1]")
    with pytest.raises(OutputError, match="not a marker"):
        write_sample(tmp_path, images=1)


def test_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot write the sample"):
        write_sample(tmp_path / "file", images=1)


@pytest.mark.parametrize("wrong", [{"images": 0}, {"images": 1, "seed": -1}, {"images": 1, "val_fraction": 2}])
def test_parameters_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=list(wrong)[-1].replace("_", "-")):
        write_sample(tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()


# Annotations


def test_every_annotation_is_valid(train: Any) -> None:
    mask_api = pytest.importorskip("pycocotools.mask")
    images = {image["id"]: image for image in train["images"]}
    for a in train["annotations"]:
        height, width = images[a["image_id"]]["height"], images[a["image_id"]]["width"]
        x, y, w, h = a["bbox"]
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
        assert 0 < a["area"] <= w * h
        keypoints = np.array(a["keypoints"]).reshape(len(COCO_17), 3)
        seen = keypoints[:, 2] > 0
        assert np.isin(keypoints[:, 2], (0, 1, 2)).all()
        assert a["num_keypoints"] == seen.sum()
        assert not keypoints[~seen].any()
        assert (keypoints[:, :2] >= 0).all()
        assert (keypoints[:, :2] < (width, height)).all()
        if a["iscrowd"]:
            assert not a["num_keypoints"]
            code = mask_api.frPyObjects(a["segmentation"], height, width)
            assert mask_api.area(code) == a["area"]
            assert mask_api.toBbox(code).tolist() == a["bbox"]
        else:
            codes = mask_api.frPyObjects(a["segmentation"], height, width)
            # The outline leaves holes out and has few corners.
            assert mask_api.area(mask_api.merge(codes)) == pytest.approx(a["area"], rel=0.35, abs=25)


def test_pycocotools_loads_the_sample(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    api = coco.COCO(str(sample / "annotations" / "person_keypoints_val2017.json"))
    capsys.readouterr()
    assert len(api.getImgIds(catIds=api.getCatIds(catNms=["person"]))) == 10
    for annotation in api.loadAnns(api.getAnnIds()):
        assert api.annToMask(annotation).any()


def test_shares_are_like_those_of_coco(train: Any) -> None:
    people = train["annotations"]
    zero = np.mean([a["num_keypoints"] == 0 for a in people])
    assert 0.33 <= zero <= 0.47
    crowds = {a["image_id"] for a in people if a["iscrowd"]}
    assert 0.04 * IMAGES <= len(crowds) <= 0.16 * IMAGES
    main = sum(max(a["bbox"][2:]) >= 30 and not a["iscrowd"] for a in people)
    assert 1.8 <= main / IMAGES <= 2.8


def test_joints_are_visible_hidden_and_unlabelled(labelled: Any) -> None:
    visibility = np.array([keypoints[:, 2] for _, keypoints in labelled])
    unlabelled, hidden, visible = (np.mean(visibility == v) for v in (0, 1, 2))
    assert 0.10 <= unlabelled <= 0.30
    assert 0.08 <= hidden <= 0.25
    assert visible >= 0.5


def test_left_is_on_either_side_of_the_image(labelled: Any) -> None:
    left, right = (COCO_17.names.index(f"{side}_shoulder") for side in ("left", "right"))
    both = [k for _, k in labelled if k[left, 2] and k[right, 2]]
    share = np.mean([k[left, 0] > k[right, 0] for k in both])
    assert 0.35 <= share <= 0.65


def guess_score(train: Any, labelled: Any, threshold: float) -> float:
    """PCK, over all labelled joints, of guessing each joint where the mean of its heatmaps peaks."""
    sizes = {image["id"]: (image["width"], image["height"]) for image in train["images"]}
    centres = np.arange(64) + 0.5
    points, sides, boxes = [], [], []
    for a, keypoints in labelled:
        (x, y, w, h), (width, height) = a["bbox"], sizes[a["image_id"]]
        low, high = np.maximum((x, y), 0), np.minimum((x + w, y + h), (width, height))
        side = 1.25 * max(high - low)
        points.append((keypoints[:, :2] + 0.5 - (low + high) / 2) / side + 0.5)
        sides.append(side)
        boxes.append(max(w, h))
    places, seen = np.array(points), np.array([k[:, 2] > 0 for _, k in labelled])
    right = 0
    for k in range(len(COCO_17)):
        across, down = np.exp(-((centres - 64 * places[seen[:, k], k].T[..., None]) ** 2) / 8)
        row, column = np.unravel_index(np.argmax(down.T @ across), (64, 64))
        guess = np.array([column + 0.5, row + 0.5]) / 64
        distances = np.linalg.norm(places[:, k] - guess, axis=1) * sides
        right += np.sum(seen[:, k] & (distances <= threshold * np.array(boxes)))
    return float(right / seen.sum())


def test_a_constant_guess_scores_low(train: Any, labelled: Any) -> None:
    assert guess_score(train, labelled, 0.2) <= 0.5
    assert guess_score(train, labelled, 0.1) <= 0.3


def test_joints_lie_on_the_person(train: Any, labelled: Any) -> None:
    """A visible joint is inside the silhouette or, at its rim, a pixel or two beside it."""
    mask_api = pytest.importorskip("pycocotools.mask")
    images = {image["id"]: image for image in train["images"]}
    near = total = 0
    for a, keypoints in labelled[:80]:
        height, width = images[a["image_id"]]["height"], images[a["image_id"]]["width"]
        mask = mask_api.decode(mask_api.merge(mask_api.frPyObjects(a["segmentation"], height, width)))
        for x, y, _ in keypoints[keypoints[:, 2] == 2].astype(int):
            near += bool(mask[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].any())
            total += 1
    assert near / total >= 0.98


# Parts


def masks() -> Iterator[NDArray[np.bool_]]:
    rng = np.random.default_rng(3)
    yield np.zeros((4, 5), bool)
    yield np.ones((4, 5), bool)
    for _ in range(20):
        yield rng.random((int(rng.integers(1, 9)), int(rng.integers(1, 9)))) < rng.random()


def test_rle_is_that_of_pycocotools() -> None:
    mask_api = pytest.importorskip("pycocotools.mask")
    for mask in masks():
        rle = encode_rle(mask)
        packed = mask_api.frPyObjects(dict(rle), *mask.shape)
        assert packed["counts"] == mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
        assert (mask_api.decode(packed) == mask).all()


def test_outline_of_a_square_with_a_hole() -> None:
    mask = np.ones((5, 6), bool)
    mask[2, 3] = False
    (outline,) = trace_outline(mask, left=10, top=20)
    corners = np.reshape(outline, (-1, 2))
    assert corners.min(0).tolist() == [10, 20]
    assert corners.max(0).tolist() == [16, 25]


def test_outlines_of_parts_that_touch_at_a_corner_are_apart() -> None:
    mask = np.kron(np.eye(2, dtype=bool), np.ones((4, 4), bool))
    assert sorted(len(polygon) for polygon in trace_outline(mask)) == [32, 32]


def test_outline_of_specks_is_their_rectangle() -> None:
    mask = np.zeros((5, 9), bool)
    mask[1, 2] = mask[3, 7] = True
    assert trace_outline(mask) == [[2, 1, 8, 1, 8, 4, 2, 4]]


def test_mirrored_pose_is_the_mirror_image_of_the_body() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        body, pose = random_body(rng), random_pose(rng)
        flat = {"yaw": 0.0, "pitch": 0.0, "roll": 0.0}
        one, two = (
            pose_skeleton(type(pose)(p.arms, p.legs, p.spine, p.head, **flat), body) for p in (pose, mirror_pose(pose))
        )
        for joint in COCO_17.joints:
            mirrored = one.points[joint.partner] * (-1, 1, 1)
            assert two.points[joint.name] == pytest.approx(mirrored)


def test_limbs_keep_their_length_in_every_pose() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        body = random_body(rng)
        points = pose_skeleton(random_pose(rng), body).points
        for side in ("left", "right"):
            for start, end, length in (
                ("shoulder", "elbow", body.upper_arm),
                ("elbow", "wrist", body.forearm),
                ("hip", "knee", body.thigh),
                ("knee", "ankle", body.shin),
            ):
                limb = points[f"{side}_{start}"] - points[f"{side}_{end}"]
                assert np.linalg.norm(limb) == pytest.approx(length)
