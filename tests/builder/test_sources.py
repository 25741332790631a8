"""Builds of several sources: joints mapped, numbers of their own, counts by source."""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from cocoprep import open_dataset
from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.builder.start import judge_build
from cocoprep.coco.sources import Source
from cocoprep.draw.subject import find_subject
from cocoprep.errors import BuildError, CocoprepError, ConfigError, RecordError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.pose.tables import named_table
from cocoprep.shards.ground_truth import read_ground_truth
from cocoprep.shards.ledger import count_categories, read_ledger
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import LEDGER, MANIFEST
from cocoprep.shards.seal import seal
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.building import build_folder, keypoints, write_coco
from tests.support.two_sources import BODY, COCO, GREY, LSP, two_sources

FILES = LocalFiles()
SMALL = CropConfig(input_size=(64, 64))


@pytest.fixture
def pair(tmp_path):
    return two_sources(tmp_path)


def _source(name, paths, **more):
    annotations, images = paths
    return Source(name=name, annotations=str(annotations), images=str(images), **more)


def _built(tmp_path, sources, name="out", **options):
    manifest = build_folder(tmp_path / name, sources=sources, crop=SMALL, **{"table": COCO, **options})
    assert verify_folder(str(tmp_path / name), FILES).problems == []
    return manifest


def _select(**options):
    return SelectConfig(max_bad_fraction=0.5, **options)


def test_counts_stand_by_source_and_add_up(pair, tmp_path):
    manifest = _built(tmp_path, pair, select=_select())
    coco, lsp = manifest.sources
    assert (coco.name, coco.annotations_read, coco.people) == ("coco", 3, 2)
    assert (lsp.name, lsp.annotations_read, lsp.people) == ("lsp", 3, 1)
    assert {reason: n for reason, n in coco.dropped.items() if n} == {"zero_keypoints": 1}
    assert {reason: n for reason, n in lsp.dropped.items() if n} == {"zero_keypoints": 1, "box": 1}
    assert manifest.counts.people == 3
    assert manifest.counts.annotations == 6
    ledger = read_ledger(str(tmp_path / "out"), FILES)
    assert ledger["source"].to_pylist() == ["coco"] * 3 + ["lsp"] * 3
    assert ledger["source_id"].to_pylist() == ["1", "2", "3"] * 2
    assert len(set(ledger["annotation_id"].to_pylist())) == 6


def test_the_source_of_every_record_is_known_beside_empty_shards(pair, tmp_path):
    manifest = _built(tmp_path, pair, select=_select())
    assert any(shard.examples == 0 for shard in manifest.shards)
    dataset = open_dataset(tmp_path / "out")
    assert dataset.sources == [person["source"] for person in dataset]
    assert sorted(dataset.sources) == [0, 0, 1]


def test_joints_are_mapped_and_what_each_source_labels_is_known(pair, tmp_path):
    manifest = _built(tmp_path, pair, select=_select())
    coco, lsp = manifest.sources
    assert coco.joints == COCO.names
    assert set(lsp.joints) == set(COCO.names) & set(LSP.names)
    notes = [note for note in manifest.notes if note.startswith("lsp: ")]
    assert notes[0] == f"lsp: {lsp.joint_map}"
    assert "left out: neck, head_top" in lsp.joint_map
    assert "1 annotation has no labelled joint that is built: zero_keypoints" in notes[1]
    people = {person["file_name"]: person for person in open_dataset(tmp_path / "out") if person["source"] == 1}
    person = people["lsp/000000000001.jpg"]
    hip, nose = COCO.names.index("left_hip"), COCO.names.index("nose")
    assert person["visibility"][hip] == 2
    assert person["visibility"][COCO.names.index("right_knee")] == 1
    assert person["visibility"].sum() == 3
    assert not person["keypoints"][nose].any()


