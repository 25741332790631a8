"""MPII's two files: what is left out or guessed of odd entries, and what is no such file."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import scipy.io

from cocoprep.errors import AnnotationError
from cocoprep.importers.mpii_frame import box_of
from cocoprep.importers.mpii_json import read_mpii_json
from cocoprep.importers.mpii_mat import read_mpii_mat
from tests.support.other_forms import structs

GOOD = {
    "joints": [[10.0 + k, 20.0 + 2 * k] for k in range(16)], "joints_vis": [1] * 16,
    "image": "a.jpg", "scale": 1.0, "center": [60.0, 70.0],
}  # fmt: skip


def read(*entries):
    return read_mpii_json(json.dumps(entries).encode(), "annot/valid.json")


def told(dataset):
    return "; ".join((*dataset.account.left_out.lines, *dataset.account.guessed.lines))


def test_pixel_indices_count_from_0():
    (split,) = read(GOOD).splits
    assert split.name == "valid"
    assert list(split.people[0].keypoints[:6]) == [9, 19, 2, 10, 21, 2]
    assert split.people[0].bbox == (59.5 - 100, 69.5 + 15 - 100, 200, 200)


@pytest.mark.parametrize("missing", [[-1.0, -1.0], [0.0, 0.0]])
def test_a_joint_that_is_nowhere_is_not_labelled(missing):
    for visible in (0, 1):
        entry = {**GOOD, "joints": [missing, *GOOD["joints"][1:]], "joints_vis": [visible, *[1] * 15]}
        dataset = read(entry)
        assert list(dataset.splits[0].people[0].keypoints[:3]) == [0, 0, 0]
        assert ("said to be labelled" in told(dataset)) == bool(visible)


def test_without_centre_or_scale_the_joints_make_the_box():
    dataset = read({**GOOD, "center": [-1, -1]}, {**GOOD, "scale": -1})
    assert dataset.splits[0].people[0].bbox == (9 - 15 / 4, 19 - 30 / 4, 22.5, 45)
    assert "2 annotations have no box" in told(dataset)


ODD = {
    "no object": (7, "malformed"),
    "no image": ({k: v for k, v in GOOD.items() if k != "image"}, "malformed"),
    "fifteen joints": ({**GOOD, "joints": GOOD["joints"][:15]}, "other than 16 joints"),
    "a name that leads out": ({**GOOD, "image": "../a.jpg"}, "leads out"),
    "no name": ({**GOOD, "image": ""}, "leads out"),
    "far away": ({**GOOD, "joints": [[1e9, 1e9], *GOOD["joints"][1:]]}, "no pixels"),
    "an endless scale": ({**GOOD, "scale": 1e300}, "no pixels"),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_entry_costs_itself_and_is_told(case):
    entry, says = ODD[case]
    dataset = read(entry, GOOD)
    (person,) = dataset.splits[0].people
    assert person.number == 2  # numbers stay those of the entries
    assert says in "; ".join(dataset.account.left_out.lines)


def test_no_box_without_a_place():
    assert box_of(-1, -1, 2.0) is None
    assert box_of(5, 5, 0.0) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{}", "Expected a list"),
        ("[", "not valid JSON"),
        ("[" * 3000, "nested"),
        ("[1]", "no person"),
        ("[]", "no person"),
    ],
)
def test_other_json_is_refused(content, says):
    with pytest.raises(AnnotationError, match=says):
        read_mpii_json(content.encode(), "x.json")


# The MAT-file


def point(number, x=5.0, y=6.0, visible=1):
    return {"x": x, "y": y, "id": number, "is_visible": visible}


def person(*points, **more):
    annopoints = structs([{"point": structs(list(points))}]) if points else np.zeros((0, 0))
    place = {"objpos": structs([{"x": 60.0, "y": 70.0}]), "scale": 1.0}
    return {"annopoints": annopoints, **place, **more}


def mat(*people, train=1, **release):
    annolist = structs([{"image": structs([{"name": "a.jpg"}]), "annorect": structs(list(people))}])
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"RELEASE": {"annolist": annolist, "img_train": np.array([[train]]), **release}})
    return read_mpii_mat(stream.getvalue(), "mpii.mat")


def test_people_without_joints_are_kept_and_told():
    dataset = mat(person())
    (found,) = dataset.splits[0].people
    assert not any(found.keypoints)
    assert found.bbox == (-40.5, -15.5, 200, 200)
    assert found.head_box is None
    assert "1 annotation has no joints: kept without any" in told(dataset)


def test_visibility_is_a_number_a_text_or_not_there():
    dataset = mat(
        person(point(0, visible=0), point(1, y=9.0, visible="1"), point(2, visible="0"), point(8, visible=[]))
    )
    assert list(dataset.splits[0].people[0].keypoints[2:9:3]) == [1, 2, 1]
    assert dataset.splits[0].people[0].keypoints[8 * 3 + 2] == 2


MALFORMED = {
    "an id of 16": (person(point(16), point(0), point(1, y=9.0)), "an id that is none"),
    "no x": (person(point(3, x=[]), point(0), point(1, y=9.0)), "no place"),
    "neither joints nor place": (person(objpos=np.zeros((0, 0))), "neither joints nor a place"),
    "text for a scale": (person(point(0), scale="large"), "malformed"),
    "two numbers for one": (person(point(0), scale=np.ones((1, 2))), "malformed"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_odd_people_are_told(case):
    odd, says = MALFORMED[case]
    dataset = mat(odd, person(point(0), point(1, x=9.0, y=9.0)))
    assert says in told(dataset)
    assert len(dataset.splits[0].people) in (1, 2)


def test_other_mat_files_are_refused():
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"joints": np.ones((3, 14, 5))})
    with pytest.raises(AnnotationError, match="no 'RELEASE'"):
        read_mpii_mat(stream.getvalue(), "x.mat")
    with pytest.raises(AnnotationError, match="no person in it"):
        mat(person(point(0)), train=0)
