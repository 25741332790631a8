"""`cocoprep sweep`: search for better settings, trial by trial, each an ordinary run."""

from __future__ import annotations

import click


@click.command("sweep")
@click.argument("file", metavar="FILE.toml")
@click.option(
    "--study", metavar="sqlite:///PATH", required=True,
    help="Database that the trials are kept in; made, with its folder, where there is none.",
)  # fmt: skip
@click.option(
    "--trials", type=click.IntRange(1, 100_000), required=True, metavar="N",
    help="Trials that the study is to have in all, those that end early or fail among them.",
)  # fmt: skip
@click.option("--name", metavar="NAME", help="Of the study; a database may hold several.  [default: as FILE]")
@click.option(
    "--run-dir", "run_dir", metavar="DIR",
    help="Folder of the trials' runs.  [default: NAME, beside the database]",
)  # fmt: skip
def command(file: str, *, study: str, trials: int, name: str | None, run_dir: str | None) -> None:
    """Search for the settings of `train` that give the best PCK@0.2 on validation, with Optuna.

    FILE.toml has the settings that all trials share, as `train --config` takes them, and what is searched:

    \b
    [search]
    "optimizer.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
    "network.channels" = { choices = [32, 48, 64] }

    Trials that fall behind end early. Killed at any moment, the same command goes on where it stopped; given in
    several terminals, all work on one study; given after the end, it says again what came of it.
    """  # noqa: D301 - click's own mark
    from cocoprep.cli.sweep_job import run_job

    run_job(file, study=study, trials=trials, name=name, run_dir=run_dir)
