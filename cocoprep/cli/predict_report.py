"""What `cocoprep predict` says at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cocoprep.cli.say import say
from cocoprep.evaluation.output import RESULTS

if TYPE_CHECKING:
    from cocoprep.model.predict.output import PredictionFolder


SHOWN_FAULTS = 20


class TellsFaults:
    """Told of what could not be used, says the first of them: an annotation file may have any number."""

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, fault: str) -> None:
        """Say what is wrong."""
        self._told += 1
        if self._told <= SHOWN_FAULTS:
            say(f"left out: {fault}", err=True)
        elif self._told == SHOWN_FAULTS + 1:
            say(f"left out: more than these {SHOWN_FAULTS}", err=True)


def summary(output: PredictionFolder, *, thresholds: str, network: str, batch_size: int) -> str:
    """Return what was predicted, and how long it took.

    Args:
        output: the folder.
        thresholds: from where a joint is shown, in words.
        network: what predicted, in words.
        batch_size: people at a time.
    """
    from cocoprep.model.predict.output import IMAGES

    if not output.people:
        return f"{output.folder}: nobody predicted"
    median, slow = (1000 * np.percentile(output.seconds_a_person, share) for share in (50, 95))
    drawn = f", and {count(output.drawn, 'picture')}" if output.overlays else ""
    noun = output.table.noun
    lines = [
        f"{output.folder}: {noun.count(output.people)} on {count(output.photographs, 'photograph')}",
        f"  {RESULTS}, {IMAGES}{drawn}",
        f"  joints {noun.a}: {output.joints_a_person:.1f} of {len(output.table)} at {thresholds}",
        f"  time {noun.a}: median {median:.1f} ms, 95th percentile {slow:.1f} ms",
        f"    ({network} and decoding, batches of {batch_size})",
    ]
    return "\n".join(lines)


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number of things in words."""
    return f"{number} {one if number == 1 else many or one + 's'}"
