"""`cocoprep augment`: what training's augmentation makes of people."""

from __future__ import annotations

import click

from cocoprep.cli.say import say


@click.command("augment")
@click.argument("folder", metavar="DIR")
@click.option(
    "--strength", type=click.Choice(["none", "light", "medium", "heavy"]), default="medium", show_default=True,
    help="How strongly people are varied.",
)  # fmt: skip
@click.option("--out", metavar="FILE", help="Picture to write.  [default: augment-<strength>.png]")
@click.option("--people", metavar="N", type=int, default=6, show_default=True, help="Rows: people, spread evenly.")
@click.option("--epochs", metavar="N", type=int, default=7, show_default=True, help="Columns: epochs of training.")
@click.option(
    "--epoch", metavar="E", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="First epoch to show."
)
@click.option(
    "--seed",
    metavar="S",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Seed, as given to training.",
)
@click.option("--tile", metavar="PX", type=int, default=160, show_default=True, help="The longer side of a picture.")
def command(
    folder: str, *, strength: str, out: str | None, people: int, epochs: int, epoch: int, seed: int, tile: int
) -> None:
    """Draw what training makes of people, and say how much of it is no photograph.

    DIR is a built folder. Each row shows a person as stored, then as an epoch of training with this seed gets it. Below
    a picture stand the window's size as a multiple of the stored one, how far it is turned, and whether it is mirrored.
    """
    from cocoprep.draw import picture_format, save_picture
    from cocoprep.model.augment.config import STRENGTHS
    from cocoprep.model.augment.sheet import augment_sheet, measure_augmentation
    from cocoprep.shards.dataset import open_dataset
    from cocoprep.shards.settings import table_of
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.storage.leftovers import sweep_beside

    path = out or f"augment-{strength}.png"
    picture_format(path)  # a wrong ending is told before the work, not after it
    files = AnyFiles()
    dataset, config = open_dataset(folder, files), STRENGTHS[strength]
    sweep_beside(path, files)
    title = f"{dataset.manifest.split}:  augmentation {strength}, seed {seed}, from epoch {epoch}"
    sheet = augment_sheet(
        dataset, config, title=title, people=people, epochs=epochs, first_epoch=epoch, seed=seed, tile_px=tile
    )
    save_picture(sheet, path, files)
    figures = measure_augmentation(dataset, config, seed=seed, epoch=epoch)
    table = table_of(dataset.manifest.keypoints)
    if config.flip_probability and not table.has_pairs:
        say("no joints are each other's in a mirror: nothing is mirrored")
    say(f"filled pixels: {figures.filled:.2%} on average, {figures.most_filled:.1%} at most")
    say(f"labelled joints out of the picture: {figures.joints_lost:.2%}")
    say(f"{figures.people_per_second:.0f} {table.noun.many}/s on one core, decoding not counted")
    say(path)
