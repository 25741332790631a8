"""The options of `cocoprep stats`, and what may be wrong with them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cocoprep.cli.page_options import check_page
from cocoprep.cli.paths import check_apart, check_output_file, check_paths
from cocoprep.errors import ConfigError
from cocoprep.inspection.read_data_set import check_paths_beside
from cocoprep.storage.store import FileStore


@dataclass(frozen=True)
class StatsOptions:
    """What was asked for, as the command's options."""

    paths: tuple[str, ...]
    category: str | None
    keypoints: str | None
    visibility: Mapping[float, int]
    input_size: tuple[int, int]
    bbox_scale: float
    json_file: str | None
    out: str | None
    page: str | None
    page_people: int | None
    images: tuple[str, ...]
    follow_links: bool

    def check(self) -> None:
        """Raise ConfigError where options do not go together, or a path lies nowhere we know."""
        for option, paths in (("PATH", self.paths), ("--images", self.images)):
            for path in paths:
                check_paths({option: path})
        check_paths({"--json": self.json_file, "--out": self.out, "--page": self.page})
        check_paths_beside(self.paths)
        if self.images and self.out is None and self.page is None:
            raise ConfigError(
                "--images: is of the pictures in --out and --page; found neither. Add --out with a folder for them."
            )
        check_page(self.page, self.page_people)
        if self.page is not None and len(self.paths) > 1:
            raise ConfigError(f"--page: is of one PATH; found {len(self.paths)}. Write a page of each.")
        if len(self.images) > len(self.paths):
            raise ConfigError(
                f"--images: expected {len(self.paths)} at most, one for each PATH in their order, found "
                f"{len(self.images)}. Leave the others out."
            )


def make_room(options: StatsOptions, files: FileStore) -> None:
    """Make the folders to write to, and find out before the work what could not be written after it.

    Raises:
        ConfigError: an output lies in a folder that is read, or is a file that is, or no file can be there.
        OutputError: a folder cannot be made.
    """
    out = options.out
    written = {"--json": options.json_file, "--page": options.page}
    check_outputs(written, out, (*options.paths, *options.images), files)
    if out is not None:
        from cocoprep.inspection.stats_output import prepare_stats_folder  # which loads all that draws

        prepare_stats_folder(out, files)


def check_outputs(written: Mapping[str, str | None], out: str | None, read: Sequence[str], files: FileStore) -> None:
    """Refuse outputs that cannot be written, or would change what is read; make the folders of files.

    Args:
        written: files by their options, None where one is not asked for.
        out: a folder to write.
        read: what is read.
        files: where all these lie.

    Raises:
        ConfigError: an output lies in a folder that is read, or is a file that is, or no file can be there.
        OutputError: a folder cannot be made.
    """
    asked = {option: path for option, path in written.items() if path is not None}
    for option, path in asked.items():
        check_output_file(option, path, files)
    for option, path in (asked | ({} if out is None else {"--out": out})).items():
        check_apart(option, path, read, which="which is read")
    for path in asked.values():
        files.make_folder(os.path.dirname(path) or ".")
