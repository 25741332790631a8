"""Beam's own options, as given after `--`: checked, because Beam passes over what it does not know."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from cocoprep.errors import ConfigError

LOCAL_REFUSED = ("runner", "direct_running_mode", "direct_num_workers")  # what the local build sets itself


def given_options(arguments: Sequence[str], *, refused: Sequence[str] = ()) -> dict[str, Any]:
    """Return what is set by these options, by Beam's name of each. Raises as `parse_beam_options`."""
    given: dict[str, Any] = parse_beam_options(arguments, refused=refused).get_all_options(drop_default=True)
    return given


def parse_beam_options(arguments: Sequence[str], *, refused: Sequence[str] = ()) -> PipelineOptions:
    """Parse options in Beam's own spelling.

    Args:
        arguments: such as `--temp_location=gs://bucket/tmp`.
        refused: names of options that may not be set here.

    Raises:
        ConfigError: Beam does not know one, cannot read its value, or it is refused.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):  # argparse prints its usage, all of Beam's options
            options = PipelineOptions(list(arguments))
            known = options.get_all_options(drop_default=True)
            given = options.get_all_options(drop_default=True, retain_unknown_options=True)
    except SystemExit as error:
        last = said.getvalue().strip().splitlines()[-1:]
        raise ConfigError(f"after --: Beam cannot read these options: {' '.join(last)}") from error
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ConfigError(f"after --: Beam does not know {', '.join(f'--{name}' for name in unknown)}.")
    _check_strays(arguments, known)
    # Beam's own list leaves out what is set to its default.
    named = {word.removeprefix("--").partition("=")[0] for word in arguments if word.startswith("--")}
    wrong = sorted(named & set(refused))
    if wrong:
        raise ConfigError(f"after --: {', '.join(f'--{name}' for name in wrong)} cannot be set for this runner.")
    return options


def _check_strays(arguments: Sequence[str], known: Mapping[str, Any]) -> None:
    """Refuse what is neither an option nor the value of one: Beam passes over it, and reads the same without it."""
    for place, word in enumerate(arguments):
        if not word.startswith("-") and _read([*arguments[:place], *arguments[place + 1 :]]) == known:
            raise ConfigError(
                f"expected nothing but options of Beam's after --, found {word!r}. A build makes one split, named by "
                "--split."
            )


def _read(arguments: Sequence[str]) -> dict[str, Any] | None:
    """Return what is set; None where an option lacks its value."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return dict(PipelineOptions(list(arguments)).get_all_options(drop_default=True))
    except SystemExit:
        return None
