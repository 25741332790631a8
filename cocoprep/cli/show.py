"""`cocoprep show`: one annotation, step by step, in one picture."""

from __future__ import annotations

import click

from cocoprep.cli.say import say


@click.command("show")
@click.argument("folder", metavar="DIR")
@click.argument("annotation", metavar="[ANNOTATION_ID]", required=False)
@click.option("--dropped", metavar="REASON", help="List what was dropped for a reason instead, or for 'any'.")
@click.option(
    "--images", metavar="PATH", help="Folder, zip or tar of photographs.  [default: where the build read them]"
)
@click.option(
    "--follow-links", is_flag=True, help="Links in the folder of photographs may lead out of it.  [default: as build]"
)
@click.option("--joint", metavar="NAME", help="Whose heatmap to show.  [default: a labelled joint within the crop]")
@click.option("--out", metavar="FILE", help="The picture to write.  [default: show-<id>.png]")
def command(
    folder: str,
    annotation: str | None,
    *,
    dropped: str | None,
    images: str | None,
    follow_links: bool,
    joint: str | None,
    out: str | None,
) -> None:
    """Draw what the build made of one annotation, or why it was dropped.

    DIR is a built folder, ANNOTATION_ID the `id` of an entry of its annotation file, after SOURCE/ where several
    sources have it, or `row17` for the entry of that row, counted from 0. One picture shows the photograph
    with all boxes and the crop's windows, the stored and the canonical crop, a joint's heatmap, and all heatmaps.
    """
    from cocoprep.checks import require_choice
    from cocoprep.cli.dropped_list import REASONS, print_dropped
    from cocoprep.cli.paths import tell_of_tar
    from cocoprep.draw import check_joint, draw_steps, find_subject, picture_format, save_picture
    from cocoprep.errors import ConfigError
    from cocoprep.shards.dataset import open_dataset
    from cocoprep.shards.manifest import photograph_paths
    from cocoprep.storage.by_scheme import AnyFiles
    from cocoprep.storage.leftovers import sweep_beside

    files = AnyFiles()
    if (annotation is None) == (dropped is None):
        given = "neither" if annotation is None else "both"
        raise ConfigError(f"ANNOTATION_ID: expected an id, or --dropped to list what has no record, found {given}.")
    if dropped is not None:
        require_choice("--dropped", dropped, REASONS)
        print_dropped(open_dataset(folder, files), dropped, files)
        return
    if out is not None:
        picture_format(out)  # a wrong ending is told before the work, not after it
    dataset = open_dataset(folder, files)
    for path in photograph_paths(dataset.manifest, images).values():
        tell_of_tar(path, files)
    subject = find_subject(dataset, annotation or "", images=images, follow_links=follow_links, files=files)
    source, _, own = subject.name.partition("/")
    path = out or f"show-{f'{source}-{own}' if source and own.isdecimal() else subject.annotation_id}.png"
    sweep_beside(path, files)
    if joint is not None:
        check_joint(joint, subject.table)
    save_picture(draw_steps(subject, joint=joint), path, files)
    if subject.reason is not None:
        detail = f" ({subject.detail:.1000})" if subject.detail else ""
        say(f"annotation {annotation} was dropped: {subject.reason}{detail}")
    if subject.photograph is None:
        say(f"without the photograph: {subject.fault:.1500}")
    say(path)
