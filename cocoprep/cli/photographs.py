"""The photographs of a data set, as commands find them that draw its annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cocoprep.cli.paths import tell_of_tar
from cocoprep.cli.say import say_note
from cocoprep.inspection.data_set import DataSet
from cocoprep.pose.nouns import counted
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.inspection.photographs import Photographs


def find_photographs(
    data_set: DataSet, images: str | None, files: FileStore, *, follow_links: bool
) -> Photographs | None:
    """Open the photographs, given or where a build found them; say so where these are not there any more.

    Args:
        data_set: whose photographs.
        images: where they are; None for where a build has read them, if one has.
        files: where all of it lies.
        follow_links: links in their folder may lead out of it.

    Raises:
        ConfigError: there are none where they are said to be.
    """
    from cocoprep.inspection.photographs import open_photographs, photographs_of  # which load Pillow

    paths = photographs_of(data_set, images)
    if not paths:
        return None
    for path in paths.values():
        tell_of_tar(path, files)
        if images is None and not files.exists(path):
            say_note(
                f"{data_set.name}: its photographs are not shown, since they are not at {path} any more: name them by "
                "--images."
            )
            return None
    return open_photographs(data_set, paths, files, follow_links=follow_links)


def say_faults(name: str, photographs: Photographs | None) -> None:
    """Say how many photographs of a data set could not be read, and why the first could not."""
    if photographs is not None and (faults := photographs.faults):
        say_note(
            f"warning: {name}: {counted(len(faults), 'photographs are not shown')}, the first because: "
            f"{faults[0]:.1000}"
        )
