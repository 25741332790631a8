"""One annotation file through every command, as a user types them, with a network that takes a moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS = """
batch_size = 2
epochs = 1
checkpoint_minutes = 0.0
xla = "off"

[network]
channels = 8
depth = 1
stacks = 1
"""


@dataclass(frozen=True)
class Said:
    """What the commands left and said.

    Attributes:
        folder: that was built; pictures lie beside it.
        run_dir: of the run.
        predicted: folder of the prediction.
        text: by command: what it said on stdout and stderr.
    """

    folder: Path
    run_dir: Path
    predicted: Path
    text: dict[str, str]

    @property
    def evaluation(self) -> Path:
        """Return the folder of the evaluation."""
        (found,) = (self.run_dir / "evaluation").iterdir()
        return found

    @property
    def figures(self) -> dict[str, Any]:
        """Return the evaluation's figures."""
        return json.loads((self.evaluation / "figures.json").read_text())

    @property
    def report(self) -> str:
        """Return the evaluation's page."""
        return (self.evaluation / "report.html").read_text()

    @property
    def results(self) -> list[dict[str, Any]]:
        """Return the lines that predict wrote."""
        return json.loads((self.predicted / "results.json").read_text())


def look_at(run: Callable[..., Any], root: Path, annotations: Path, images: Path, *options: str, size=64) -> Said:
    """Build, verify, and draw: all that needs no network. Whatever fails, fails the test."""
    folder, text = root / "built", {}

    def say(name: str, *arguments: object) -> None:
        code, out, err = run(name, *arguments)
        assert code == 0, f"{name}: {out}{err}"
        text[name] = out + err

    say(
        "build", "--annotations", annotations, "--images", images, "--out", folder, "--input-size", size,
        "--workers", 1, "--shards", 1, *options,
    )  # fmt: skip
    say("verify", folder)
    say("info", folder)
    say(
        "stats", folder, "--json", root / "stats.json", "--out", root / "stats", "--input-size", size,
        "--images", images,
    )  # fmt: skip
    say("contact-sheet", folder, "--tile", 64, "--out", root / "sheet.png")
    say("augment", folder, "--people", 2, "--epochs", 2, "--tile", 64, "--out", root / "augment.png")
    say("show", folder, _first_id(folder), "--out", root / "show.png")
    return Said(folder, root / "run", root / "predicted", text)


def learn(run: Callable[..., Any], said: Said, annotations: Path, images: Path, options: Sequence[str] = ()) -> Said:
    """Train, evaluate, predict and export from what has been built. Whatever fails, fails the test."""
    config = said.run_dir.parent / "tiny.toml"
    config.write_text(SETTINGS)

    def say(name: str, *arguments: object) -> None:
        code, out, err = run(name, *arguments)
        assert code == 0, f"{name}: {out}{err}"
        said.text[name] = out + err

    say("train", "--data", said.folder, "--val", said.folder, "--run", said.run_dir, "--config", config)
    say("evaluate", "--data", said.folder, "--run", said.run_dir)
    say(
        "predict", "--run", said.run_dir, "--annotations", annotations, "--images", images, "--out", said.predicted,
        "--min-keypoints", 1, *options,
    )  # fmt: skip
    say("export", "--run", said.run_dir, "--format", "keras")
    return said


def _first_id(folder: Path) -> int:
    import cocoprep

    return int(cocoprep.open_dataset(folder)[0]["annotation_id"])
