from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from cocoprep.builder.config import SelectConfig
from cocoprep.cli.augment import command as augment
from cocoprep.cli.contact_sheet import command as contact_sheet
from cocoprep.cli.show import command as show
from cocoprep.draw.sheet import person_tiles
from cocoprep.draw.subject import find_subject
from cocoprep.errors import CocoprepError, ConfigError, RecordError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder, keypoints, write_coco
from tests.support.half_written import leave_half
from tests.support.two_sources import COCO, two_sources


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("show")
    seen = keypoints(nose=(40, 30, 2), left_hip=(45, 70, 1))
    annotations = [
        {"id": 5, "image_id": 1, "bbox": [20, 10, 50, 80], "keypoints": seen},
        {"id": 6, "image_id": 1, "bbox": [80, 10, 20, 30]},
        {"id": 7, "image_id": 1, "bbox": [500, 10, 20, 30], "keypoints": seen},
    ]
    path, images = write_coco(root / "data", {1: Image.new("RGB", (120, 90), (60, 120, 90))}, annotations)
    select = SelectConfig(shards=1, max_bad_fraction=1)
    build_folder(root / "shards", annotations=path, images=images, select=select)
    return str(root / "shards")


def run(command, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_show_writes_a_picture_and_says_where(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(show, folder, "5").splitlines() == ["show-5.png"]
    with Image.open(tmp_path / "show-5.png") as image:
        assert image.width > 1000


def test_what_was_dropped_is_listed_by_names_that_show_takes(folder, tmp_path):
    listed = run(show, folder, "--dropped", "any").splitlines()
    assert [line.split("\t")[:2] for line in listed if "\t" in line] == [["6", "zero_keypoints"], ["7", "box"]]
    assert any(line.split("\t")[0] == "7" and "bbox [500.0" in line for line in listed)
    assert not any(line.startswith("6\t") for line in run(show, folder, "--dropped", "box").splitlines())
    assert "dropped: box" in run(show, folder, "row2", "--out", str(tmp_path / "row.png"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "found neither"), (("5", "--dropped", "any"), "found both"), (("--dropped", "none"), "expected one of any")],
)
def test_show_wants_an_annotation_or_a_reason(folder, arguments, said):
    with pytest.raises(ConfigError, match=said):
        run(show, folder, *arguments)


def test_show_takes_a_joint_and_a_file(folder, tmp_path):
    out = str(tmp_path / "hip.jpg")
    assert run(show, folder, "5", "--joint", "left_hip", "--out", out).strip() == out
    assert Path(out).stat().st_size > 0


@pytest.mark.parametrize(
    ("annotation_id", "said"), [("6", "dropped: zero_keypoints"), ("7", "dropped: box (bbox [500.0")]
)
def test_show_of_a_dropped_annotation_says_why(folder, tmp_path, annotation_id, said):
    out = str(tmp_path / "dropped.png")
    output = run(show, folder, annotation_id, "--out", out)
    assert said in output
    assert output.splitlines()[-1] == out


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["99"], CocoprepError, "annotation 99"),
        (["1"], CocoprepError, "1 is an image id"),
        (["5", "--joint", "toe"], ConfigError, "--joint"),
        (["6", "--joint", "toe"], ConfigError, "--joint"),
        (["5", "--images", "/nowhere"], ConfigError, "--images"),
        (["5", "--out", "picture.gif"], ConfigError, "--out"),
    ],
)
def test_show_fails_with_a_message(folder, tmp_path, monkeypatch, arguments, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        run(show, folder, *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("command", "rest"), [(show, ["5"]), (contact_sheet, ["--out", "a.png"])])
def test_a_folder_that_is_not_complete_is_told(tmp_path, command, rest):
    with pytest.raises(RecordError, match=r"no manifest\.json"):
        run(command, str(tmp_path), *rest)


def test_contact_sheet_is_the_same_every_time(folder, tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        assert run(contact_sheet, folder, "--out", str(path), "--tile", "80").strip() == str(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    run(contact_sheet, folder, "--out", str(tmp_path / "c.png"), "--stored", "--columns", "2", "--people", "1")


@pytest.mark.parametrize(("command", "arguments"), [(show, ["5"]), (contact_sheet, []), (augment, [])])
def test_what_a_killed_command_was_drawing_goes(folder, tmp_path, command, arguments):
    left, others = leave_half(tmp_path / "a.png"), leave_half(tmp_path / "b.png")
    run(command, folder, *arguments, "--out", str(tmp_path / "a.png"))
    assert (left.exists(), others.exists()) == (False, True)


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    root = tmp_path_factory.mktemp("two")
    sources = two_sources(root)
    document = json.loads(Path(sources[0].annotations).read_text())
    for entry, key in ((document["images"][0], "id"), *((one, "image_id") for one in document["annotations"][:2])):
        entry[key] = "image"
    Path(sources[0].annotations).write_text(json.dumps(document))
    select = SelectConfig(shards=2, max_bad_fraction=0.5)
    build_folder(root / "out", sources=sources, table=COCO, crop=CropConfig(input_size=(64, 64)), select=select)
    return root / "out"


def test_captions_of_several_sources_are_what_show_takes(of_two, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = open_dataset(of_two)
    tiles = person_tiles(dataset, range(3))
    assert sorted(tile.name for tile in tiles) == ["coco/1", "coco/2", "lsp/1"]
    for tile, number in zip(tiles, dataset.annotation_ids, strict=True):
        assert find_subject(dataset, tile.name).annotation_id == number
    assert run(show, str(of_two), "lsp/1").splitlines() == ["show-lsp-1.png"]
    assert find_subject(dataset, "lsp/1").title.startswith("Annotation lsp/1, number ")
    assert "annotation lsp/3 was dropped: box" in run(show, str(of_two), "lsp/3")


def test_what_show_suggests_of_several_sources_is_what_it_takes(of_two):
    with pytest.raises(CocoprepError, match=r"Choose another, for example (coco|lsp)/\d, "):
        run(show, str(of_two), "lsp/99")
    dataset = open_dataset(of_two)
    images = {image["source_id"]: image["id"] for image in read_ground_truth(str(of_two), LocalFiles())["images"]}
    for wanted in ("coco/image", str(images["coco/image"])):
        with pytest.raises(
            CocoprepError, match=r"is an image id: choose one of that image's annotations, coco/1, coco/2"
        ):
            find_subject(dataset, wanted)


def test_of_one_source_the_caption_is_the_number(folder):
    assert [tile.name for tile in person_tiles(open_dataset(folder), [0])] == ["5"]


@pytest.mark.parametrize("option", ["--people", "--columns", "--tile"])
def test_contact_sheet_refuses_nothing_to_draw(folder, tmp_path, option):
    with pytest.raises(ConfigError, match=option):
        run(contact_sheet, folder, "--out", str(tmp_path / "a.png"), option, "0")


def test_the_commands_load_nothing_heavy_until_they_run():
    code = (
        "import sys, cocoprep.cli.show, cocoprep.cli.contact_sheet;"
        "print(*({'numpy', 'PIL', 'pyarrow', 'msgspec'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
