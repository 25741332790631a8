"""The options of `cocoprep predict`, and what of them cannot work, found out before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cocoprep.checks import require_number
from cocoprep.cli.paths import check_paths
from cocoprep.crops.exif_rule import Exif
from cocoprep.errors import ConfigError
from cocoprep.pose.heatmaps import Decoder

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """The options, checked on construction; None where one was not given."""

    paths: tuple[str, ...]
    run_dir: str
    bboxes: tuple[Box, ...]
    annotations: str | None
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
        named = {"--annotations": self.annotations, "--images": self.images, "--out": self.out}
        check_paths({"--run": self.run_dir, **named})
        check_paths({path: path for path in self.paths})

    def _check_sources(self) -> None:
        if (self.annotations is None) != (self.images is None):
            raise ConfigError("--annotations and --images go together: a COCO file, and where its photographs are.")
        if self.annotations is not None and (self.paths or self.bboxes):
            raise ConfigError("--annotations: names photographs and boxes; leave pictures and --bbox out.")
        if self.annotations is None and not self.paths:
            raise ConfigError("expected pictures or folders of pictures, or --annotations with --images; found none.")
        if self.annotations is None:
            for option, value in self._of_file():
                if value is not None:
                    raise ConfigError(f"{option} goes with --annotations, whose photographs and boxes it tells of.")

    def _of_file(self) -> tuple[tuple[str, str | None], ...]:
        """Return what a user has said of a file of labels."""
        given = "given" if self.visibility else None
        return ("--category", self.category), ("--exif", self.exif), ("--visibility", given)

    def check_for_detections(self) -> None:
        """Refuse what cannot be asked of a detector's list, which has boxes and nothing else.

        Raises:
            ConfigError: naming the option.
        """
        given = {
            "--category": self.category is not None,
            "--visibility": bool(self.visibility),
            "--min-keypoints": self.min_keypoints > 0,
        }
        for option in (option for option, is_given in given.items() if is_given):
            raise ConfigError(
                f"{option}: {self.annotations} is a detector's list of boxes, which has no names of categories and no "
                f"joints. Leave {option} away."
            )