def test_records_say_their_source_and_category(pair, tmp_path):
    manifest = _built(tmp_path, pair, select=_select())
    assert [feature.name for feature in manifest.features][3] == "category_id"
    found = {(person["source"], person["category_id"]) for person in open_dataset(tmp_path / "out")}
    assert found == {(0, 1), (1, 1)}
    truth = read_ground_truth(str(tmp_path / "out"), FILES)
    assert {image["source_id"] for image in truth["images"]} == {"coco/1", "coco/2", "lsp/1", "lsp/2"}
    assert {image["file_name"].partition("/")[0] for image in truth["images"]} == {"coco", "lsp"}


def test_an_annotation_is_shown_by_its_source_and_own_id(pair, tmp_path):
    _built(tmp_path, pair, select=_select())
    dataset = open_dataset(tmp_path / "out")
    found = find_subject(dataset, "lsp/1")
    assert (found.source_id, found.image.file_name) == ("1", "lsp/000000000001.jpg")
    assert find_subject(dataset, str(found.annotation_id)).row == found.row
    with pytest.raises(
        CocoprepError, match=r"found 2 of it\. Choose one by its source, such as coco/1, or by the number"
    ):
        find_subject(dataset, "1")
    with pytest.raises(
        CocoprepError, match=rf"an annotation id of {re.escape(dataset.manifest.sources[1].annotations)}, found no such"
    ):
        find_subject(dataset, "lsp/9")


def test_the_order_of_sources_changes_no_number(pair, tmp_path):
    _built(tmp_path, pair, "ab", select=_select())
    _built(tmp_path, pair[::-1], "ba", select=_select())
    one, other = (
        {(line["source"], line["source_id"]): line["annotation_id"] for line in read_ledger(path, FILES).to_pylist()}
        for path in (str(tmp_path / "ab"), str(tmp_path / "ba"))
    )
    assert one == other


def test_a_rerun_keeps_every_shard_and_a_weight_changes_none(pair, tmp_path):
    before = _built(tmp_path, pair, select=_select())
    heavier = [pair[0], _source("lsp", (pair[1].annotations, pair[1].images), weight=3)]
    after = _built(tmp_path, heavier, select=_select())
    assert after.shards == before.shards
    assert [source.weight for source in after.sources] == [1, 3]


def test_shared_joints_are_those_of_all_as_the_maps_say(pair, tmp_path):
    for place in (0, 1):
        said = list(pair)
        said[place] = dataclasses.replace(said[place], joints={"left_wrist": "", "left_hip": "left_hip", "nose": ""})
        manifest = _built(tmp_path, said, str(place), table="shared", select=_select())
        assert manifest.keypoints.table == "shared-11"
        assert "left_wrist" not in manifest.keypoints.names
        assert {source.joints for source in manifest.sources} == {manifest.keypoints.names}


def test_what_is_not_there_is_told_by_its_source(pair, tmp_path):
    coco, lsp = pair
    for changed, message in (
        (
            {"annotations": str(tmp_path / "gone.json")},
            "--source lsp: .*gone.json: .*found nothing. .*`annotations` in the",
        ),
        ({"images": str(tmp_path / "gone")}, "--source lsp: expected a folder, .* found nothing at .*gone"),
        ({"joints": {"throat": "neck"}}, "--source lsp: expected a joint of coco-17"),
    ):
        with pytest.raises(ConfigError, match=message):
            _built(tmp_path, [coco, dataclasses.replace(lsp, **changed)])


def test_a_source_without_a_photograph_is_no_small_share_of_faults(pair, tmp_path):
    coco, lsp = pair
    (tmp_path / "empty").mkdir()
    lsp = dataclasses.replace(lsp, images=str(tmp_path / "empty"))
    with pytest.raises(ConfigError, match=r"--source lsp: none of 1 photographs can be read from .*empty .*Nothing is"):
        _built(tmp_path, [coco, lsp], select=SelectConfig(max_bad_fraction=1))
    assert not (tmp_path / "out").exists()


