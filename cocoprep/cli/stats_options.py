"""The options of `cocoprep stats`, and what may be wrong with them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cocoprep.cli.paths import check_paths
from cocoprep.errors import ConfigError
from cocoprep.inspection.read_data_set import check_paths_beside
from cocoprep.storage.paths import real_path
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
    images: tuple[str, ...]
    follow_links: bool

    def check(self) -> None:
        """Raise ConfigError where options do not go together, or a path lies nowhere we know."""
        for option, paths in (("PATH", self.paths), ("--images", self.images)):
            for path in paths:
                check_paths({option: path})
        check_paths({"--json": self.json_file, "--out": self.out})
        check_paths_beside(self.paths)
        if self.images and self.out is None:
            raise ConfigError("--images: is of the pictures in --out; found none. Add --out with a folder for them.")
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
    check_outputs(options.json_file, out, (*options.paths, *options.images), files)
    if out is not None:
        from cocoprep.inspection.stats_output import prepare_stats_folder  # which loads all that draws

        prepare_stats_folder(out, files)


def check_outputs(json_file: str | None, out: str | None, read: Sequence[str], files: FileStore) -> None:
    """Refuse outputs that cannot be written, or would change what is read; make the folder of the JSON file.

    Raises:
        ConfigError: an output lies in a folder that is read, or is a file that is, or no file can be there.
        OutputError: the folder cannot be made.
    """
    if json_file is not None and (files.is_folder(json_file) or json_file.endswith("/")):
        raise ConfigError(f"--json: expected a file to write, found the folder {json_file}.")
    if json_file is not None and os.path.exists(json_file) and not os.path.isfile(json_file):
        raise ConfigError(f"--json: expected a file to write, found the device or pipe {json_file}.")
    for option, path in (("--json", json_file), ("--out", out)):
        for one in read:
            if path is not None and _lies_in(path, one):
                raise ConfigError(f"{option}: {path} is, or lies in, {one}, which is read. Choose another {option}.")
    if json_file is not None:
        files.make_folder(os.path.dirname(json_file) or ".")


def _lies_in(path: str, read: str) -> bool:
    if f"{real_path(path)}/".startswith(f"{real_path(read)}/"):
        return True
    return os.path.isfile(path) and os.path.isfile(read) and os.path.samefile(path, read)  # by a hard link
