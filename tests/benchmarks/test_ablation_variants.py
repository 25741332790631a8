"""The file of variants: what it may say, and what comes of it."""

from __future__ import annotations

import pytest

from benchmarks.ablation_variants import read_variants
from benchmarks.ablations import VARIANTS, list_tasks
from cocoprep.errors import ConfigError


def write(tmp_path, text):
    path = tmp_path / "variants.toml"
    path.write_text(text)
    return path


def test_those_of_the_repository_can_be_trained_at_192_pixels():
    variants = read_variants(VARIANTS)
    assert next(iter(variants.by_name)) == "plain"
    assert max(one.input_size for one in variants.by_name.values()) == 192
    assert len(
        {tuple(map(str, task.about["settings"].items())) for task in list_tasks(variants, [0], has_list=True)}
    ) == (len(variants.by_name)), "two of them are the same"


def test_a_variant_has_as_many_epochs_fewer_as_it_costs_more(tmp_path):
    text = "epochs = 30\n[plain]\nchannels = 32\n[variants]\nwide = { channels = 64, cost = 2 }\n"
    plain, wide = list_tasks(read_variants(write(tmp_path, text)), [0], has_list=False)
    assert (plain.name, plain.epochs, plain.variant.channels) == ("plain", 30, 32)
    assert (wide.name, wide.epochs, wide.variant.channels) == ("wide", 15, 64)


def test_without_a_list_those_who_need_it_are_left_out_and_named(tmp_path, capsys):
    variants = read_variants(write(tmp_path, "epochs = 1\n[variants]\nsure = { exclude = true }\n"))
    assert [task.name for task in list_tasks(variants, [0, 1], has_list=False)] == ["plain", "plain"]
    assert "--exclude: sure" in capsys.readouterr().out
    assert [task.name for task in list_tasks(variants, [0], has_list=True)] == ["plain", "sure"]


def test_only_some_are_taken_beside_the_plain_one():
    variants = read_variants(VARIANTS)
    assert list(variants.only(["mse", "plain"]).by_name) == ["plain", "mse"]
    with pytest.raises(ConfigError, match="--only"):
        variants.only(["nothing"])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("epochs = ", "expected a TOML file"),
        ("[plain]\n", "epochs"),
        ("epochs = 1\nvariant = 1\n", "variant"),
        ("epochs = 1\n[variants]\nplain = {}\n", "variants"),
        ("epochs = 1\n[variants]\nodd = { chanels = 8 }\n", "'odd'.*chanels"),
        ("epochs = 1\n[variants]\nodd = { channels = 7 }\n", "'odd'.*channels: expected an even number, found 7"),
        ("epochs = 1\n[variants]\nodd = { input_size = 100 }\n", "input_size: expected a multiple of 64"),
        ("epochs = 1\n[variants]\nodd = { augment_changes = { turn = 1 } }\n", "augment_changes.*turn"),
        ("epochs = 1\n[variants]\nodd = { trim = 0.1, hard_joints = 3 }\n", "trim, hard_joints"),
        ("epochs = 1\n[variants]\nodd = { cost = 0 }\n", "cost"),
        ("epochs = 1\n[variants]\nodd = 1\n", "'odd'.*table"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, named):
    with pytest.raises(ConfigError, match=named):
        read_variants(write(tmp_path, text))
