"""What is read of files and folders is what a build reads of them."""

from __future__ import annotations

import json

import pytest

from cocoprep.builder.config import SelectConfig
from cocoprep.coco.annotations import parse_annotation_file
from cocoprep.coco.people import parse_entries
from cocoprep.errors import AnnotationError, ConfigError, RecordError
from cocoprep.inspection.read_data_set import MOST_BESIDE, check_paths_beside, short_names
from cocoprep.inspection.shifts import find_shifts
from cocoprep.inspection.statistics import measure
from cocoprep.inspection.stats_json import statistics_as_json
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import GROUND_TRUTH
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder
from tests.support.people import build_people, write_people
from tests.support.stats import read
from tests.support.two_sources import COCO, two_sources


def test_a_file_is_read_as_a_build_reads_it(tmp_path):
    path, _ = write_people(tmp_path)
    found = read(path)
    entries = parse_entries(parse_annotation_file(path.read_bytes(), str(path)))
    assert found.people.annotation_ids.tolist() == [entry.annotation_id for entry in entries]
    for n, entry in enumerate(entries):
        assert found.people.joints[n].tobytes() == entry.person.keypoint_bytes
        assert tuple(found.people.bbox[n]) == entry.person.bbox
        assert found.images[found.people.images[n]].image_id == entry.image_id


def test_a_folder_is_what_it_was_built_from(people_folder):
    folder = people_folder()
    built, source = (
        read(path) for path in (folder, folder.parent / "coco/annotations/person_keypoints_train2017.json")
    )
    of_folder, of_file = (measure(one, CropConfig(input_size=(64, 48))) for one in (built, source))
    for group in ("images", "labels", "boxes", "crowding", "crops"):
        assert repr(getattr(of_folder, group)) == repr(getattr(of_file, group))
    counts = read_manifest(str(folder), LocalFiles()).counts
    assert (of_folder.kept, of_folder.dropped["zero_keypoints"]) == (counts.people, 10)
    assert of_folder.labels.kept[0, 0] == counts.people
    assert of_folder.file_name == "person_keypoints_train2017.json"


def test_joints_that_a_source_labels_of_nobody_are_not_counted_as_not_labelled(tmp_path):
    select = SelectConfig(max_bad_fraction=0.5)
    build_folder(tmp_path / "out", sources=two_sources(tmp_path), table=COCO, select=select)
    found = measure(read(tmp_path / "out"), CropConfig())
    nose, hip, knee = (COCO.names.index(name) for name in ("nose", "left_hip", "right_knee"))
    assert found.labels.people == 4  # of lsp's, one has a box that is none
    assert found.labels.visibility[[nose, hip, knee]].tolist() == [[0, 0, 2], [1, 0, 3], [1, 3, 0]]
    assert found.labels.looked_for[[nose, hip]].tolist() == [2, 4]
    assert found.notes[-1].startswith("10 joints are of no kind that the annotation's source labels: left out of how")
    shown = {one.name: one.shown[0] for one in find_shifts([found, found])}
    assert (shown["nose labelled"], shown["left_hip labelled"]) == ("100.0%", "75.0%")
    assert shown["labelled joints, if any"] == "2.0 of 14.5"
    told = statistics_as_json([found], [])["data_sets"][0]["labels"]["visibility"]["nose"]
    assert told == {"not_labelled": 0, "hidden": 0, "visible": 2, "not_looked_for": 2}


def test_a_folder_that_is_none_is_told(tmp_path):
    with pytest.raises(AnnotationError, match="found a folder without manifest"):
        read(tmp_path)
    with pytest.raises(AnnotationError, match="expected a COCO keypoints file or a built folder, found nothing"):
        read(tmp_path / "none.json")


def test_a_damaged_folder_is_told(tmp_path):
    folder = build_people(tmp_path)
    (folder / GROUND_TRUTH).write_text("{}")
    with pytest.raises(RecordError, match="cocoprep verify"):
        read(folder)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/person_keypoints_train2017.json"], ["train2017"]),
        (["a/x.json", "b/y.json"], ["x", "y"]),
        (["data/a/annotations/x.json", "data/b/annotations/x.json"], ["a", "b"]),
        (["a/1/x.json", "/data/b/2/x.json", "y.json"], ["1", "2", "y"]),
        (["a/x.json", "x.json"], ["a/x.json", "x.json"]),
        (["shards/train/", "shards/val"], ["train", "val"]),
        (["/"], ["/"]),
    ],
)
def test_names_tell_paths_apart(paths, names):
    assert short_names(paths) == names


def test_paths_are_few_and_each_once():
    check_paths_beside(["a", "b"])
    with pytest.raises(ConfigError, match=f"expected {MOST_BESIDE} at most, found 7"):
        check_paths_beside([str(n) for n in range(7)])
    with pytest.raises(ConfigError, match="one of them twice"):
        check_paths_beside(["a", "a"])


def test_one_person_alone(tmp_path):
    path, _ = write_people(tmp_path, images=1, people=1)
    found = measure(read(path), CropConfig())
    assert (found.labels.annotations, found.labels.people, found.labels.kept[0].tolist()) == (1, 0, [0, 0, 0])
    assert found.crowding.by_count.tolist() == [0, 1]


def test_nobody_at_all(tmp_path):
    path, _ = write_people(tmp_path, images=1, people=1)
    document = json.loads(path.read_text())
    document["annotations"][0]["bbox"] = "none"
    path.write_text(json.dumps(document))
    found = measure(read(path), CropConfig())
    assert (found.entries.malformed, found.labels.annotations) == (1, 0)
    assert found.crowding.by_count.tolist() == [1]
