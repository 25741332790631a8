"""The options of `cocoprep evaluate`, and what of them cannot work, found out before the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cocoprep.checks import require_number
from cocoprep.cli.box_options import option_of
from cocoprep.cli.paths import check_paths
from cocoprep.crops.exif_rule import Exif
from cocoprep.errors import ConfigError
from cocoprep.evaluation.box_rules import BoxRules
from cocoprep.evaluation.pck import PCK_THRESHOLDS
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.pose.heatmaps import Decoder

TRUTH = "truth"  # boxes of the ground truth, in place of a file's


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
    boxes: tuple[str, ...]
    box_rules: Mapping[str, Any]
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
        for path in self.detector_files:
            check_paths({"--boxes": path})
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
        if self.run_dir is not None and self.annotations is not None and self.images is None:
            raise ConfigError(
                "--run needs --data, a built folder whose people it predicts, or --annotations with --images, the "
                "photographs of their people."
            )
        self._check_truth()
        self._check_run()
        for threshold in self.thresholds:
            require_number("--pck", threshold, 0)

    def _check_truth(self) -> None:
        """Refuse options of a ground truth, or of photographs, of which the one that they are about is missing."""
        of_boxes = "with --data the pictures are the folder's, unless --boxes names a detector's file"
        pictured = self.annotations or (self.detector_files or None)
        shown = self.out or self.run_dir
        meanings = "given" if self.visibility else None
        for option, value, wanted, other, why in (
            ("--images", self.images, "--annotations", pictured, of_boxes),
            ("--category", self.category, "--annotations", self.annotations, "a built folder has that of its build"),
            ("--keypoints", self.keypoints, "--annotations", self.annotations, "a built folder has those of its build"),
            ("--visibility", meanings, "--annotations", self.annotations, "a built folder has COCO's"),
            ("--follow-links", self.follow_links or None, "--images", self.images, "it is about the links there"),
            ("--exif", self.exif, "--images", self.images, "nothing else shows photographs"),
            ("--images", self.images, "--out", shown, "it is for the pictures of the report there"),
        ):
            if value is not None and other is None:
                raise ConfigError(f"{option} goes with {wanted}: {why}.")

    def _check_run(self) -> None:
        """Refuse options of a network, of boxes, or of joints without what they are about."""
        of_run = {"--boxes": self.boxes or None, "--decode": self.decode, "--batch-size": self.batch_size}
        of_run |= {"--flip-test": self.flip_test or None, **{option_of(name): 1 for name in self.box_rules}}
        found = [option for option, value in of_run.items() if value is not None]
        if found and self.run_dir is None:
            raise ConfigError(f"{found[0]} goes with --run; the predictions of --results are made already.")
        if self.box_rules and not self.detector_files:
            option = option_of(next(iter(self.box_rules)))
            raise ConfigError(
                f"{option} goes with a detector's boxes, --boxes FILE: those of the ground truth are sure."
            )
        _ = self.rules
        if self.results_keypoints is not None and self.results is None:
            raise ConfigError("--results-keypoints goes with --results; a run says itself which joints it predicts.")
        if self.joint_map and self.run_dir is None and self.results_keypoints is None:
            raise ConfigError(
                "--map goes with --run or --results-keypoints; otherwise the joints of --results are the data's."
            )

    @property
    def box_sets(self) -> tuple[str, ...]:
        """Return whose boxes a network looks at, `TRUTH` or files, each once."""
        return tuple(dict.fromkeys(self.boxes)) or (TRUTH,)

    @property
    def detector_files(self) -> tuple[str, ...]:
        """Return the files of a detector's boxes."""
        return tuple(path for path in self.boxes if path != TRUTH)

    @property
    def rules(self) -> BoxRules:
        """Return what becomes of a detector's boxes."""
        return BoxRules(**self.box_rules)

    @property
    def decoder(self) -> Decoder:
        """Return how a network's heatmaps become joints."""
        return self.decode or "taylor"

    @property
    def pck_thresholds(self) -> tuple[float, ...]:
        """Return the thresholds of PCK, each once."""
        return tuple(dict.fromkeys(self.thresholds)) or PCK_THRESHOLDS

    def source(self, boxes: str) -> str:
        """Say what is scored, and how a network was made to predict, in boxes of `TRUTH` or of a file."""
        if self.run_dir is None:
            return self.results or ""
        flip = "with" if self.flip_test else "without"
        whose = "in the truth's boxes" if boxes == TRUTH else f"in the boxes of {boxes}, {self.rules.sentence}"
        return f"{self.run_dir} ({flip} flip test, decoded by {self.decoder}, {whose})"

    def inputs(self, files: FileStore) -> list[str]:
        """Return the files that are read, and folders whose files are."""
        given = [self.results, self.annotations, self.data, self.images, *self.detector_files]
        return [*(path for path in given if path is not None), *self._of_run(files)]

    def _of_run(self, files: FileStore) -> list[str]:
        if self.run_dir is None:
            return []
        from cocoprep.model.run.folder import READ_TO_PREDICT

        return [files.join(self.run_dir, name) for name in READ_TO_PREDICT]
