"""The options of `cocoprep check`, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cocoprep.cli.page_options import check_page
from cocoprep.cli.paths import check_paths
from cocoprep.cli.stats_options import check_outputs
from cocoprep.errors import ConfigError
from cocoprep.storage.store import FileStore


@dataclass(frozen=True)
class CheckOptions:
    """What was asked for, as the command's options."""

    path: str
    category: str | None
    keypoints: str | None
    visibility: Mapping[float, int]
    out: str | None
    page: str | None
    page_people: int | None
    images: str | None
    run_dir: str | None
    follow_links: bool
    json_file: str | None
    max_suspects: int | None

    def check(self) -> None:
        """Raise ConfigError where options do not go together, or a path lies nowhere we know."""
        check_paths({"PATH": self.path, "--images": self.images, "--run": self.run_dir})
        check_paths({"--json": self.json_file, "--out": self.out, "--page": self.page})
        check_page(self.page, self.page_people)
        if self.images is not None and self.out is None and self.page is None:
            raise ConfigError(
                "--images: is of the pictures in --out and --page; found neither. Add --page with a file to write."
            )


def make_room(options: CheckOptions, files: FileStore) -> None:
    """Make the folders to write to, and find out before the work what could not be written after it.

    Raises:
        ConfigError: an output lies in what is read, or no file can be there.
        OutputError: a folder cannot be made.
    """
    read = [path for path in (options.path, options.images, options.run_dir) if path]
    check_outputs({"--json": options.json_file, "--page": options.page}, options.out, read, files)
    if options.out is not None:
        from cocoprep.inspection.check.output import prepare_check_folder  # which loads all that draws

        prepare_check_folder(options.out, files)
