"""`cocoprep leaks`: what it prints and leaves, and what it refuses."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from PIL import Image

from cocoprep.shards.leak_list import read_leaks
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.buckets import put
from tests.support.copies import as_jpeg, write_photographs
from tests.support.people import write_people


@pytest.fixture
def coco(tmp_path):
    """Return two splits in COCO's layout: of 4 photographs to train on, 2 are of those to validate on."""
    folder = tmp_path / "coco"
    write_people(folder, images=3)
    annotations, train = folder / "annotations", folder / "train2017"
    (folder / "val2017").mkdir()
    for name, other in (("000000000001.jpg", "x.jpg"), ("000000000002.jpg", "000000000002.jpg")):
        (folder / "val2017" / other).write_bytes((train / name).read_bytes())
    labels = json.loads((annotations / "person_keypoints_train2017.json").read_text())
    labels["images"] = [{"id": 1, "file_name": "x.jpg"}, {"id": 2, "file_name": "000000000002.jpg"}]
    labels["annotations"] = [one for one in labels["annotations"] if one["image_id"] < 3]
    (annotations / "person_keypoints_val2017.json").write_text(json.dumps(labels))
    return folder


def test_what_it_prints_and_leaves(coco, run, tmp_path):
    command = ["leaks", "--source", f"val2017={coco}", "--source", f"train2017={coco}", "--out", tmp_path / "out"]
    code, out, err = run(*command)
    assert code == 0, err
    assert "val2017: 2 photographs of" in out
    (line,) = (line for line in out.splitlines() if "│ train2017" in line)
    assert [cell.strip() for cell in line.strip("│").split("│")] == ["train2017", "val2017", "2", "0", "0", "0", "2"]
    assert str(tmp_path / "out/leaks.jpg") in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fingerprints", "leaks.jpg", "leaks.parquet"]
    leaks = read_leaks(str(tmp_path / "out/leaks.parquet"), AnyFiles())
    assert leaks.source_of(f"{coco}/annotations/person_keypoints_train2017.json") == "train2017"
    assert leaks.table["dropped_image_id"].to_pylist() == [1, 2]
    code, _, err = run(*command, "--max-leaks", 2)
    assert code == 0, err
    code, _, err = run(*command, "--max-leaks", 1)
    assert code == 1
    assert "--max-leaks: expected 1 at most, found 2. All are listed in" in err


def test_where_nothing_is_found_a_sheet_of_before_goes(coco, run, tmp_path):
    out = tmp_path / "out"
    run("leaks", "--source", f"val2017={coco}", "--source", f"train2017={coco}", "--out", out)
    code, said, err = run("leaks", "--source", f"one={coco}", "--split", "train2017", "--out", out)
    assert code == 0, err
    assert "No photograph was found twice." in said
    assert not (out / "leaks.jpg").exists()
    assert pq.read_table(out / "leaks.parquet").num_rows == 0


def test_what_is_not_compared_is_told(run, tmp_path):
    noise = as_jpeg(Image.effect_noise((90, 60), 90))
    files = {"1.jpg": noise, "2.jpg": noise, "3.jpg": b"none", "4.jpg": as_jpeg(Image.new("RGB", (9, 9))), "5.jpg": b""}
    source = write_photographs(tmp_path / "a", files)
    (tmp_path / "a/photographs/5.jpg").unlink()
    (tmp_path / "a/photographs/1.jpg").rename(tmp_path / "a/photographs/1.JPG")
    code, out, err = run("leaks", "--source", f"a={source}", "--out", tmp_path / "out")
    assert code == 0, err
    assert "note: a: 1 file name is not quite the photographs' own" in err
    assert "warning: 1 a: photographs that are listed are not there. The first: '5.jpg': no such file" in err
    assert "warning: 1 photograph cannot be read: compared byte by byte, or not at all" in err
    assert "note: 1 photograph is of one grey all over" in err
    assert "│ a " in out


def test_what_it_refuses(coco, run, tmp_path):
    pair = f"{coco}/annotations/person_keypoints_train2017.json,{coco}/train2017"
    for source, out, said in (
        (f"a={pair}", f"{coco}/train2017/new", "holds what is read of a"),
        (f"a={pair}", f"{coco}/annotations", "holds what is read of a"),
        (f"a={coco}", tmp_path / "out", "expected photographs in"),
        (f"a={tmp_path}/gone.json,{coco}/train2017", tmp_path / "out", "expected a COCO keypoints file, found nothing"),
        (f"a={pair.partition(',')[0]},{coco}/annotations", tmp_path / "out", "none of the 3 photographs"),
        (f"a={pair}", "s3://bucket", "expected a path of this machine"),
    ):
        code, _, err = run("leaks", "--source", source, "--out", out)
        assert code == 1, err
        assert said in err
    code, _, err = run("leaks", "--out", tmp_path / "out")
    assert code == 1
    assert "--source: expected 1 to 100 sources, found 0" in err
    assert not (tmp_path / "out").exists()


def test_all_of_it_may_lie_in_a_bucket(coco, bucket, run, tmp_path):
    there = put(coco, f"{bucket}/coco")
    sources = [part for split in ("val2017", "train2017") for part in ("--source", f"{split}={there}")]
    for _ in range(2):  # the second goes on from the first's fingerprints
        code, out, err = run("leaks", *sources, "--out", f"{bucket}/leaks")
        assert code == 0, err
        assert f"{bucket}/leaks/leaks.jpg" in out
    leaks = read_leaks(f"{bucket}/leaks/leaks.parquet", AnyFiles())
    assert leaks.source_of(f"{there}/annotations/person_keypoints_val2017.json") == "val2017"
    assert leaks.table.num_rows == 2


def test_links_that_lead_out_are_followed_where_that_is_asked_for(coco, run, tmp_path):
    for path in (coco / "val2017").iterdir():
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    command = ["leaks", "--source", f"val2017={coco}", "--source", f"train2017={coco}", "--out", tmp_path / "out"]
    code, _, err = run(*command)
    assert code == 1
    assert "of 2 photographs in" in err
    assert "a link that leads out of the image folder; --follow-links has it followed" in err
    code, out, err = run(*command, "--follow-links")
    assert code == 0, err
    assert "2 photographs cannot" not in err
    assert "train2017 " in out
