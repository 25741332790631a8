"""Tables and bars on a terminal, by rich, which would hand on whatever a cell holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from cocoprep.checks import printable
from cocoprep.cli.say import Outlet


class PlainConsole(Console):
    """A console on which no text is markup, and none reaches the terminal but as `printable`."""

    def __init__(self, *, stderr: bool = False, **options: Any) -> None:
        options.setdefault("file", Outlet(err=stderr))
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Lay a text out as it will be shown."""
        return super().render_str(printable(text), **options)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """Render to segments; those that steer the terminal are rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)
