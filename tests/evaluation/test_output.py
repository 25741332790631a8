"""Where an evaluation of a run lies."""

from __future__ import annotations

from cocoprep.evaluation.output import evaluation_name


def test_evaluations_on_other_joints_and_by_other_maps_replace_none():
    maps: list[dict[str, str]] = [{}, {"neck": ""}, {"head_top": "nose"}, {"neck": "", "head_top": "nose"}]
    names = [evaluation_name("val2017", "lsp 14/mine", said) for said in maps]
    assert names[0] == "val2017-lsp-14-mine"
    assert all(name.startswith("val2017-lsp-14-mine-map-") for name in names[1:])
    assert len({*names, evaluation_name("val2017", None, {})}) == 5


def test_the_order_of_a_map_is_of_no_account():
    said = {"neck": "", "head_top": "nose"}
    assert evaluation_name("a", "b", said) == evaluation_name("a", "b", dict(reversed(said.items())))
