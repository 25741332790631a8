"""Several folders, and sources within one, read as one: whose turn it is, how each is varied, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from itertools import islice

import numpy as np
import pytest
from msgspec.structs import replace

from cocoprep.errors import ConfigError, RecordError
from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.input.batches import eval_batches, people_to_evaluate, train_batches, whole_batches
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.mixture import open_mixture
from cocoprep.model.input.sources import joints_looked_for, sources_of
from cocoprep.shards.dataset import open_dataset
from cocoprep.shards.manifest import read_manifest
from cocoprep.shards.names import MANIFEST, SIDECAR_SUFFIX
from cocoprep.shards.seal import seal
from cocoprep.storage.local import LocalFiles
from tests.support.reading import assert_same, copy_folder
from tests.support.sourced import deal_to_sources

MEDIUM = ReadConfig(batch_size=4, seed=3, augment=STRENGTHS["medium"])
PLAIN = ReadConfig(batch_size=4, seed=3)
ARMS = ("left_elbow", "right_wrist")


@pytest.fixture(scope="module")
def first(people_folder):
    return str(people_folder(size=(32, 32), shards=3))


@pytest.fixture(scope="module")
def second(people_folder):
    return str(people_folder(size=(32, 32), shards=2, images=6, seed=5))


@pytest.fixture(scope="module")
def dealt(first, tmp_path_factory):
    """Return a folder of two sources, the second labelling two joints only; people of odd ids are its."""
    to = tmp_path_factory.mktemp("dealt") / "both"
    return str(deal_to_sources(first, to, {"coco": None, "arms": ARMS}, lambda n: n % 2, weights={"arms": 0.5}))


def seen(batches):
    """Count (source, annotation id)."""
    return Counter(
        pair
        for batch in batches
        for pair in zip(batch["source"].tolist(), batch["annotation_id"].tolist(), strict=True)
    )


def ids_of(folder):
    return open_dataset(folder).annotation_ids


def test_an_epoch_of_two_folders_sees_everybody_of_both_once(first, second):
    everybody = {(0, n) for n in ids_of(first)} | {(1, n) for n in ids_of(second)}
    steps = whole_batches(open_mixture([first, second], PLAIN), PLAIN)
    assert steps == 32 // 4
    epochs = [list(islice(train_batches([first, second], PLAIN, start_step=n * steps), steps)) for n in (0, 1)]
    for batches in epochs:
        assert seen(batches) == dict.fromkeys(everybody, 1)
    assert any(len(set(batch["source"].tolist())) == 2 for batch in epochs[0])
    assert epochs[0][0]["annotation_id"].tolist() != epochs[1][0]["annotation_id"].tolist()


def test_people_of_the_first_folder_are_varied_as_without_the_second(first, second):
    alone = {
        n: i
        for b in islice(train_batches(first, MEDIUM), 5)
        for n, i in zip(b["annotation_id"], b["image"], strict=True)
    }
    together, shared = {}, {}
    for batch in islice(train_batches([first, second], MEDIUM), 8):
        for source, n, image in zip(batch["source"], batch["annotation_id"], batch["image"], strict=True):
            (shared if source else together)[n] = image
    assert together.keys() == alone.keys()
    assert all((together[n] == alone[n]).all() for n in alone)
    assert shared.keys() & alone.keys()  # ids of the second folder are those of the first


def test_equal_ids_of_two_folders_are_varied_apart(first, tmp_path):
    """The very same people, once with another digest: only the folder tells them apart."""
    other = copy_folder(first, tmp_path / "other")
    manifest = read_manifest(first, LocalFiles())
    (other / MANIFEST).write_bytes(seal(replace(manifest, fingerprint="another")))
    images = {}
    for batch in islice(train_batches([first, str(other)], MEDIUM), 10):
        for source, n, image in zip(
            batch["source"].tolist(), batch["annotation_id"].tolist(), batch["image"], strict=True
        ):
            images[source, n] = image
    assert all((images[0, n] != images[1, n]).any() for n in ids_of(first))


def test_a_person_seen_twice_in_an_epoch_is_varied_twice(first):
    config = dataclasses.replace(MEDIUM, weights={first: 2.0})
    once = {
        n: i
        for b in islice(train_batches(first, MEDIUM), 5)
        for n, i in zip(b["annotation_id"], b["image"], strict=True)
    }
    batches = list(islice(train_batches(first, config), 10))
    assert set(seen(batches).values()) == {2}
    images = {}
    for batch in batches:
        for n, image in zip(batch["annotation_id"], batch["image"], strict=True):
            images.setdefault(n, []).append(image)
    for n, (one, other) in images.items():
        assert (one != other).any()
        assert (one == once[n]).all() != (other == once[n]).all()  # one of them is as without a weight


@pytest.mark.parametrize("weights", [{}, {"out": 1.0}])
def test_a_weight_of_one_changes_nothing(first, weights):
    config = dataclasses.replace(MEDIUM, weights=weights)
    assert_same(list(islice(train_batches(first, config), 12)), list(islice(train_batches(first, MEDIUM), 12)))
    assert_same(list(islice(train_batches([first], config), 12)), list(islice(train_batches(first, MEDIUM), 12)))


@pytest.mark.parametrize("start_step", [1, 5, 12, 13, 30])
def test_a_resumed_stream_goes_on_as_the_whole_one(first, second, start_step):
    config = dataclasses.replace(MEDIUM, weights={first: 1.7, second: 0.4}, shuffle_records=1)
    for cache in (True, False):
        other = dataclasses.replace(config, cache=cache)
        whole = list(islice(train_batches([first, second], config), 34))
        assert_same(
            list(islice(train_batches([first, second], other, start_step=start_step), 34 - start_step)),
            whole[start_step:],
        )


def test_a_source_is_seen_as_often_as_the_manifest_or_the_user_says(dealt, first):
    odd = sum(n % 2 for n in ids_of(first))
    for weights, expected in (({}, 0.5), ({"arms": 3.0}, 3.0), ({"both": 2.0}, 1.0), ({"both:arms": 0.0}, 0.0)):
        config = dataclasses.replace(PLAIN, batch_size=1, weights=weights)
        mixture = open_mixture(dealt, config)
        steps = whole_batches(mixture, config)
        whole = 2.0 if "both" in weights else 1.0
        assert steps == int((len(ids_of(first)) - odd) * whole + odd * expected)
        counts = seen(islice(train_batches(mixture, config), 20 * steps))
        arms = sum(count for (source, _), count in counts.items() if source == 1)
        assert arms == pytest.approx(20 * odd * expected, abs=20)
        assert {n % 2 for (source, n) in counts if source == 1} <= {1}


def test_of_people_evaluated_it_is_known_which_joints_were_looked_for(dealt, first):
    dataset = open_dataset(dealt)
    ids = [*dataset.annotation_ids, 0]  # of nobody's record
    found = joints_looked_for(dataset, ids)
    labels = sources_of(dataset.manifest, str(dealt)).looked_for
    assert not labels.all()
    assert np.array_equal(found[:-1], labels[dataset.sources])
    assert found[-1].all()
    assert joints_looked_for(open_dataset(first), ids) is None


def test_what_a_source_does_not_label_nobody_has_looked_for(dealt):
    names = open_dataset(dealt).manifest.keypoints.names
    for batch in eval_batches(dealt, PLAIN):
        for n in np.flatnonzero(batch["valid"]):
            labels = batch["looked_for"][n]
            assert {names[k] for k in np.flatnonzero(labels)} == (set(ARMS) if batch["source"][n] else set(names))
            assert not batch["visibility"][n][~labels].any()


def test_in_a_mirror_the_other_side_was_looked_for(dealt):
    names = open_dataset(dealt).manifest.keypoints.names
    mirrored = {"right_elbow", "left_wrist"}
    config = dataclasses.replace(PLAIN, augment=AugmentConfig(flip_probability=0.5), weights={"arms": 4.0})
    found = set()
    for batch in islice(train_batches(dealt, config), 20):
        for n in np.flatnonzero(batch["source"]):
            labels = batch["looked_for"][n]
            found.add(frozenset(names[k] for k in np.flatnonzero(labels)))
            assert not batch["visibility"][n][~labels].any()
    assert found == {frozenset(ARMS), frozenset(mirrored)}


def test_evaluation_sees_everybody_of_every_folder_once_whatever_the_weights(first, second, dealt):
    config = dataclasses.replace(PLAIN, weights={first: 0.1, second: 3.0}, subset=0.5)
    people = people_to_evaluate([second, dealt], config)
    assert people.sources == ("out", "coco", "arms")
    counts = seen({k: v[b["valid"]] for k, v in b.items()} for b in eval_batches(people, config))
    assert counts == {**{(0, n): 1 for n in ids_of(second)}, **{(1 + n % 2, n): 1 for n in ids_of(first)}}


def test_damaged_records_of_every_folder_are_left_out_and_told_apart(first, second, tmp_path):
    folders = [copy_folder(folder, tmp_path / name) for folder, name in ((first, "a"), (second, "b"))]
    bad = []
    for folder in folders:
        shard = next(s for s in read_manifest(str(folder), LocalFiles()).shards if s.examples)
        content = bytearray((folder / shard.name).read_bytes())
        content[100] ^= 1
        (folder / shard.name).write_bytes(content)
        bad.append(next(n for n, name, _ in open_dataset(folder).places if name == shard.name))
    people = open_mixture([str(folder) for folder in folders], dataclasses.replace(PLAIN, on_bad_record="skip"))
    assert people.skipped.keys() == {str(bad[0]), f"{bad[1]} of folder 2"}
    assert len(people) == 30


def test_folders_that_do_not_fit_are_refused_with_what_differs(first, people_folder, tmp_path):
    other = str(people_folder(images=2, size=(64, 64)))
    with pytest.raises(
        ConfigError, match=rf"--data: the input size of {other} is \(64, 64\), that of {first} is \(32, 32\)"
    ):
        open_mixture([first, other], PLAIN)
    with pytest.raises(ConfigError, match=rf"{first}/ holds the same records as {first}\. Name each folder once"):
        open_mixture([first, f"{first}/"], PLAIN)
    copied = str(copy_folder(first, tmp_path / "copy"))
    with pytest.raises(ConfigError, match=rf"{copied} holds the same records as {first}"):
        open_mixture([first, copied], PLAIN)


def test_too_few_people_of_all_are_told(first, second):
    with pytest.raises(ConfigError, match="at least one batch of 40 people, found 32"):
        whole_batches(open_mixture([first, second], PLAIN), dataclasses.replace(PLAIN, batch_size=40))


def rewritten(folder, to, **changes):
    copy_folder(folder, to)
    manifest = read_manifest(str(folder), LocalFiles())
    (to / MANIFEST).write_bytes(seal(replace(manifest, **changes)))
    return str(to)


def test_sources_that_no_build_has_written_are_refused(dealt, tmp_path):
    one, other = read_manifest(dealt, LocalFiles()).sources
    for number, sources in enumerate(
        [(one, replace(other, weight=1e9)), (one, replace(other, joints=("tail",))), (one, one)]
    ):
        with pytest.raises(RecordError, match=r"no build has written this"):
            open_mixture(rewritten(dealt, tmp_path / str(number), sources=sources), PLAIN)


def change_origins(folder, change):
    """Rewrite what the sidecars of a folder say of whose records theirs are; an empty shard says nothing."""
    for path in folder.glob(f"*{SIDECAR_SUFFIX}"):
        sidecar = json.loads(path.read_bytes())
        if sidecar.get("annotation_ids"):
            path.write_text(json.dumps({**sidecar, "origins": change(sidecar["origins"])}))
    return str(folder)


@pytest.mark.parametrize("change", [lambda _: None, lambda found: [2] * len(found), lambda found: [-1] * len(found)])
def test_a_sidecar_that_names_no_such_source_is_refused(dealt, tmp_path, change):
    folder = change_origins(copy_folder(dealt, tmp_path / "copy"), change)
    with pytest.raises(RecordError, match=r"expected which of 2 sources each record is of\. Build the folder again"):
        open_mixture(folder, PLAIN)


def test_a_record_of_another_source_than_its_sidecar_says_is_named(dealt, tmp_path):
    folder = change_origins(copy_folder(dealt, tmp_path / "copy"), lambda found: [0] * len(found))
    with pytest.raises(
        RecordError, match=r"annotation \d+: expected one of source 0, found 1\. Build the folder again"
    ):
        list(eval_batches(folder, PLAIN))


def test_an_empty_shard_needs_no_sources(people_folder, tmp_path):
    folder = people_folder(size=(32, 32), shards=8, images=2)  # four people
    assert not all(shard.examples for shard in read_manifest(str(folder), LocalFiles()).shards)
    dealt = deal_to_sources(folder, tmp_path / "dealt", {"a": None, "b": None}, lambda n: n % 2)
    assert len(open_mixture(str(dealt), PLAIN)) == 4
