"""`cocoprep train`: train a stacked hourglass on a built folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import click

from cocoprep.cli.say import say
from cocoprep.model.augment.config import STRENGTHS, AugmentConfig
from cocoprep.model.run.config import TrainConfig

if TYPE_CHECKING:
    from cocoprep.cli.train_report import OtherHost, TrainReport
    from cocoprep.model.backends.hosts import Hosts
    from cocoprep.model.training.train import TrainingRun

# option -> (setting, help); a setting within a table is written table.name. Types and defaults are the config's own.
OPTIONS: dict[str, tuple[str, str]] = {
    "--epochs": ("epochs", "Passes over the people."),
    "--batch-size": ("batch_size", "People a step, over all devices."),
    "--seed": ("seed", "Seed of weights, order and augmentation."),
    "--subset": ("subset", "Share of the people to train on."),
    "--augment": ("augment", "Strength of augmentation."),
    "--stacks": ("network.stacks", "Hourglasses one after another, 1 to 8."),
    "--channels": ("network.channels", "Width of the network."),
    "--depth": ("network.depth", "How often an hourglass halves its input."),
    "--convolution": ("network.convolution", "Kind of the 3x3 convolutions."),
    "--loss": ("loss.kind", "What is minimised."),
    "--foreground": ("loss.foreground", "Extra weight of a pixel at a joint, in weighted_mse."),
    "--unlabelled": ("loss.unlabelled", "Leave unlabelled joints out, or teach an empty map."),
    "--optimizer": ("optimizer.kind", "Optimizer."),
    "--learning-rate": ("optimizer.learning_rate", "Peak learning rate."),
    "--schedule": ("optimizer.schedule", "How the learning rate falls."),
    "--warmup-epochs": ("optimizer.warmup_epochs", "Epochs over which the learning rate rises."),
    "--weight-decay": ("optimizer.weight_decay", "Weight decay, 0 for none."),
    "--clip-norm": ("optimizer.clip_norm", "Longest gradient, 0 for any length."),
    "--ema": ("optimizer.ema", "Share that a moving average of the weights keeps a step, such as 0.999; 0 for none."),
    "--precision": ("precision", "Numbers to compute with."),
    "--backend": ("backend", "What computes; auto is TensorFlow where it is installed, else JAX."),
    "--xla": ("xla", "What XLA compiles for TensorFlow: what is elementwise (on a CPU), or the whole step."),
    "--devices": (
        "devices",
        "One; one, in halves on a CPU's cores; all GPUs or TPU chips here; those of all hosts (JAX).",
    ),
    "--checkpoint-steps": ("checkpoint_steps", "Save at least every so many steps."),
    "--checkpoint-minutes": ("checkpoint_minutes", "Save at least every so many minutes; 0 for never."),
    "--keep": ("keep", "Checkpoints to keep."),
    "--log-steps": ("log_steps", "Steps a line of the log."),
    "--oks-epochs": ("oks_epochs", "Epochs between measurements of OKS AP."),
    "--on-bad-record": ("on_bad_record", "What to do with a damaged record."),
}


def _settings(function: Callable[..., None]) -> Callable[..., None]:
    for option, (setting, text) in reversed(OPTIONS.items()):
        kind, default = _type_and_default(setting)
        parameter = setting.replace(".", "__")
        # No default of click's: an option that is not given leaves a file's setting, or a stored run's, as it is.
        function = click.option(option, parameter, type=kind, help=f"{text}  [default: {default}]")(function)
    return function


def _type_and_default(setting: str) -> tuple[Any, str]:
    """Return click's type of a setting, and its default in words."""
    config: Any = TrainConfig(data="")
    *tables, name = setting.split(".")
    for table in tables:
        config = getattr(config, table)
    default, kind = getattr(config, name), get_type_hints(type(config))[name]
    if isinstance(default, AugmentConfig):
        return click.Choice(list(STRENGTHS)), next(name for name, one in STRENGTHS.items() if one == default)
    if get_origin(kind) is Literal:
        return click.Choice(list(get_args(kind))), default
    return kind, f"{default:g}"


def _one_or_more(folders: tuple[str, ...]) -> str | tuple[str, ...] | None:
    """Return folders as a config holds them: one by itself, as ever."""
    return folders if len(folders) > 1 else next(iter(folders), None)


