"""Checkpoints: whole or not there, and nothing lost."""

from __future__ import annotations

import errno
import os

import keras
import numpy as np
import pytest

from cocoprep.errors import OutputError, RecordError
from cocoprep.model.run.checkpoints import Checkpoint, CheckpointFolder, restore_variables, variable_arrays
from cocoprep.storage.local import LocalFiles


@pytest.fixture
def folder(tmp_path):
    return CheckpointFolder(str(tmp_path / "checkpoints"), LocalFiles(), keep=2)


def checkpoint(step, value=1.0):
    return Checkpoint(step, {"network/a": np.full(5, value), "window/loss": np.arange(3.0)}, 0.5)


def test_nothing_is_found_where_nothing_was_saved(folder):
    assert folder.latest() is None


def test_what_was_saved_comes_back(folder):
    folder.save(checkpoint(7))
    found = folder.latest()
    assert found.step == 7
    assert found.best == 0.5
    assert set(found.arrays) == {"network/a", "window/loss"}
    np.testing.assert_array_equal(found.arrays["window/loss"], np.arange(3.0))


def test_the_last_few_are_kept(folder):
    for step in (1, 5, 20, 100):
        folder.save(checkpoint(step))
    assert folder.steps() == [20, 100]


@pytest.mark.parametrize("keep", [1, 2, 3, 4, 7, 20])
def test_as_many_are_kept_as_it_was_told(tmp_path, keep):
    folder = CheckpointFolder(str(tmp_path / "checkpoints"), LocalFiles(), keep=keep)
    for step in range(1, 13):
        folder.save(checkpoint(step))
        assert folder.steps() == list(range(1, step + 1))[-keep:]


def test_what_is_removed_is_empty(folder, tmp_path):
    # In the bin of a mounted drive it still counts.
    folder.save(checkpoint(1))
    with (tmp_path / "checkpoints" / "checkpoint-00000001.npz").open("rb") as removed:
        for step in (2, 3):
            folder.save(checkpoint(step))
        assert folder.steps() == [2, 3]
        assert not removed.read()


@pytest.mark.parametrize("link", ["hardlink_to", "symlink_to"])
def test_what_is_linked_is_not_emptied(folder, tmp_path, link):
    folder.save(checkpoint(1))
    path, other = tmp_path / "checkpoints" / "checkpoint-00000001.npz", tmp_path / "backup.npz"
    path.rename(other)
    getattr(path, link)(other)
    for step in (2, 3):
        folder.save(checkpoint(step))
    assert folder.steps() == [2, 3]
    assert other.stat().st_size > 0


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-40], lambda d: b"", lambda d: d[:200] + bytes([d[200] ^ 1]) + d[201:]]
)
def test_a_damaged_one_is_passed_over(folder, tmp_path, damage):
    folder.save(checkpoint(1, 1.0))
    folder.save(checkpoint(2, 2.0))
    path = tmp_path / "checkpoints" / "checkpoint-00000002.npz"
    path.write_bytes(damage(path.read_bytes()))
    assert folder.latest().step == 1
    path.with_name("checkpoint-00000001.npz").write_bytes(b"nothing")
    with pytest.raises(RecordError, match=r"no checkpoint in .* can be read"):
        folder.latest()


def test_no_flipped_bit_is_a_fault_of_ours(folder, tmp_path):
    """Anywhere in the file, its zip directory among that: the one before it serves, or nothing has changed."""
    folder.save(checkpoint(1, 1.0))
    folder.save(checkpoint(2, 2.0))
    path = tmp_path / "checkpoints" / "checkpoint-00000002.npz"
    whole, expected = path.read_bytes(), folder.latest()
    passed_over = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        found = folder.latest()
        passed_over += found.step == 1
        if found.step == 2:
            assert found.best == expected.best
            assert found.arrays.keys() == expected.arrays.keys()
            assert all(np.array_equal(found.arrays[name], expected.arrays[name]) for name in found.arrays)
    assert passed_over > 0.7 * len(whole)


def test_a_disk_that_fails_is_not_taken_for_damage(folder, monkeypatch):
    folder.save(checkpoint(1))
    folder.save(checkpoint(2))

    def fail(self, path):
        raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    monkeypatch.setattr(LocalFiles, "read_bytes", fail)
    with pytest.raises(OutputError, match=r"checkpoint-00000002.npz: cannot be read \(Input/output error\)"):
        folder.latest()


def test_half_written_files_are_not_checkpoints(folder, tmp_path):
    folder.save(checkpoint(1))
    (tmp_path / "checkpoints" / ".checkpoint-00000009.npz.123-0123abcd.tmp").write_bytes(b"half")
    assert folder.latest().step == 1
    folder.sweep()
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["checkpoint-00000001.npz"]


def test_a_damaged_newer_one_does_not_push_out_a_good_one(folder, tmp_path):
    for step in (1, 2, 9):
        folder.save(checkpoint(step))
    (tmp_path / "checkpoints" / "checkpoint-00000009.npz").write_bytes(b"")
    folder.save(checkpoint(3))
    assert folder.steps() == [2, 3]
    assert folder.latest().step == 3


def network(units=3):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, name="dense")])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    return model, optimizer


def test_variables_come_back_and_others_are_refused():
    one, other, third = network()[0], network()[0], network(units=4)[0]
    arrays = variable_arrays("network", one.variables)
    restore_variables("network", other.variables, arrays, "here")
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(RecordError, match="made by another network"):
        restore_variables("network", third.variables, arrays, "here")


@pytest.mark.parametrize("width", ["i4", "i8"])
def test_steps_are_counted_in_32_bits_or_in_64(width):
    optimizer = network()[1]
    arrays = variable_arrays("optimizer", optimizer.variables)
    (name,) = (name for name in arrays if name.endswith("iteration"))
    arrays[name] = np.array(7, width)
    restore_variables("optimizer", optimizer.variables, arrays, "here")
    assert int(np.asarray(optimizer.iterations)) == 7


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda a: a.astype("U9"), "made by another network"),
        (lambda a: a.astype("c16"), "made by another network"),
        (lambda a: a.astype(bool), "made by another network"),
        (lambda a: a.astype("f8"), "made by another network"),
        (lambda a: a * np.float32("nan"), "expected finite numbers, found others in network/00000"),
        (lambda a: a + np.float32("inf"), "expected finite numbers, found others in network/00000"),
    ],
)
def test_what_no_training_leaves_is_refused(change, told):
    model = network()[0]
    arrays = variable_arrays("network", model.variables)
    name = min(arrays)
    with pytest.raises(RecordError, match=told):
        restore_variables("network", model.variables, {**arrays, name: change(arrays[name])}, "here")


def test_one_that_bears_the_name_of_another_is_passed_over(folder, tmp_path):
    for step in (1, 2):
        folder.save(checkpoint(step))
    path = tmp_path / "checkpoints" / "checkpoint-00000002.npz"
    path.rename(path.with_name("checkpoint-00000009.npz"))
    assert folder.latest().step == 1