def test_sources_of_which_no_joint_is_in_all_are_refused(pair, tmp_path):
    coco, lsp = pair
    lsp = dataclasses.replace(lsp, joints={name: "" for name in COCO.names if name not in ("left_hip", "nose")})
    last = dataclasses.replace(coco, name="last", joints={"left_hip": ""})
    with pytest.raises(ConfigError, match=r"no joint is in all sources .coco: coco-17; lsp: lsp-14; last: coco-17"):
        _built(tmp_path, [coco, lsp, last], table="shared")


def test_shared_joints_are_those_of_all(pair, tmp_path):
    manifest = _built(tmp_path, pair, table="shared", select=_select())
    assert manifest.keypoints.table == "shared-12"
    assert set(manifest.keypoints.names) == set(COCO.names) & set(LSP.names)
    torso = [[manifest.keypoints.names[k] for k in pair] for pair in manifest.keypoints.torso]
    assert torso == [list(names) for names in COCO.torso]


def test_a_map_of_ones_own(pair, tmp_path):
    mapped = [pair[0], _source("lsp", (pair[1].annotations, pair[1].images), joints={"nose": "head_top"})]
    manifest = _built(tmp_path, mapped, select=_select())
    assert manifest.sources[1].people == 2
    assert "head_top as nose" in manifest.sources[1].joint_map


def test_other_joints_without_a_word_are_refused(pair, tmp_path):
    with pytest.raises(ConfigError, match=r"coco: coco-17; lsp: lsp-14.*--keypoints shared.*left_shoulder"):
        _built(tmp_path, pair, table=None)
    assert not (tmp_path / "out").exists()


def test_no_joint_in_common_is_refused(pair, tmp_path):
    with pytest.raises(ConfigError, match="no joint in common"):
        _built(tmp_path, pair, table=named_table("hand-21"))


def test_photographs_may_lie_in_an_archive_or_be_gone(pair, tmp_path):
    archive = tmp_path / "lsp.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.write(tmp_path / "lsp" / "train2017" / "000000000001.jpg", "within/000000000001.jpg")
    (tmp_path / "coco" / "train2017" / "000000000001.jpg").unlink()
    content = json.loads((Path(pair[0].annotations)).read_text())
    content["annotations"][2] |= {"keypoints": keypoints(COCO, **BODY), "num_keypoints": 2}
    (Path(pair[0].annotations)).write_text(json.dumps(content))
    sources = [pair[0], _source("lsp", (pair[1].annotations, archive))]
    with pytest.raises(BuildError, match=r"(?s)coco: row 0, annotation 1: image: .* people to crop: 2 of 3"):
        _built(tmp_path, sources)
    manifest = _built(tmp_path, [_source("other", (pair[1].annotations, archive)), sources[1]], select=_select())
    assert [source.people for source in manifest.sources] == [1, 1]


def test_categories_together_are_told_apart(tmp_path):
    annotations, images = write_coco(
        tmp_path / "pets",
        {1: GREY},
        [{"id": n, "image_id": 1, "category_id": n, "keypoints": keypoints(COCO, **BODY)} for n in (1, 2)],
    )
    content = json.loads(annotations.read_text())
    content["categories"] = [
        {**content["categories"][0], "id": n, "name": name} for n, name in ((1, "cat"), (2, "dog"))
    ]
    annotations.write_text(json.dumps(content))
    manifest = build_folder(tmp_path / "out", annotations=annotations, images=images, category="all", crop=SMALL)
    assert verify_folder(str(tmp_path / "out"), FILES).problems == []
    (source,) = manifest.sources
    assert source.categories == ((1, "cat"), (2, "dog"))
    assert (source.people, source.name) == (2, "train2017")
    assert {p["annotation_id"]: (p["source"], p["category_id"]) for p in open_dataset(tmp_path / "out")} == {
        1: (0, 1),
        2: (0, 2),
    }
    ledger = read_ledger(str(tmp_path / "out"), FILES)
    assert ledger["category_id"].to_pylist() == [1, 2]
    assert [(one.name, one.read, one.people) for one in count_categories(source, ledger)] == [
        ("cat", 1, 1),
        ("dog", 1, 1),
    ]
    alone = build_folder(tmp_path / "alone", annotations=annotations, images=images, category="cat", crop=SMALL)
    assert alone.sources == ()
    assert "source" not in open_dataset(tmp_path / "alone")[0]


