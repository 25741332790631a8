"""The command line: one light module a command, loaded only when its command runs."""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from cocoprep.cli.say import drop_stdout, say, say_error, say_warnings
from cocoprep.errors import CocoprepError, ConfigError, HostError
from cocoprep.version import __version__

# name -> (module under cocoprep.cli, help): `cocoprep --help` loads no command.
COMMANDS = {
    "build": ("build", "Build verified TFRecord shards from annotations and photographs."),
    "verify": ("verify", "Check every digest, record and count of a built folder."),
    "info": ("info", "Show what a built folder holds."),
    "show": ("show", "Draw the steps of one annotation as a picture."),
    "contact-sheet": ("contact_sheet", "Draw many people of a built folder on one sheet."),
    "augment": ("augment", "Draw what augmentation makes of people."),
    "train": ("train", "Train a stacked hourglass on built folders."),
    "sweep": ("sweep", "Search for better settings, trial by trial, with Optuna."),
    "evaluate": ("evaluate", "Score a run, or results of any tool: OKS, PCK, kinds of errors."),
    "compare": ("compare", "Compare runs and results: which differences are more than chance."),
    "predict": ("predict", "Predict people on photographs, and draw them."),
    "export": ("export", "Write a run's network as a SavedModel, a Keras file or ONNX."),
    "download": ("download", "Fetch COCO's photographs and keypoint annotations."),
    "stage": ("stage", "Copy a built folder to or from a bucket, checked."),
    "check": ("check", "Find labels that look wrong, ranked, with a list that build leaves out."),
    "leaks": ("leaks", "Find photographs that two data sets share."),
    "convert": ("convert", "Bring MPII, LSP, YOLO pose, CVAT, Label Studio into COCO's form."),
    "stats": ("stats", "Show what data sets hold, side by side, and what shifted between them."),
    "keypoints": ("keypoints", "List the keypoint tables that come along, or print one."),
    "sample": ("sample", "Draw a small data set in COCO's layout."),
}
TRAINING = {"cv2", "jax", "keras", "matplotlib", "tensorboard", "tensorflow"}  # of the extras `train` and `jax`


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"cocoprep.cli.{COMMANDS[cmd_name][0]}").command
        for parameter in command.params:
            parameter.callback = parameter.callback or _refuse_empty
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and refuse an option that is given twice: click would take the last without a word."""
        name, command, rest = super().resolve_command(ctx, args)
        given = [word.partition("=")[0] for word in rest[: rest.index("--") if "--" in rest else None]]
        for parameter in command.params if command is not None else ():
            single = isinstance(parameter, click.Option) and not (parameter.multiple or parameter.is_flag)
            if single and sum(given.count(spelling) for spelling in parameter.opts) > 1:
                raise click.UsageError(f"{parameter.opts[0]}: expected one value, found several.", ctx)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _refuse_empty(_: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Refuse '' for whatever option or argument: a script's variable was not set, and the default would be a guess."""
    if value == "" or (isinstance(value, tuple) and "" in value):
        raise click.BadParameter("expected a value, found nothing", param=parameter)
    return value


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cocoprep")
def cli() -> None:
    """COCO keypoints to sharded TFRecords."""
    try:
        os.getcwd()
    except OSError as error:
        raise ConfigError(f"the working folder is gone ({error.strerror}). Change to one that is there.") from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Exit codes: 0; 1 expected failure; 2 an option of the wrong form; 3 unexpected; 130."""
    # A notebook hands the name of its own backend down; where that is not installed, matplotlib fails. We draw files.
    os.environ["MPLBACKEND"] = "agg"
    say_warnings()
    try:
        code = cli.main(args=arguments, prog_name="cocoprep", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        say_error(shown.getvalue().rstrip("\n"))
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("interrupted", err=True)
        code = 130
    except HostError as error:
        if os.environ.get("COCOPREP_DEBUG"):
            traceback.print_exc()
        say_error(f"error: {error}")
        os._exit(1)  # on its way out JAX would wait for the others, then abort with a trace
    except CocoprepError as error:
        say_error(f"error: {error}")
        code = 1
    except BrokenPipeError:
        drop_stdout()
        code = 1
    except Exception as error:
        if os.environ.get("COCOPREP_DEBUG"):
            raise
        code = _unexpected(error)
    sys.exit(code if isinstance(code, int) else 0)


def _unexpected(error: Exception) -> int:
    if isinstance(error, ModuleNotFoundError) and error.name in TRAINING:
        extra = "jax" if os.environ.get("KERAS_BACKEND") == "jax" else "train"
        say(
            f"error: this command needs {error.name}, which comes with training: pip install 'cocoprep[{extra}]', or "
            "`make train` in the source tree.",
            err=True,
        )
        return 1
    say_error(f"unexpected error: {type(error).__name__}: {error}\nA fault of ours; COCOPREP_DEBUG=1 shows where.")
    return 3
