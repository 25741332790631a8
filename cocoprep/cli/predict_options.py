"""The options of `cocoprep predict`, and what of them cannot work, found out before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cocoprep.checks import require_number
from cocoprep.cli.box_options import option_of
from cocoprep.cli.paths import check_paths
from cocoprep.crops.exif_rule import Exif
from cocoprep.errors import ConfigError
from cocoprep.evaluation.box_rules import BoxRules
from cocoprep.pose.heatmaps import Decoder

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """The options, checked on construction; None where one was not given."""

    paths: tuple[str, ...]
    run_dir: str
    bboxes: tuple[Box, ...]
    annotations: str | None
    boxes: str | None
    box_rules: Mapping[str, Any]
    category: str | None
    visibility: Mapping[float, int]
    images: str | None
    follow_links: bool
    exif: Exif | None
    min_keypoints: int
    flip_test: bool
    decoder: Decoder
    batch_size: int
    threshold: float | None
    out: str | None
    overlays: bool

    def __post_init__(self) -> None:
        self._check_sources()
        require_number("--min-keypoints", self.min_keypoints, 0, whole=True)
        require_number("--batch-size", self.batch_size, 1, whole=True)
        if self.threshold is not None:
            require_number("--threshold", self.threshold)
        if self.follow_links and self.images is None:
            raise ConfigError("--follow-links goes with --images, whose links it is about.")
        self.check_rules(of_boxes=self.boxes is not None or self.annotations is not None)
        named = {"--annotations": self.annotations, "--boxes": self.boxes, "--images": self.images, "--out": self.out}
        check_paths({"--run": self.run_dir, **named})
        check_paths({path: path for path in self.paths})

    def _check_sources(self) -> None:
        listed = self.annotations is not None or self.boxes is not None
        if listed != (self.images is not None):
            raise ConfigError(
                "--annotations and --images go together, and so do --boxes and --images: a COCO file or a detector's, "
                "and where its photographs are."
            )
        if listed and (self.paths or self.bboxes):
            option = "--annotations" if self.boxes is None else "--boxes"
            raise ConfigError(f"{option}: names photographs and boxes; leave pictures and --bbox out.")
        if not listed and not self.paths:
            raise ConfigError("expected pictures or folders of pictures, or --annotations with --images; found none.")
        for option, value in self._of_file():
            if value is not None and self.annotations is None and (option != "--exif" or not listed):
                raise ConfigError(f"{option} goes with --annotations, whose photographs and boxes it tells of.")

    def _of_file(self) -> tuple[tuple[str, str | None], ...]:
        """Return what a user has said of a file of labels."""
        given = "given" if self.visibility else None
        return ("--category", self.category), ("--exif", self.exif), ("--visibility", given)

    @property
    def rules(self) -> BoxRules:
        """Return what becomes of a detector's boxes."""
        return BoxRules(**self.box_rules)

    def check_rules(self, *, of_boxes: bool) -> None:
        """Refuse rules of a detector's boxes where there are none, or rules that cannot be.

        Raises:
            ConfigError: naming the option.
        """
        if self.box_rules and not of_boxes:
            option = option_of(next(iter(self.box_rules)))
            raise ConfigError(f"{option} goes with a detector's boxes: --boxes, or a list of them in --annotations.")
        _ = self.rules

    def check_for_boxes(self, path: str, *, has_labels: bool) -> None:
        """Refuse what cannot be asked of a detector's list at `path`, which has boxes and nothing else.

        Args:
            path: of the list.
            has_labels: there is a file of labels, too, whose category it is about.

        Raises:
            ConfigError: naming the option.
        """
        given = {
            "--category": self.category is not None and not has_labels,
            "--visibility": bool(self.visibility),
            "--min-keypoints": self.min_keypoints > 0,
        }
        for option in (option for option, is_given in given.items() if is_given):
            raise ConfigError(
                f"{option}: {path} is a detector's list of boxes, which has no names of categories and no joints. "
                f"Leave {option} away."
            )
