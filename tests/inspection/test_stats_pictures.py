"""Charts and examples: drawn, of a size, and not empty; and what is left of them by a second run."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cocoprep.draw.chart import PAPER, Series, bar_chart, tick_values
from cocoprep.draw.palette import BACKGROUND
from cocoprep.inspection.charts import CHARTS
from cocoprep.inspection.examples import CROP_STEPS, WITHOUT_LABELS, draw_examples
from cocoprep.inspection.photographs import open_photographs, photographs_of
from cocoprep.inspection.statistics import measure
from cocoprep.inspection.unlabelled_sheet import TILE, Example, draw_unlabelled
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.keypoints import Joint, KeypointTable
from cocoprep.pose.tables import MAX_JOINTS
from cocoprep.storage.local import LocalFiles
from tests.support.any_joints import TABLES, write
from tests.support.building import write_coco
from tests.support.people import write_people
from tests.support.stats import read

CROP = CropConfig(input_size=(64, 64))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Return annotation file and photographs of thirty people, ten of them without labels."""
    return write_people(tmp_path_factory.mktemp("people"))


def is_drawn(picture: Image.Image, ground) -> bool:
    """Tell whether a good part of a picture is not of its ground's colour."""
    return bool((np.asarray(picture.convert("RGB")) != ground).any(axis=2).mean() > 0.01)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_of_any_data_sets(name, people, tmp_path):
    several = [read(people[0], "people"), *(
        read(write(tmp_path / table, TABLES[table])["annotations"], table) for table in ("tip-1", "bird-5")
    )]  # fmt: skip
    figures = [measure(one, CROP) for one in several]
    for chosen in (figures, figures[:1], figures[1:2]):
        assert is_drawn(CHARTS[name](chosen), PAPER)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_of_many_joints(name, tmp_path):
    table = max(TABLES.values(), key=len)
    picture = CHARTS[name]([measure(read(write(tmp_path, table)["annotations"]), CROP)])
    assert is_drawn(picture, PAPER)
    assert max(picture.size) < 10_000


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_of_as_many_joints_as_there_may_be(name, tmp_path):
    table = KeypointTable("many", tuple(Joint(f"j{n}", f"j{n}", 0.1) for n in range(MAX_JOINTS)), ())
    path, _ = write_coco(
        tmp_path, {1: (40, 30)}, [{"id": 1, "image_id": 1, "keypoints": [5, 6, 2] * MAX_JOINTS}], table=table
    )
    picture = CHARTS[name]([measure(read(path), CROP)])
    assert picture.width * picture.height < 1 << 25


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_of_nobody_with_labels(name, tmp_path):
    path, _ = write_coco(tmp_path, {1: (40, 30)}, [{"id": 1, "image_id": 1}])
    assert CHARTS[name]([measure(read(path), CROP)]).width > 500


def test_a_bar_is_as_high_as_its_value():
    picture = np.asarray(bar_chart([Series("a", (50, 100), (200, 0, 0))], ["x", "y"], title="t", across="x", up="y"))
    red = (picture == (200, 0, 0)).all(axis=2)
    half, whole = (red[:, columns].any(axis=1).sum() for columns in (slice(0, 800), slice(850, None)))
    assert half == pytest.approx(whole / 2, abs=2)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(100, [0, 20, 40, 60, 80, 100]), (7, [0, 2, 4, 6, 8]), (0.03, [0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03]),
     (0, [0, 0.2, 0.4, 0.6, 0.8, 1]), (float("nan"), [0, 0.2, 0.4, 0.6, 0.8, 1])],
)  # fmt: skip
def test_ticks_are_round_and_reach_the_top(most, ticks):
    assert tick_values(most) == pytest.approx(ticks)


def photographs_at(data_set, images):
    paths = photographs_of(data_set, None if images is None else str(images))
    return open_photographs(data_set, paths, LocalFiles())


def test_examples_of_a_file(people):
    data_set = read(people[0])
    photographs = photographs_at(data_set, people[1])
    pictures = draw_examples(data_set, photographs, CROP)
    assert set(pictures) == {WITHOUT_LABELS, CROP_STEPS}
    assert not photographs.faults
    assert all(is_drawn(picture, BACKGROUND) for picture in pictures.values())


def test_photographs_that_are_not_there_are_told(people, tmp_path):
    data_set = read(people[0])
    photographs = photographs_at(data_set, tmp_path)
    assert not draw_examples(data_set, photographs, CROP)
    assert len(photographs.faults) == 10


def test_a_built_folder_knows_its_photographs(people_folder):
    data_set = read(people_folder())
    assert list(photographs_of(data_set, None)) == [""]
    assert set(draw_examples(data_set, photographs_at(data_set, None), CROP)) == {WITHOUT_LABELS, CROP_STEPS}


@pytest.mark.parametrize("bbox", [(5, 5, 2, 3), (-10, -10, 400, 300), (95, 75, 50, 50), (0, 0, 0, 0)])
def test_an_example_of_any_box(bbox):
    photograph = Image.new("RGB", (100, 80), (10, 200, 10))
    picture = draw_unlabelled([Example(photograph, bbox, ("small", "2 x 3 px", "id 7"))], "one of one")
    assert min(picture.size) > TILE
    assert (np.asarray(picture) == (10, 200, 10)).all(axis=2).mean() > 0.01
