"""Options of the form NAME=NUMBER."""

from __future__ import annotations

import pytest

from cocoprep.cli.named_numbers import parse_named_numbers
from cocoprep.errors import ConfigError


def parse(texts):
    return parse_named_numbers("--weight", texts, example="mpii=0.5")


@pytest.mark.parametrize("text", ["a", "a=", "=2", "a=b", "", "a=2=x"])
def test_what_is_no_number_by_name_is_refused(text):
    with pytest.raises(ConfigError, match=r"--weight: expected NAME=NUMBER, such as mpii=0\.5, each once, found"):
        parse([text])


def test_numbers_are_parsed_from_the_end():
    assert parse(["a=b=2", "c=0.5"]) == {"a=b": 2.0, "c": 0.5}
    with pytest.raises(ConfigError, match="each once, found 'a=3'"):
        parse(["a=2", "a=3"])
