"""Names that weights are given by, and what they come to."""

from __future__ import annotations

import numpy as np
import pytest

from cocoprep.errors import ConfigError
from cocoprep.model.input.sources import FolderSources, folder_names, source_names
from cocoprep.model.input.weights import resolve_weights


def folder(*names, weights=None):
    return FolderSources(names, weights or (1.0,) * len(names), np.ones((len(names), 3), np.bool_))


ONE = folder("")
BOTH = folder("coco", "mpii", weights=(1.0, 0.5))
PATHS, SPLITS = ("data/a/train2017", "data/b/people/", "c"), ("train2017", "train2017", "mine")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ((1.0,), (1.0, 0.5), (1.0,))),
        ({"data/a/train2017": 2}, ((2,), (1.0, 0.5), (1.0,))),
        ({"data/b/people": 2}, ((1.0,), (2.0, 1.0), (1.0,))),
        ({"data/b/people/": 2}, ((1.0,), (2.0, 1.0), (1.0,))),
        ({"people": 4, "c": 0.25}, ((1.0,), (4.0, 2.0), (0.25,))),
        ({"mine": 3}, ((1.0,), (1.0, 0.5), (3.0,))),
        ({"mpii": 3}, ((1.0,), (1.0, 3.0), (1.0,))),
        ({"people:mpii": 3}, ((1.0,), (1.0, 3.0), (1.0,))),
        ({"data/b/people/:coco": 0}, ((1.0,), (0.0, 0.5), (1.0,))),
        ({"people": 2, "mpii": 3}, ((1.0,), (2.0, 6.0), (1.0,))),
    ],
)
def test_what_is_given_comes_to(given, expected):
    assert resolve_weights(PATHS, SPLITS, (ONE, BOTH, ONE), given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train2017:coco": 2, "people:coco": 2}, "--weight people:coco: expected each folder or source once"),
        ({"mpi": 2}, "--weight 'mpi': nothing is called so. Expected .*'mpii'"),
        ({"c:coco": 2}, "nothing is called so"),
        ({"c": -1}, "--weight c: expected a number from 0 to 1000.0, found -1"),
        ({"c": float("nan")}, "--weight c: expected a number"),
        ({"c": 1e9}, "--weight c: expected a number"),
        ({"people": 1000, "mpii": 2}, "expected at most 1000, the folder's times the source's, found 2000"),
        ({"c": 1, "mine": 2}, "--weight mine: expected each folder or source once, found 'c'"),
    ],
)
def test_what_means_nothing_is_named_with_what_does(given, message):
    with pytest.raises(ConfigError, match=message):
        resolve_weights(PATHS, SPLITS, (ONE, BOTH, ONE), given)


def test_a_split_of_two_folders_is_named_by_their_paths():
    with pytest.raises(ConfigError, match=r"several things are called so. Expected .*: 'x', 'y', 'a/x', 'a/y'\."):
        resolve_weights(("a/x", "a/y"), ("val", "val"), (ONE, ONE), {"val": 2})


def test_a_source_called_as_its_folder_is_named_by_both():
    with pytest.raises(ConfigError, match="several things are called so"):
        resolve_weights(("a/coco",), ("train",), (BOTH,), {"coco": 2})
    assert resolve_weights(("a/coco",), ("train",), (BOTH,), {"coco:coco": 2, "train": 2}) == ((4.0, 1.0),)


def test_a_source_of_two_folders_is_named_after_its_folder():
    paths, splits = ("x/a", "x/b"), ("a", "b")
    with pytest.raises(ConfigError, match=r"several things.*'a:mpii'.*'b:mpii'"):
        resolve_weights(paths, splits, (BOTH, BOTH), {"mpii": 2})
    assert resolve_weights(paths, splits, (BOTH, BOTH), {"b:mpii": 2}) == ((1.0, 0.5), (1.0, 2.0))


def test_every_name_that_is_shown_is_one_that_is_taken():
    folders = folder_names(PATHS)
    for name in (*folders, *source_names(folders, (ONE, BOTH, ONE))):
        resolve_weights(PATHS, SPLITS, (ONE, BOTH, ONE), {name: 2})


def test_folders_are_called_by_as_much_of_their_paths_as_tells_them_apart():
    assert folder_names(["data/train2017"]) == ("train2017",)
    assert folder_names(["data/a/train", "data/b/train/", "c"]) == ("a/train", "b/train", "c")
    assert folder_names(["train", "a/train"]) == ("train", "a/train")
    assert folder_names(["gs://x/train", "y/train"]) == ("x/train", "y/train")
    assert folder_names(["/"]) == ("/",)
    assert folder_names(["a/\x1b[31m"]) == ("\\x1b[31m",)


def test_sources_are_called_by_name_after_the_folders_where_others_have_it_too():
    assert source_names(("a",), (ONE,)) == ("a",)
    assert source_names(("a", "b"), (ONE, BOTH)) == ("a", "coco", "mpii")
    assert source_names(("a", "b"), (BOTH, BOTH)) == ("a:coco", "a:mpii", "b:coco", "b:mpii")
    assert source_names(("coco", "b"), (ONE, BOTH)) == ("coco", "b:coco", "mpii")
