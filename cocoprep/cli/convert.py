"""`cocoprep convert`: other forms to COCO's, and a built folder's crops to a data set that other tools read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from cocoprep.cli.paths import check_paths
from cocoprep.cli.say import say, say_note
from cocoprep.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cocoprep.importers.dataset import Category, ImportedDataset
    from cocoprep.importers.write import WrittenSplit

FORMS = ("mpii", "lsp", "yolo-pose", "cvat", "labelstudio")


@click.command("convert")
@click.argument("source", metavar="IN")
@click.option("--from", "form", type=click.Choice(FORMS), help="The form of IN: what wrote it, or the data set.")
@click.option("--to", type=click.Choice(["coco"]), help="IN is a built folder: write its crops in COCO's form.")
@click.option("--out", required=True, metavar="DIR", help="Folder to write, in COCO's layout.")
@click.option("--images", metavar="PATH", help="Folder, zip or tar of photographs.  [default: beside IN]")
@click.option("--keypoints", metavar="TABLE", help="Joints, where IN does not say them all: a table, or its TOML file.")
def command(
    source: str, *, form: str | None, to: str | None, out: str, images: str | None, keypoints: str | None
) -> None:
    """Convert a data set to COCO's form, or a built folder's crops to one.

    With --from, IN is MPII's MAT-file or JSON, LSP's joints.mat, a YOLO pose data.yaml, CVAT's annotations.xml or Label
    Studio's JSON; photographs stay where they are. With --to, IN is a folder that `cocoprep build` has made.
    """
    if (form is None) == (to is None):
        raise ConfigError("expected either --from, the form of IN, or --to coco for a built folder; give one of them.")
    check_paths({"IN": source, "--out": out, "--images": images})
    if form is not None:
        _import(source, form, out, images=images, keypoints=keypoints)
    elif images is not None or keypoints is not None:
        raise ConfigError("--images and --keypoints go with --from: a built folder has its pictures and joints.")
    else:
        _write_crops(source, out)


def _import(source: str, form: str, out: str, *, images: str | None, keypoints: str | None) -> None:
    _refuse_idle(form, images=images, keypoints=keypoints)
    from cocoprep.cli.keypoints import open_table
    from cocoprep.cli.progress import CountProgress
    from cocoprep.importers.formats import find_file, import_dataset
    from cocoprep.importers.photographs import Source
    from cocoprep.importers.write import write_dataset
    from cocoprep.storage.by_scheme import AnyFiles

    files = AnyFiles()
    table = None if keypoints is None else open_table(keypoints, files)
    with CountProgress("reading", "photographs") as progress:
        found = find_file(form, Source(source, files, images, table, progress.update))
        dataset = import_dataset(form, found)
    written = write_dataset(dataset, out, files, form=form, source=found.path)
    _tell(dataset, written)


def _refuse_idle(form: str, *, images: str | None, keypoints: str | None) -> None:
    """Raise ConfigError for an option that a form has no use for."""
    if keypoints is not None and form in ("mpii", "lsp"):
        raise ConfigError(f"--keypoints: the joints of {form} are known. Leave it out.")
    if images is not None and form == "yolo-pose":
        raise ConfigError("--images: data.yaml says where its photographs are, below its own folder. Leave it out.")


def _category_option(categories: Sequence[Category]) -> str:
    """Return what tells a build which of several categories, where it could not know."""
    if len(categories) < 2 or any(one.name == "person" for one in categories):
        return ""
    alike = len({one.joints for one in categories}) == 1
    return f" --category {'all' if alike else shlex.quote(categories[0].name)}"


def _tell(dataset: ImportedDataset, written: list[WrittenSplit]) -> None:
    for line in dataset.account.left_out.lines:
        say(f"LEFT OUT: {line}", err=True)
    for line in dataset.account.guessed.lines:
        say_note(line)
    for line in dataset.not_carried:
        say_note(f"not carried over: {line}")
    for split in written:
        say(
            f"{split.path}: {split.photographs} photographs, {split.people} entries, {split.with_joints} of them with "
            "joints"
        )
    say("to build of it:")
    for split in written:
        where = "PHOTOGRAPHS" if split.images is None else shlex.quote(split.images)
        which = _category_option(dataset.categories)
        say(f"  cocoprep build --annotations {shlex.quote(split.path)} --images {where}{which}")


def _write_crops(folder: str, out: str) -> None:
    from cocoprep.cli.progress import CountProgress
    from cocoprep.shards.crops_as_coco import not_carried, write_crops
    from cocoprep.storage.by_scheme import AnyFiles

    with CountProgress("writing", "crops") as progress:
        manifest = write_crops(folder, out, AnyFiles(), on_person=progress.update)
    for line in not_carried(manifest):
        say_note(f"not carried over: {line}")
    say(f"{out}: {manifest.counts.people} crops of {manifest.split}, with their joints")
    say(f"to build of it:\n  cocoprep build --data-dir {shlex.quote(out)} --split {manifest.split}")