def test_crops_are_those_of_a_build_of_one(pair, tmp_path):
    _built(tmp_path, pair, select=_select())
    build_folder(tmp_path / "alone", annotations=pair[0].annotations, images=pair[0].images, crop=SMALL)
    alone = {
        person["bbox"].tobytes() + person["keypoints"].tobytes(): person for person in open_dataset(tmp_path / "alone")
    }
    ours = [person for person in open_dataset(tmp_path / "out") if person["source"] == 0]
    assert len(ours) == len(alone) == 2
    for person in ours:
        same = alone[person["bbox"].tobytes() + person["keypoints"].tobytes()]
        for name in ("image", "heatmaps", "crop_window", "visibility"):
            np.testing.assert_array_equal(person[name], same[name])


def test_a_manifest_whose_sources_no_build_writes_is_refused(pair, tmp_path):
    manifest = _built(tmp_path, pair, select=_select())
    path = tmp_path / "out" / MANIFEST
    one, other = manifest.sources
    for sources in (
        (),
        (one, one),
        (one, replace(other, people=9)),
        (one, replace(other, weight=0.0)),
        (one, replace(other, joints=("tail",))),
    ):
        path.write_bytes(seal(replace(manifest, sources=sources)))
        with pytest.raises(RecordError, match="sources"):
            read_manifest(str(tmp_path / "out"), FILES)


def test_an_input_in_the_output_is_refused(pair, tmp_path):
    ledger = tmp_path / "out" / LEDGER
    ledger.parent.mkdir()
    ledger.write_bytes((tmp_path / "lsp" / "annotations" / "person_keypoints_train2017.json").read_bytes())
    sources = (pair[0], Source(name="lsp", annotations=str(ledger), images=pair[1].images))
    config = BuildConfig(split="a", out=str(tmp_path / "out"), sources=sources, keypoints=COCO, select=_select())
    with pytest.raises(ConfigError, match="lies in --out"):
        judge_build(config, FILES)


def test_a_small_source_is_judged_as_it_would_be_alone(pair, tmp_path):
    good = [{"id": n, "image_id": 1, "keypoints": keypoints(COCO, **BODY)} for n in range(1, 400)]
    large = _source("large", write_coco(tmp_path / "large", {1: GREY}, good))
    with pytest.raises(BuildError, match=r"1 of 3 annotations of lsp are faulty \(1 box\)"):
        _built(tmp_path, [large, pair[1]])


def test_a_folder_beside_sources_is_refused(run, pair, tmp_path):
    named = ("--source", f"lsp={pair[1].annotations},{pair[1].images}", "--keypoints", "coco-17")
    code, _, err = run("build", *named, "--data-dir", tmp_path, "--out", tmp_path / "out")
    assert code == 1
    assert "leave --data-dir away" in err


def test_crops_of_several_sources_say_what_is_lost_of_these(run, pair, tmp_path):
    _built(tmp_path, pair, select=_select())
    code, out, err = run("convert", tmp_path / "out", "--to", "coco", "--out", tmp_path / "crops")
    assert code == 0, err
    assert "not carried over: ids and categories of the sources' own files" in out + err
    told = json.loads((tmp_path / "crops/converted.json").read_bytes())["parts"]
    assert any("sources' own" in line for part in told.values() for line in part["told"]["not_carried"])
