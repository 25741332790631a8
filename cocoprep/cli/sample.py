"""`cocoprep sample`."""

from __future__ import annotations

import click


@click.command("sample", context_settings={"show_default": True})
@click.argument("folder", metavar="DIR")
@click.option(
    "--images",
    type=click.IntRange(min=1),
    default=200,
    help="Training images; a quarter as many are added for validation.",
)
@click.option("--seed", type=int, default=0, help="Of everything that is drawn.")
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Processes; by default one a core.")
def command(folder: str, images: int, seed: int, workers: int | None) -> None:
    """Draw a small data set in COCO's layout: nothing is downloaded."""
    from cocoprep.errors import ConfigError
    from cocoprep.sample import write_sample
    from cocoprep.workers import default_workers

    if "://" in folder:
        raise ConfigError(
            f"DIR: expected a folder of this machine, found {folder}. Draw to a disk, then copy the folder to the "
            "bucket: gcloud storage cp -r."
        )
    with click.progressbar(length=1, label="drawing") as bar:

        def on_image(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        summary = write_sample(
            folder, images=images, seed=seed, workers=workers or default_workers(), on_image=on_image
        )
    click.echo(
        f"{folder}: {summary.train_images} images for training, {summary.val_images} for validation, "
        f"{summary.annotations} annotations, {summary.labelled} of them with keypoints"
    )
