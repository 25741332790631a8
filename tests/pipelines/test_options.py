"""Beam's own options: those it knows are read, and nothing else is passed over."""

from __future__ import annotations

import pytest

from cocoprep.errors import ConfigError
from cocoprep.pipelines.options import LOCAL_REFUSED, given_options, parse_beam_options


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ([], {}),
        (["--temp_location=gs://bucket/tmp"], {"temp_location": "gs://bucket/tmp"}),
        (["--temp_location", "gs://bucket/tmp"], {"temp_location": "gs://bucket/tmp"}),
        (["--parallelism", "3", "--streaming"], {"parallelism": 3, "streaming": True}),
        (["--streaming", "--parallelism", "3"], {"parallelism": 3, "streaming": True}),
        (["--experiments=a", "--experiments", "b"], {"experiments": ["a", "b"]}),
        (["--experiments", "a", "--experiments", "a"], {"experiments": ["a", "a"]}),
        (["--runner", "FlinkRunner"], {"runner": "FlinkRunner"}),
        (["--flink_master", "[auto]"], {}),  # what it is anyway
    ],
)
def test_what_is_set_comes_back_by_beams_names(arguments, given):
    assert given_options(arguments) == given


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--no_such=3"], r"Beam does not know --no_such\."),
        (["--no_such", "3"], r"Beam does not know --no_such\."),
        (["--temp_locatio=x"], r"Beam does not know --temp_locatio\."),  # not even a part of a name
        (["--zzz=1", "--aaa=2"], r"Beam does not know --aaa, --zzz\."),
        (["--parallelism=many"], r"cannot read these options: .*--parallelism.*'many'"),
        (["--parallelism"], r"cannot read these options: .*--parallelism: expected one argument"),
        (["--streaming=true"], r"cannot read these options: .*--streaming"),
    ],
)
def test_what_beam_does_not_know_or_cannot_read_is_told(arguments, says):
    with pytest.raises(ConfigError, match=says):
        parse_beam_options(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["stray"],
        ["stray", "--streaming"],
        ["--temp_location=x", "stray"],
        ["--temp_location", "x", "stray"],
        ["--streaming", "stray"],
        ["--streaming", "stray", "--temp_location=x"],
    ],
)
def test_a_word_that_belongs_to_no_option_is_told(arguments):
    with pytest.raises(ConfigError, match="expected nothing but options of Beam's after --, found 'stray'"):
        parse_beam_options(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--runner=DirectRunner"],
        ["--direct_running_mode=multi_processing"],
        ["--direct_num_workers", "3"],
        ["--direct_num_workers=1"],  # what it is anyway, but the build sets it itself
        ["--direct_running_mode", "in_memory"],
    ],
)
def test_what_may_not_be_set_here_is_refused(arguments):
    name = arguments[0].partition("=")[0]
    with pytest.raises(ConfigError, match=rf"{name} cannot be set for this runner"):
        parse_beam_options(arguments, refused=LOCAL_REFUSED)
    parse_beam_options(arguments)
    parse_beam_options(["--job_name", name.removeprefix("--")], refused=LOCAL_REFUSED)
