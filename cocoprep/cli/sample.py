"""`cocoprep sample`."""

from __future__ import annotations

import click

from cocoprep.cli.say import say


@click.command("sample", context_settings={"show_default": True})
@click.argument("folder", metavar="DIR")
@click.option(
    "--images",
    type=click.IntRange(min=1),
    default=200,
    help="Training images; a quarter as many are added for validation.",
)
@click.option("--seed", type=int, default=0, help="Seed of everything that is drawn.")
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Worker processes.  [default: one a core]")
@click.option(
    "--keypoints", metavar="TABLE", default="coco-17", help="Joints to label: a table's name, or its TOML file."
)
def command(folder: str, images: int, seed: int, workers: int | None, keypoints: str) -> None:
    """Draw a small data set in COCO's layout: nothing is downloaded."""
    from cocoprep.cli.keypoints import open_table
    from cocoprep.cli.progress import CountProgress
    from cocoprep.errors import ConfigError
    from cocoprep.sample import write_sample
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.workers import default_workers

    if "://" in folder:
        raise ConfigError(
            f"DIR: expected a folder of this machine, found {folder}. Draw to a disk, then copy the folder to the "
            "bucket: gcloud storage cp -r."
        )
    table = open_table(keypoints, AnyFiles())
    with CountProgress("drawing", "images") as progress:
        summary = write_sample(
            folder,
            images=images,
            seed=seed,
            workers=workers or default_workers(),
            on_image=progress.update,
            table=table,
        )
    say(
        f"{folder}: {summary.train_images} images for training, {summary.val_images} for validation, "
        f"{summary.annotations} annotations, {summary.labelled} of them with keypoints"
    )
