"""`cocoprep export`: a run's network for use elsewhere."""

from __future__ import annotations

from typing import Any

import click

from cocoprep.cli.say import say


@click.command("export")
@click.option(
    "--run",
    "--run-dir",
    "run_dir",
    metavar="DIR",
    required=True,
    help="Folder of the run whose best network is written.",
)
@click.option(
    "--format", "form", type=click.Choice(["savedmodel", "keras", "onnx"]), default="savedmodel", show_default=True,
    help="What to write.",
)  # fmt: skip
@click.option("--out", metavar="PATH", help="Where to write.  [default: in the run's folder, under export]")
@click.option("--flip-test", is_flag=True, help="Predict mirrored as well and average: better, twice the time.")
@click.option("--data", metavar="DIR", help="Built folder whose people it is checked on.  [default: the run's own]")
@click.option("--force", is_flag=True, help="Replace what is there.")
def command(run_dir: str, *, form: Any, out: str | None, flip_test: bool, data: str | None, force: bool) -> None:
    """Write a run's network as a SavedModel, a Keras file or ONNX, and check it against the original on real crops.

    SavedModel and ONNX take crops of people (N, H, W, 3) uint8 and give joints in pixels of the crop, with confidences
    and heatmaps: normalisation and sub-pixel decoding are inside. The Keras file is the network with normalisation in
    front. A JSON file, within or beside it, says sizes, joints and units.
    """
    from cocoprep.cli.open_network import open_network
    from cocoprep.cli.paths import check_paths
    from cocoprep.cli.quiet import quiet_libraries
    from cocoprep.storage.by_scheme import AnyFiles

    check_paths({"--run": run_dir, "--out": out, "--data": data})
    files = AnyFiles()
    predictor = open_network(run_dir, files, flip_test=flip_test, backend="tensorflow")
    with quiet_libraries():  # converters are talkative, and what they made is checked
        from cocoprep.model.export.export import export_network

        path, agreement = export_network(predictor, run_dir, form=form, out=out, data=data, force=force, files=files)
    say(path)
    joints = "" if agreement.joints_px is None else f", its joints by {agreement.joints_px:.1e} px"
    people = predictor.table.noun.count(agreement.people)
    say(f"  checked on {people} of {agreement.folder}: heatmaps differ by {agreement.heatmaps:.1e} at most{joints}")
