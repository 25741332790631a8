"""How far a command has come with its people."""

from __future__ import annotations

from cocoprep.cli.count_progress import CountProgress


class PeopleProgress(CountProgress):
    """Shows people done, of how many."""

    def __init__(self, doing: str) -> None:
        """Take what is done with them, such as "predicting"."""
        super().__init__(doing, "people")
