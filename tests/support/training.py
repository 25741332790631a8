"""A tiny run for tests: `python -m tests.support.training DATA VAL RUN [setting=value ...]`, and its parts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cocoprep.model.backends.tensorflow.prepare import prepare_tensorflow
from cocoprep.model.run.config import TrainConfig
from cocoprep.model.run.resolve import resolve_config
from cocoprep.storage.by_scheme import AnyFiles

TINY = {
    "network.channels": 8,
    "network.depth": 1,
    "network.stacks": 2,
    "batch_size": 4,
    "epochs": 3,
    "log_steps": 2,
    "checkpoint_steps": 3,
    "checkpoint_minutes": 0.0,
    "augment": "medium",
}


# Of XLA_FLAGS: nearly all of a small network's time on JAX is compiling.
QUICKLY_COMPILED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


class Silent:
    """A reporter that keeps what it is told."""

    def __init__(self):
        self.begun, self.steps, self.epochs, self.notes = None, [], [], []

    def begin(self, **facts):
        self.begun = facts

    def note(self, text):
        self.notes.append(text)

    def step(self, step):
        self.steps.append(step)

    def epoch(self, epoch, train, val):
        self.epochs.append((epoch, train, val))


def open_tiny(
    data: Path | str | tuple,
    val: Path | str | tuple | None,
    run: Path,
    *,
    resume: bool = False,
    files=AnyFiles(),
    **changes,
):
    """Open a tiny run; `files` is where its shards lie, `changes` are settings, a dot written as two underscores."""
    from cocoprep.model.training.open_run import open_run

    changes |= {"data": data} if val is None else {"data": data, "val": val}
    settings = {**TINY, **{name.replace("__", "."): _as_text(value) for name, value in changes.items()}}
    config = resolve_config(str(run), None, settings, resume=resume)
    return open_run(config, str(run), resume=resume, report=Silent(), files=files)


def _as_text(value):
    return str(value) if isinstance(value, Path) else value


def open_several(data, val, run: Path, *, weights=None, **options):
    """Open a tiny run on several folders, as `open_tiny` does; without `weights`, those of the run that is there."""
    given = {} if weights is None else {"weights": weights}
    return open_tiny(tuple(map(str, data)), tuple(map(str, val)) or None, run, **options, **given)


def lines_of(run: Path, phase: str = "train") -> list[dict]:
    """Return the log's lines of one phase."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["phase"] == phase]


def main() -> None:
    """Run, and go on where a run stopped; say each step."""
    data, val, run, *rest = sys.argv[1:]
    changes = {name: json.loads(value) for name, _, value in (part.partition("=") for part in rest)}
    prepare_tensorflow(TrainConfig(data=data, xla=changes.get("xla", "off")))
    training = open_tiny(Path(data), Path(val), Path(run), resume=True, **changes)
    training.report.step = lambda step: print(step, flush=True)
    training.go()


if __name__ == "__main__":
    main()
