"""The log of a run: one JSON object a line, each with its `step`, `epoch` and `phase`.

Phases are `train` and `val`, of figures, and `begin`, of a run that began with another's weights: what it took of them.

Curves stay single-valued: a run that is resumed first drops the lines that come after its checkpoint.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

from cocoprep.checks import is_int
from cocoprep.errors import RecordError
from cocoprep.storage.store import FileStore

LOG = "log.jsonl"


def read_log(folder: str, files: FileStore) -> list[dict[str, Any]]:
    """Return the lines of a run's log; a last line that a kill cut short is left out.

    Raises:
        RecordError: it cannot be read, or no training has written it.
    """
    path = files.join(folder, LOG)
    if not files.exists(path):
        return []
    lines = []
    try:
        text = files.read_bytes(path).decode(errors="replace")
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror or error}). Move it away to go on.") from error
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found = json.loads(line)
        except json.JSONDecodeError:
            break
        except (ValueError, RecursionError):  # a number of thousands of digits, lists in lists
            found = None
        if not isinstance(found, dict) or not _is_line(found):
            raise RecordError(f"{path}: line {number} is none that training writes. Remove it, or move the file away.")
        lines.append(found)
    return lines


def _is_line(found: dict[str, Any]) -> bool:
    step = found.get("step")
    return isinstance(step, int) and is_int(step) and 0 <= step < 1 << 63 and isinstance(found.get("phase"), str)


class RunLog:
    """Writes lines as they come, and rewrites the file when a run goes back to a checkpoint."""

    def __init__(self, folder: str, files: FileStore, *, after_step: int) -> None:
        """Open the log, keeping what belongs to steps up to `after_step`."""
        kept = [line for line in read_log(folder, files) if line["step"] <= after_step]
        self._path = files.join(folder, LOG)
        with files.create(self._path) as stream:
            stream.write("".join(_as_json(line) for line in kept).encode())

    def write(self, phase: str, step: int, epoch: int, values: dict[str, Any]) -> None:
        """Append a line."""
        with open(self._path, "ab") as stream:
            stream.write(_as_json({"phase": phase, "step": step, "epoch": epoch, **values}).encode())

    def sync(self) -> None:
        """Make what was written outlast a loss of power."""
        with open(self._path, "ab") as stream:
            os.fsync(stream.fileno())


def _as_json(line: dict[str, Any]) -> str:
    # JSON knows neither NaN nor infinity.
    clean = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in line.items()}
    return json.dumps(clean) + "\n"