def _joined_hosts(changes: dict[str, Any]) -> Hosts:
    """Return the hosts that train together, by settings that are asked for; several have JAX compute."""
    from cocoprep.cli.quiet import quiet_libraries
    from cocoprep.model.backends.choice import join_hosts
    from cocoprep.model.backends.hosts import OneHost
    from cocoprep.model.training.on_hosts import losses_told

    if changes.get("devices") != "hosts":
        return OneHost()
    waiting = "waiting for the other hosts: the same command must begin on each within five minutes"
    hosts = join_hosts(changes.setdefault("backend", "jax"), lambda: say(waiting, err=True))
    with losses_told(hosts), quiet_libraries(errors_too=False):
        hosts.gather(False)  # connects them, and says so
    say(f"all {hosts.count} hosts have come, this is host {hosts.place}", err=True)
    return hosts


def _open(
    config_file: str | None,
    changes: dict[str, Any],
    report: TrainReport | OtherHost,
    folder: str,
    resume: bool,
    *,
    one_host: bool,
) -> TrainingRun:
    """Open a run by a file's settings and those asked for, on the backend that they name."""
    from cocoprep.cli.quiet import quiet_libraries
    from cocoprep.model.backends.choice import find_devices, leave_out_tensorflow, use_backend
    from cocoprep.model.backends.tensorflow.prepare import prepare_tensorflow
    from cocoprep.model.run.resolve import resolve_config
    from cocoprep.storage.by_scheme import AnyFiles

    files = AnyFiles()
    config = resolve_config(folder, config_file, changes, resume=resume, files=files)
    if use_backend(config.backend) == "jax":
        leave_out_tensorflow()
    else:
        prepare_tensorflow(config)
    with quiet_libraries(errors_too=one_host):
        from cocoprep.model.training.open_run import open_run

        find_devices()
    return open_run(config, folder, resume=resume, report=report, files=files)


@click.command("train")
@click.option("--data", metavar="DIR", multiple=True, help="Built folder to train on; several: once for each.")
@click.option(
    "--val", metavar="DIR", multiple=True, help="Built folder to validate on; without it nothing says how good it is."
)
@click.option(
    "--weight",
    "weights",
    metavar="NAME=W",
    multiple=True,
    help="How often people of a folder, or of a source of one, are seen, 1 for once an epoch; several.",
)
@click.option(
    "--run-dir", "--run", "run_dir", metavar="DIR", required=True, help="Folder of the run: log, checkpoints, pictures."
)
@click.option(
    "--init", metavar="RUN|FILE.keras", help="Begin with the weights of this run's network: layers and joints by name."
)
@click.option(
    "--freeze",
    metavar="GROUP",
    multiple=True,
    help="Leave stem, stack1, stack2, ... as --init has it, untrained; several.",
)
@click.option(
    "--rate",
    "rates",
    metavar="GROUP=F",
    multiple=True,
    help="Train stem, stack1, stack2, ... at F times the learning rate, 1 where nothing is said; several.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --run-dir, if there is one, where it stopped.")
@click.option("--config", "config_file", metavar="FILE", help="Settings, JSON or TOML, as in a run's config.json.")
@_settings
def command(
    data: tuple[str, ...],
    val: tuple[str, ...],
    weights: tuple[str, ...],
    run_dir: str,
    *,
    init: str | None,
    freeze: tuple[str, ...],
    rates: tuple[str, ...],
    resume: bool,
    config_file: str | None,
    **given: Any,
) -> None:
    """Train a stacked hourglass on shards, with checkpoints, TensorBoard curves and validation.

    Settings come from the defaults, then --config FILE, then the options given. A run that was stopped, by
    Ctrl-C or by anything else, goes on with --resume: of the settings only --run-dir is needed then.
    """
    from cocoprep.cli.named_numbers import parse_named_numbers
    from cocoprep.cli.train_report import OtherHost, StoppedAtOnce, TrainReport, stop_on_signals
    from cocoprep.model.training.on_hosts import opened_on_hosts

    named = {
        "data": _one_or_more(data),
        "val": _one_or_more(val),
        "weights": parse_named_numbers("--weight", weights, example="mpii=0.5") or None,
        "init": init,
        "freeze": freeze or None,
        "optimizer.rates": parse_named_numbers("--rate", rates, example="stem=0.1") or None,
    }
    changes = {**named, **{name.replace("__", "."): value for name, value in given.items()}}
    changes = {name: value for name, value in changes.items() if value is not None}
    hosts = _joined_hosts(changes)
    shown = TrainReport() if hosts.place == 0 else nullcontext(OtherHost(hosts.place))
    try:
        with shown as report, stop_on_signals() as should_stop:
            begin = partial(_open, config_file, changes, report, one_host=hosts.count == 1)
            with opened_on_hosts(hosts, run_dir, begin, resume=resume) as run:
                run.go(should_stop)
    except StoppedAtOnce:
        if hosts.count > 1:  # on its way out JAX would wait for the others
            say("interrupted", err=True)
            os._exit(130)
        raise
    say(report.summary(run_dir))
