"""The last step: it accounts for all shards, and may be run again."""

from __future__ import annotations

import re

import pytest

from cocoprep.builder.config import BuildConfig, SelectConfig
from cocoprep.builder.finish import finish_build
from cocoprep.builder.start import start_build
from cocoprep.errors import BuildError
from cocoprep.pose.crop_config import CropConfig
from cocoprep.shards.ledger import read_ledger
from cocoprep.shards.names import MANIFEST
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.building import write_shard
from tests.support.people import write_people

FILES = LocalFiles()
SHARDS = 3


@pytest.fixture
def config(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=6)
    return BuildConfig(
        split="train2017", annotations=str(annotations), images=str(images), out=str(tmp_path / "out"),
        crop=CropConfig(input_size=(32, 32)), select=SelectConfig(shards=SHARDS, max_bad_fraction=0.5),
    )  # fmt: skip


def write_shards(config):
    _, shards = start_build(config, FILES)
    return [write_shard(config, index, shards, FILES) for index in range(SHARDS)]


@pytest.mark.parametrize(
    ("lose", "found"),
    [
        (lambda written: [], "found 0"),
        (lambda written: written[1:], "found 2"),
        (lambda written: [*written, written[0]], "found 4"),
    ],
)
def test_work_that_the_engine_lost_or_did_twice_is_an_error(config, lose, found):
    written = write_shards(config)
    with pytest.raises(BuildError, match=f"the engine lost work: expected 3 shards, each once, {found}"):
        finish_build(config, lose(written), FILES)
    assert MANIFEST not in FILES.list_names(config.out)


def test_the_order_in_which_shards_are_told_does_not_matter(config):
    written = write_shards(config)
    manifest = finish_build(config, written, FILES)
    assert finish_build(config, written[::-1], FILES) == manifest


@pytest.mark.parametrize("cut_short", [True, False])
def test_an_engine_may_run_it_again_when_photographs_were_faulty(config, tmp_path, cut_short):
    """The first time, it has struck people off the ledger."""
    photographs = sorted((tmp_path / "coco" / "train2017").iterdir())
    photographs[0].unlink()
    written = write_shards(config)
    before = read_ledger(config.out, FILES)
    manifest = finish_build(config, written, FILES)
    assert manifest.counts.dropped["image"] > 0
    assert not read_ledger(config.out, FILES).equals(before)
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    if cut_short:
        (tmp_path / "out" / MANIFEST).unlink()
    assert finish_build(config, written, FILES) == manifest
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == first


def test_a_shard_is_planned_written_and_listed_with_the_same_digest_of_its_annotations(config):
    manifest = finish_build(config, write_shards(config), FILES)
    assert len({shard.annotations for shard in manifest.shards}) == SHARDS
    assert verify_folder(config.out, FILES).problems == []


@pytest.mark.parametrize("name", ["build.json", "ledger.parquet", "ground_truth.json", "{}", "{}.json"])
@pytest.mark.parametrize("harm", ["gone", "other"])
def test_whatever_is_not_as_this_build_left_it_is_named(config, tmp_path, name, harm):
    written = write_shards(config)
    path = tmp_path / "out" / name.format(written[1].name)
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    named = re.escape(path.name.removesuffix(".json"))
    with pytest.raises(BuildError, match=rf"another build wrote into this folder at the same time \({named}"):
        finish_build(config, written, FILES)
    assert MANIFEST not in FILES.list_names(config.out)
