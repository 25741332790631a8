"""Small real data sets of other joints than COCO's, through every command: who is kept of what the files hold."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cocoprep.shards.manifest import read_manifest
from cocoprep.storage.local import LocalFiles
from tests.support.every_command import learn, look_at


@dataclass(frozen=True)
class Case:
    """One annotation file.

    Attributes:
        file: within the folder of all data sets; the photographs lie beside it.
        table: that its joints are known as.
        joints: how many.
        read: entries of the file.
        kept: of them.
        dropped: the others, by reason.
        notes: how what was guessed begins.
        options: of the commands.
        images: where the photographs lie, if not beside the file.
        prefix: what the file puts before names that the folder does not have.
    """

    file: str
    table: str
    joints: int
    read: int
    kept: int
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    images: str | None = None
    prefix: str = ""


AREA = " annotations have no area: that of the segment, or else 0.53 of the box's"
SPELT = "the file's joints are {}'s, in another spelling"
CASES = [
    Case("aic/test_aic.json", "aic-14", 14, 9, 9, notes=(SPELT.format("aic-14"), "9" + AREA)),
    Case("animalpose/test_animalpose.json", "animalpose-20", 20, 2, 2, notes=(SPELT.format("animalpose-20"),)),
    Case("ap10k/test_ap10k.json", "ap10k-17", 17, 2, 2, options=("--category", "all")),
    Case("coco/test_coco.json", "coco-17", 17, 14, 12, {"zero_keypoints": 2}),
    Case("crowdpose/test_crowdpose.json", "crowdpose-14", 14, 5, 4, {"zero_keypoints": 1}, ("5" + AREA,)),
    Case(
        "humanart/test_humanart.json", "humanart-21", 21, 4, 4, prefix="HumanArt/images",
        notes=("4 annotations have as many joints as the category lists in keypoints_21 alone",),
    ),
    Case(
        "mpii/test_mpii_trb.json", "person-40", 40, 5, 5,
        notes=(
            "mirror partners by their names: left_shoulder - right_shoulder, ",
            "OKS by one sigma for all joints, 0.067",
            "5" + AREA, "5 annotations have no box: the extent of the labelled joints",
        ),
    ),
    Case("ochuman/test_ochuman.json", "coco-17", 17, 5, 5),
    Case("onehand10k/test_onehand10k.json", "hand-21", 21, 4, 4),
    Case(
        "posetrack18/annotations/test_posetrack18_val.json", "posetrack-17", 17, 14, 14, notes=("14" + AREA,),
        images="posetrack18",
    ),
]  # fmt: skip


def inputs_of(case, skeletons, root):
    """Return annotation file and folder of photographs; where names have a prefix, in a folder that has it too."""
    annotations = skeletons / case.file
    images = skeletons / case.images if case.images else annotations.parent
    if case.prefix:
        shutil.copytree(images, root / "images" / case.prefix)
        images = root / "images"
    return annotations, images


SOONER = ("humanart",)  # the oddest; the others are for `make test-all`


def _param(case):
    marks = () if case.file.startswith(SOONER) else pytest.mark.long
    return pytest.param(case, marks=marks, id=Path(case.file).stem)


@pytest.mark.slow
@pytest.mark.parametrize("case", map(_param, CASES))
def test_a_data_set_goes_through_every_command(case, run, skeletons, tmp_path):
    annotations, images = inputs_of(case, skeletons, tmp_path)
    said = look_at(run, tmp_path, annotations, images, *case.options, size=128)
    manifest = read_manifest(str(said.folder), LocalFiles())
    counts, keypoints = manifest.counts, manifest.keypoints
    assert (keypoints.table, len(keypoints.names)) == (case.table, case.joints)
    assert (counts.annotations, counts.people) == (case.read, case.kept)
    assert {reason: number for reason, number in counts.dropped.items() if number} == case.dropped
    assert len(manifest.notes) == len(case.notes)
    assert all(note.startswith(start) for note, start in zip(manifest.notes, case.notes, strict=True))
    learn(run, said, annotations, images, case.options)
    assert said.figures["counts"]["people"] == case.kept
    assert list(said.figures["end_point_error"]["per_joint"]) == list(keypoints.names)
    entries = {entry["id"] for entry in json.loads(annotations.read_text())["annotations"]}
    assert len(said.results) == case.kept <= len(entries)
    assert {len(line["keypoints"]) for line in said.results} == {3 * case.joints}


@pytest.mark.usefixtures("without_engine")
def test_crowdpose_says_how_crowded_it_is(run, skeletons, tmp_path):
    path = skeletons / "crowdpose" / "test_crowdpose.json"
    entries = [entry for entry in json.loads(path.read_text())["annotations"] if any(entry["keypoints"])]
    fields = ("image_id", "category_id", "keypoints")
    (tmp_path / "results.json").write_text(
        json.dumps([{**{name: entry[name] for name in fields}, "score": 1 / entry["id"]} for entry in entries])
    )
    code, out, _ = run(
        "evaluate", "--annotations", path, "--results", tmp_path / "results.json", "--json", tmp_path / "f"
    )
    assert (code, "OKS, as CrowdPose" in out) == (0, True)
    found = json.loads((tmp_path / "f").read_text())["oks_by_crowding"]
    assert {name: (one["images"], one["people"]) for name, one in found.items()} == {
        "all": (2, 4), "easy": (0, 0), "medium": (2, 4), "hard": (0, 0),
    }  # fmt: skip
    assert found["medium"]["AP"] == pytest.approx(1)


@pytest.mark.usefixtures("without_engine")
def test_a_part_of_the_joints_can_be_asked_for(run, skeletons, tmp_path):
    case = next(case for case in CASES if case.prefix)
    annotations, images = inputs_of(case, skeletons, tmp_path)
    code, out, err = run(
        "build", "--annotations", annotations, "--images", images, "--keypoints", "coco-17", "--dry-run"
    )
    assert (code, err) == (0, "") or "warning" in err
    assert "of the 21 joints that the category lists, the first 17 are taken" in out


@pytest.mark.parametrize("file", ["mpii/test_mpii.json", "coco/test_coco_det_AP_H_56.json"])
def test_a_list_is_told_from_cocos_form(file, run, skeletons, tmp_path):
    code, _, err = run("build", "--annotations", skeletons / file, "--images", tmp_path, "--dry-run")
    assert code == 1
    assert "The file is a list: results, boxes of a detector, or people in a form of their own" in err
