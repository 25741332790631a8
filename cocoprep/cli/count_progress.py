"""How far a command has come with what it counts: a bar on a terminal, plain lines in a log, both on stderr."""

from __future__ import annotations

import time

from cocoprep.cli.bar import Bar


class CountProgress(Bar):
    """Shows things done, of how many."""

    def __init__(self, doing: str, things: str) -> None:
        """Take what is done with what, such as "verifying" and "shards"."""
        super().__init__(doing)
        self._doing, self._things, self._began = doing, things, self._started

    def update(self, done: int, total: int) -> None:
        """Show the newest counts."""
        now = time.monotonic()
        if not done:  # the time before the first is not theirs
            self._began = now
        rate = done / max(now - self._began, 1e-3)
        text = f"{done}/{total} {self._things}" + (f"  {rate:.1f} {self._things}/s" if done else "")
        self._bar.update(self._task, completed=done, total=total, text=text)
        if self.log_is_due():
            left = f", about {(total - done) / rate:.0f} s left" if rate > 0 else ""
            self.say(f"{self._doing}: {text}{left}")
