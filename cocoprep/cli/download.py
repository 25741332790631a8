"""`cocoprep download`."""

from __future__ import annotations

import click

from cocoprep.cli.say import say

SPLITS = ("train2017", "val2017", "train2014", "val2014")


@click.command("download", context_settings={"show_default": True})
@click.option(
    "--split",
    "splits",
    type=click.Choice(SPLITS),
    multiple=True,
    required=True,
    help="Split to fetch; may be repeated.",
)
@click.option("--data-dir", default="data/coco", metavar="DIR", help="Folder in COCO's official layout.")
@click.option("--base-url", metavar="URL", help="A mirror of the same files.  [default: COCO's own server]")
def command(splits: tuple[str, ...], data_dir: str, base_url: str | None) -> None:
    """Fetch COCO's photographs and keypoint annotations.

    The zips are checked against COCO's known sizes and digests, those that are there already too; annotation files
    against the zip they came in, where that is there. Nothing needs to be unpacked: `cocoprep build` reads the
    photographs from the zip. A download that was interrupted goes on where it stopped.
    """
    from cocoprep.cli.progress import ByteProgress
    from cocoprep.coco.download import download_splits
    from cocoprep.coco.official import BASE_URL

    with ByteProgress("fetching") as progress:
        try:
            fetched = download_splits(
                splits, data_dir, base_url=base_url or BASE_URL, on_plan=progress.turn_to, on_bytes=progress.advance
            )
        except KeyboardInterrupt:
            say("stopped. What has come is kept: the same command goes on where it stopped.", err=True)
            raise
    for one in fetched:
        known = "checked" if one.checked else "not checked"
        say(f"{one.path}: was there, {known}" if one.was_there else f"{one.path}: fetched and {known}")
    for split in dict.fromkeys(splits):
        say(f"next: cocoprep build --data-dir {data_dir} --split {split}")
