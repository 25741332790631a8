"""The options of `cocoprep evaluate`, and what of them cannot work, found out before the work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cocoprep.checks import require_number
from cocoprep.cli.paths import check_paths
from cocoprep.crops.exif_rule import Exif
from cocoprep.errors import ConfigError
from cocoprep.evaluation.output import ERRORS, FIGURES, PAGE, RESULTS
from cocoprep.evaluation.pck import PCK_THRESHOLDS
from cocoprep.model.run.folder import READ_TO_PREDICT
from cocoprep.pose.heatmaps import Decoder
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """The options, checked on construction; None where one was not given."""

    data: str | None
    run_dir: str | None
    annotations: str | None
    category: str | None
    keypoints: str | None
    visibility: Mapping[float, int]
    results: str | None
    results_keypoints: str | None
    joint_map: Mapping[str, str]
    images: str | None
    follow_links: bool
    exif: Exif | None
    boxes: Literal["truth"] | None
    flip_test: bool
    decode: Decoder | None
    batch_size: int | None
    thresholds: tuple[float, ...]
    json_file: str | None
    out: str | None

    def __post_init__(self) -> None:
        truth = {"--data": self.data, "--annotations": self.annotations, "--images": self.images}
        scored = {"--run": self.run_dir, "--results": self.results}
        check_paths({**truth, **scored, "--json": self.json_file, "--out": self.out})
        if (self.run_dir is None) == (self.results is None):
            raise ConfigError(
                "expected either --run, a network that predicts, or --results, a file of predictions, found "
                f"{'neither' if self.run_dir is None else 'both'}."
            )
        if (self.data is None) == (self.annotations is None):
            raise ConfigError(
                "expected the ground truth as either --data, a built folder, or --annotations, a COCO file, found "
                f"{'neither' if self.data is None else 'both'}."
            )
        if self.run_dir is not None and self.data is None:
            raise ConfigError("--run needs --data: the network predicts the people of a built folder.")
        for option, value, wanted, other, why in (
            ("--images", self.images, "--annotations", self.annotations, "with --data the pictures are the folder's"),
            ("--category", self.category, "--annotations", self.annotations, "a built folder has that of its build"),
            ("--keypoints", self.keypoints, "--annotations", self.annotations, "a built folder has those of its build"),
            (
                "--visibility",
                "given" if self.visibility else None,
                "--annotations",
                self.annotations,
                "a built folder has COCO's",
            ),
            ("--follow-links", self.follow_links or None, "--images", self.images, "it is about the links there"),
            ("--exif", self.exif, "--images", self.images, "nothing else shows photographs"),
            ("--images", self.images, "--out", self.out, "it is for the pictures of the report there"),
        ):
            if value is not None and other is None:
                raise ConfigError(f"{option} goes with {wanted}: {why}.")
        of_run = {"--boxes": self.boxes, "--decode": self.decode, "--batch-size": self.batch_size}
        of_run["--flip-test"] = self.flip_test or None
        found = [option for option, value in of_run.items() if value is not None]
        if found and self.run_dir is None:
            raise ConfigError(f"{found[0]} goes with --run; the predictions of --results are made already.")
        if self.results_keypoints is not None and self.results is None:
            raise ConfigError("--results-keypoints goes with --results; a run says itself which joints it predicts.")
        if self.joint_map and self.run_dir is None and self.results_keypoints is None:
            raise ConfigError(
                "--map goes with --run or --results-keypoints; otherwise the joints of --results are the data's."
            )
        for threshold in self.thresholds:
            require_number("--pck", threshold, 0)

    @property
    def decoder(self) -> Decoder:
        """Return how a network's heatmaps become joints."""
        return self.decode or "taylor"

    @property
    def pck_thresholds(self) -> tuple[float, ...]:
        """Return the thresholds of PCK, each once."""
        return tuple(dict.fromkeys(self.thresholds)) or PCK_THRESHOLDS

    @property
    def source(self) -> str:
        """Say what is scored, and how a network was made to predict."""
        if self.run_dir is None:
            return self.results or ""
        return f"{self.run_dir} ({'flip test, ' * self.flip_test}decoded by {self.decoder})"

    def inputs(self, files: FileStore) -> list[str]:
        """Return the files that are read, and folders whose files are."""
        given = [self.results, self.annotations, self.data, self.images]
        of_run = [] if self.run_dir is None else [files.join(self.run_dir, name) for name in READ_TO_PREDICT]
        return [*(path for path in given if path is not None), *of_run]


def make_room(options: EvaluateOptions, out: str | None, files: FileStore) -> None:
    """Make the folders to write to, and find out before the work what could not be written after it.

    Args:
        options: the options.
        out: the folder to write, given or not.
        files: where all these lie.

    Raises:
        ConfigError: something that is read would be overwritten, an output would be written over by another, or the
            report's library is missing.
        OutputError: a folder cannot be made.
    """
    json_file = options.json_file
    if json_file is not None:
        if files.is_folder(json_file) or json_file.endswith("/"):
            raise ConfigError(f"--json: expected a file to write, found the folder {json_file}.")
        if os.path.exists(json_file) and not os.path.isfile(json_file):
            raise ConfigError(f"--json: expected a file to write, found the device or pipe {json_file}.")
        files.make_folder(os.path.dirname(json_file) or ".")
    if out is not None:
        check_output_folder(out, files)
        _check_report()
        files.make_folder(out)
        sweep_folder(out, files)
        if (
            json_file is not None
            and os.path.basename(json_file) in (RESULTS, ERRORS, PAGE)
            and real_path(os.path.dirname(json_file) or ".") == real_path(out)
        ):
            raise ConfigError(f"--json: {json_file} is a file that --out writes too. Choose another name.")
    outputs = [] if out is None else [files.join(out, name) for name in (RESULTS, FIGURES)]
    outputs += [] if json_file is None else [json_file]
    there = [path for path in outputs if files.exists(path)]
    for read in _files_of(options.inputs(files) if there else [], files):
        if any(_same(path, read) for path in there):
            raise ConfigError(f"{read} would be overwritten. Choose another --out or --json.")


def _files_of(inputs: list[str], files: FileStore) -> Iterator[str]:
    for path in inputs:
        if files.is_folder(path):
            yield from (files.join(path, name) for name in files.list_names(path))
        else:
            yield path


def _same(path: str, other: str) -> bool:
    if real_path(path) == real_path(other):
        return True
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)  # by a hard link


def _check_report() -> None:
    try:
        import cocoprep.report.evaluation  # noqa: F401 - to see whether it can be
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "matplotlib":
            raise
        raise ConfigError(
            "the report needs matplotlib: pip install 'cocoprep[report]'. Without it, --results without --out gives "
            "all figures."
        ) from error
