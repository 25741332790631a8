"""`cocoprep train`: train a stacked hourglass on a built folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

# option -> (type, setting, help); a setting within a table is written table.name.
OPTIONS: dict[str, tuple[Any, str, str]] = {
    "--epochs": (int, "epochs", "Passes over the people.  [100]"),
    "--batch-size": (int, "batch_size", "People a step, over all devices.  [32]"),
    "--seed": (int, "seed", "Of weights, order and augmentation.  [0]"),
    "--subset": (float, "subset", "Share of the people to train on.  [1.0]"),
    "--augment": (
        click.Choice(["none", "light", "medium", "heavy"]), "augment", "Strength of augmentation.  [medium]",
    ),
    "--stacks": (int, "network.stacks", "Hourglasses one after another, 1 to 8.  [2]"),
    "--channels": (int, "network.channels", "Width of the network.  [256]"),
    "--depth": (int, "network.depth", "How often an hourglass halves its input.  [4]"),
    "--convolution": (
        click.Choice(["standard", "separable"]), "network.convolution", "Kind of 3x3 convolution.  [standard]",
    ),
    "--loss": (
        click.Choice(["mse", "weighted_mse", "adaptive_wing"]), "loss.kind",
        "What is minimised.  [weighted_mse]",
    ),
    "--foreground": (float, "loss.foreground", "Extra weight of a pixel at a joint, in weighted_mse.  [20]"),
    "--unlabelled": (
        click.Choice(["mask", "background"]), "loss.unlabelled",
        "Leave unlabelled joints out, or teach an empty map.  [mask]",
    ),
    "--optimizer": (click.Choice(["adam", "adamw", "rmsprop", "sgd"]), "optimizer.kind", "[adam]"),
    "--learning-rate": (float, "optimizer.learning_rate", "The highest.  [0.001]"),
    "--schedule": (
        click.Choice(["cosine", "steps", "constant"]), "optimizer.schedule", "How the rate falls.  [cosine]",
    ),
    "--warmup-epochs": (float, "optimizer.warmup_epochs", "Over which the rate rises.  [1]"),
    "--weight-decay": (float, "optimizer.weight_decay", "[0]"),
    "--clip-norm": (float, "optimizer.clip_norm", "Longest gradient, 0 for any.  [0]"),
    "--ema": (float, "optimizer.ema", "What a moving average of weights keeps a step, such as 0.999; 0: none.  [0]"),
    "--precision": (
        click.Choice(["float32", "mixed_float16", "mixed_bfloat16"]), "precision", "[float32]",
    ),
    "--xla": (
        click.Choice(["off", "pointwise", "whole"]), "xla",
        "What XLA compiles: what is elementwise (on a CPU), or the whole step.  [pointwise]",
    ),
    "--devices": (click.Choice(["one", "all"]), "devices", "One, or every GPU of the machine.  [one]"),
    "--checkpoint-steps": (int, "checkpoint_steps", "Save at least every N steps.  [1000]"),
    "--checkpoint-minutes": (float, "checkpoint_minutes", "Save at least every N minutes; 0: do not.  [5]"),
    "--keep": (int, "keep", "Checkpoints to keep.  [3]"),
    "--log-steps": (int, "log_steps", "Steps a line of the log.  [20]"),
    "--oks-epochs": (int, "oks_epochs", "Epochs between measurements of OKS AP.  [1]"),
    "--on-bad-record": (
        click.Choice(["fail", "skip"]), "on_bad_record", "What to do with a damaged record.  [fail]",
    ),
}  # fmt: skip


def _settings(function: Callable[..., None]) -> Callable[..., None]:
    for option, (kind, setting, text) in reversed(OPTIONS.items()):
        function = click.option(option, setting.replace(".", "__"), type=kind, default=None, help=text)(function)
    return function


@click.command("train")
@click.option("--data", metavar="DIR", help="Built folder to train on.")
@click.option("--val", metavar="DIR", help="Built folder to validate on; without it nothing says how good it is.")
@click.option("--run-dir", metavar="DIR", required=True, help="Folder of the run: log, checkpoints, pictures.")
@click.option("--resume", is_flag=True, help="Go on with the run in --run-dir, if there is one, where it stopped.")
@click.option("--config", "config_file", metavar="FILE", help="Settings, JSON or TOML, as in a run's config.json.")
@_settings
def command(
    data: str | None, val: str | None, run_dir: str, *, resume: bool, config_file: str | None, **given: Any
) -> None:
    """Train a stacked hourglass on shards, with checkpoints, TensorBoard curves and validation.

    Settings come from the defaults in brackets, then --config FILE, then the options given. A run that was stopped, by
    Ctrl-C or by anything else, goes on with --resume: of the settings only --run-dir is needed then.
    """
    from cocoprep.cli.train_report import TrainReport, quiet_libraries, stop_on_signals
    from model.run_config import resolve_config
    from model.xla import prepare_xla
    from pipelines.files import AnyFiles

    files = AnyFiles()
    changes = {"data": data, "val": val, **{name.replace("__", "."): value for name, value in given.items()}}
    changes = {name: value for name, value in changes.items() if value is not None}
    config = resolve_config(run_dir, config_file, changes, resume=resume, files=files)
    prepare_xla(config.xla)
    with TrainReport() as report, stop_on_signals() as should_stop:
        with quiet_libraries():
            from model.devices import find_devices
            from model.train import open_run

            find_devices()
        open_run(config, run_dir, resume=resume, report=report, files=files).go(should_stop)
    click.echo(report.summary(run_dir))
