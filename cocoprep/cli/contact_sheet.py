"""`cocoprep contact-sheet`: many people of a built folder in one picture."""

from __future__ import annotations

import click

from cocoprep.cli.say import say


@click.command("contact-sheet")
@click.argument("folder", metavar="DIR")
@click.option("--out", default="contact-sheet.png", metavar="FILE", show_default=True, help="Picture to write.")
@click.option("--people", metavar="N", type=int, default=48, show_default=True, help="How many people, spread evenly.")
@click.option("--columns", metavar="C", type=int, default=8, show_default=True, help="How many in a row.")
@click.option("--tile", metavar="PX", type=int, default=160, show_default=True, help="The longer side of a tile.")
@click.option("--stored", is_flag=True, help="Show the stored crops, with their margin.")
def command(folder: str, *, out: str, people: int, columns: int, tile: int, stored: bool) -> None:
    """Draw the crops of a built folder with their joints on one sheet.

    DIR is a built folder. The people are spread evenly over stored order; the same command draws the same sheet.
    """
    from cocoprep.draw import picture_format, save_picture, sheet_of
    from cocoprep.shards.dataset import open_dataset
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.storage.leftovers import sweep_beside

    files = AnyFiles()
    picture_format(out)  # a wrong ending is told before the work, not after it
    dataset = open_dataset(folder, files)
    sweep_beside(out, files)
    save_picture(sheet_of(dataset, people=people, columns=columns, tile_px=tile, stored=stored), out, files)
    say(out)
