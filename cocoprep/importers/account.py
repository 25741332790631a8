"""What became of a file's entries: what is left out and what is guessed, counted by kind, each with an example."""

from __future__ import annotations

from dataclasses import dataclass, field

from cocoprep.checks import shown
from cocoprep.pose.nouns import counted

MOST_KINDS = 50  # a kind may quote a label of the file; what comes after is counted together
_OTHERS = "entries are of other kinds than those above"


@dataclass
class Tally:
    """Counts by kind, a sentence without its number, such as "annotations have other than 16 joints"."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, example: object = None, *, number: int = 1) -> None:
        """Count something; the first example of a kind is kept."""
        if kind not in self.counts and len(self.counts) >= MOST_KINDS:
            kind = _OTHERS
        self.counts[kind] = self.counts.get(kind, 0) + number
        if example is not None:
            self.examples.setdefault(kind, shown(example))

    @property
    def lines(self) -> tuple[str, ...]:
        """Return each kind as a sentence, in the order in which they came up."""
        return tuple(
            counted(count, kind) + (f", such as {self.examples[kind]}" if kind in self.examples else "")
            for kind, count in self.counts.items()
            if count
        )


@dataclass
class Account:
    """What is to be told of an import: entries left out, and what was guessed of those taken."""

    left_out: Tally = field(default_factory=Tally)
    guessed: Tally = field(default_factory=Tally)
