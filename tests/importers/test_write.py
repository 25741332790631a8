"""What `convert --from` writes, where it writes it, and what it leaves alone."""

from __future__ import annotations

import json
import os

import pytest
from pycocotools.coco import COCO

from cocoprep.cli import convert as convert_module
from cocoprep.importers import formats
from tests.support.other_forms import drawn_set, write_mpii_json, write_mpii_mat, write_yolo


@pytest.fixture(scope="module")
def mpii(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mpii")
    coco = drawn_set(folder / "drawn", "mpii-16")
    write_mpii_json(coco, folder / "train.json")
    write_mpii_json(coco, folder / "valid.json")
    write_mpii_mat(coco, folder / "mpii.mat")
    os.symlink(coco.photographs, folder / "images")
    return folder


def convert(run, source, out, *options):
    return run("convert", source, "--from", "mpii", "--out", out, *options)


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pycocotools_reads_it_and_the_printed_command_builds_it(mpii, run, tmp_path, capsys):
    code, out, _ = convert(run, mpii / "mpii.mat", tmp_path / "out")
    assert code == 0
    coco = COCO(str(tmp_path / "out/annotations/person_keypoints_train.json"))
    assert len(coco.anns) == len({a["id"] for a in coco.anns.values()})
    command = out.strip().splitlines()[-1].split()
    assert command[:2] == ["cocoprep", "build"]
    code, out, err = run(*command[1:], "--out", tmp_path / "shards", "--dry-run")
    assert code == 0, err


TRAIN, VALID = (f"annotations/person_keypoints_{split}.json" for split in ("train", "valid"))


def test_the_same_call_writes_the_same(mpii, run, tmp_path):
    out = tmp_path / "out"
    convert(run, mpii / "train.json", out)
    first = files_of(out)
    assert set(first) == {"converted.json", TRAIN}
    (out / TRAIN).write_text("damaged")
    (out / "annotations/notes.txt").write_text("a user's")
    convert(run, mpii / "train.json", out)
    assert files_of(out) == {**first, "annotations/notes.txt": b"a user's"}


def test_two_lists_share_a_folder_and_one_split_of_two_is_refused(mpii, run, tmp_path):
    out = tmp_path / "out"
    convert(run, mpii / "train.json", out)
    assert convert(run, mpii / "valid.json", out)[0] == 0
    before = files_of(out)
    assert set(before) == {"converted.json", TRAIN, VALID}
    code, _, err = convert(run, mpii / "mpii.mat", out)
    assert code == 1
    assert f"holds the split train of another data set (mpii {mpii / 'train.json'})" in err
    assert files_of(out) == before


@pytest.mark.parametrize("first", [0, 1])
def test_a_rerun_may_name_the_folder_or_the_file_in_it(run, tmp_path, first):
    file = write_yolo(drawn_set(tmp_path / "drawn"), tmp_path / "yolo")
    spellings = [file, file.parent]
    for source in (spellings[first], spellings[1 - first]):
        code, _, err = run("convert", source, "--from", "yolo-pose", "--out", tmp_path / "out")
        assert code == 0, err
        (part,) = json.loads((tmp_path / "out/converted.json").read_bytes())["parts"]
        assert part == f"yolo-pose {file}"


def test_another_file_of_the_same_folder_is_another_data_set(run, tmp_path):
    file = write_yolo(drawn_set(tmp_path / "drawn"), tmp_path / "yolo")
    other = file.with_name("other.yaml")
    other.write_text(file.read_text())
    assert run("convert", file.parent, "--from", "yolo-pose", "--out", tmp_path / "out")[0] == 0
    code, _, err = run("convert", other, "--from", "yolo-pose", "--out", tmp_path / "out")
    assert code == 1
    assert f"of another data set (yolo-pose {file}). Name another folder, or remove this one" in err


def test_a_split_that_is_no_longer_there_goes(run, tmp_path):
    coco = drawn_set(tmp_path / "drawn")
    source = write_yolo(coco, tmp_path / "yolo")
    settings = source.read_text()
    source.write_text(settings.replace("val: null", "val: images/train"))
    run("convert", source, "--from", "yolo-pose", "--out", tmp_path / "out")
    assert len(files_of(tmp_path / "out")) == 3
    source.write_text(settings)
    run("convert", source, "--from", "yolo-pose", "--out", tmp_path / "out")
    assert set(files_of(tmp_path / "out")) == {"converted.json", TRAIN}


def test_the_account_lies_beside(mpii, run, tmp_path):
    _, _, err = convert(run, mpii / "mpii.mat", tmp_path / "out")
    (part,) = json.loads((tmp_path / "out/converted.json").read_bytes())["parts"].values()
    told = part["told"]
    assert part["complete"]
    for line in (*told["left_out"], *told["guessed"], *told["not_carried"]):
        assert line in err


FOREIGN = {
    "a file": lambda out: (out / "a.txt").write_text("mine"),
    "another's mark": lambda out: (out / "converted.json").write_text("{}"),
    "no JSON": lambda out: (out / "converted.json").write_text("["),
    "a folder": lambda out: (out / "annotations").mkdir(),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_folder_of_somebody_else_is_left_alone(case, mpii, run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    FOREIGN[case](out)
    before = files_of(out)
    code, _, err = convert(run, mpii / "train.json", out)
    assert code == 1
    assert "error: --out:" in err
    assert files_of(out) == before


def test_a_file_is_no_folder_and_an_input_is_spared(mpii, run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = convert(run, mpii / "train.json", tmp_path / "file")
    assert (code, "expected a folder" in err) == (1, True)
    out = tmp_path / "out"
    convert(run, mpii / "train.json", out)
    (out / "inner.json").write_bytes((mpii / "train.json").read_bytes())
    code, _, err = convert(run, out / "inner.json", out)
    assert code == 1
    assert "which is read. Choose another folder." in err


def test_photographs_that_are_elsewhere_are_told(mpii, run, tmp_path):
    (tmp_path / "train.json").write_bytes((mpii / "train.json").read_bytes())
    (tmp_path / "images").mkdir()
    code, _, err = convert(run, tmp_path / "train.json", tmp_path / "out")
    assert code == 0
    assert "photographs are not there: listed without a size" in err
    code, _, err = convert(run, tmp_path / "train.json", tmp_path / "out2", "--images", mpii / "nowhere")
    assert code == 1
    assert "--images: expected a folder" in err


def test_the_command_offers_all_forms():
    assert convert_module.FORMS == formats.FORMS


OPTIONS = {
    "neither": ([], "expected either --from"),
    "both": (["--from", "lsp", "--to", "coco"], "expected either --from"),
    "a table of what is known": (["--from", "lsp", "--keypoints", "coco-17"], "the joints of lsp are known"),
    "another place of photographs": (["--from", "yolo-pose", "--images", "x"], "data.yaml says where"),
    "a table of crops": (["--to", "coco", "--keypoints", "coco-17"], "go with --from"),
    "nothing there": (["--from", "cvat"], "found nothing"),
    "an odd place": (["--from", "cvat", "--images", "http://x"], "--images: expected a path"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_that_do_not_go_together_are_refused(case, run, tmp_path):
    options, says = OPTIONS[case]
    code, _, err = run("convert", tmp_path / "nothing.json", "--out", tmp_path / "out", *options)
    assert code == 1
    assert says in err
    assert not (tmp_path / "out").exists()
