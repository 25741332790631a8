"""What `cocoprep predict` writes and says: results, the list of pictures, overlays, a summary."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from cocoprep.cli.paths import check_folder
from cocoprep.coco.results import Predictions
from cocoprep.draw import save_picture
from cocoprep.draw.predicted import Predicted, draw_predicted
from cocoprep.errors import ConfigError
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.shards.ground_truth import CATEGORY_ID
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore

if TYPE_CHECKING:
    from cocoprep.model.predict.photographs import PredictedPhotograph

RESULTS, IMAGES = "results.json", "images.json"
LONGEST_STEM = 120  # bytes of an overlay's name: file systems take 255, of which a temporary name needs some


class PredictOutput:
    """Collects what was predicted and writes it into one folder; an overlay is written at once."""

    def __init__(
        self,
        folder: str,
        table: KeypointTable,
        thresholds: NDArray[np.float64],
        files: FileStore,
        *,
        overlays: bool,
    ) -> None:
        """Take the folder, the K joints, the least confidence (K,) of those that are drawn, and what writes files."""
        self.folder, self.table, self.thresholds, self.overlays = folder, table, thresholds, overlays
        self.category_id = CATEGORY_ID
        self.faults: list[tuple[str, str]] = []
        self._files = files
        self._images: list[dict[str, Any]] = []
        self._people: list[tuple[int, Any]] = []
        self._taken: set[str] = set()
        self._times: list[tuple[int, float]] = []

    @property
    def images_path(self) -> str:
        """Return the path of the list of pictures."""
        return self._files.join(self.folder, IMAGES)

    def protect(self, *inputs: str, folder: str | None = None) -> None:
        """Refuse a folder in which one of the inputs could be written over, then make it.

        Args:
            inputs: files that are read.
            folder: of photographs, whose files may lie in folders within.

        Raises:
            ConfigError: the folder to write to holds, or is within, what is read.
        """
        check_folder(self.folder, self._files)
        ours = real_path(self.folder)
        homes = {os.path.dirname(real_path(path)) for path in inputs}
        homes |= {real_path(os.path.dirname(path) or ".") for path in inputs}  # where a link lies
        within = folder is not None and f"{ours}/".startswith(f"{real_path(folder).rstrip('/')}/")
        if ours in homes or within:
            raise ConfigError(
                f"--out: {self.folder} holds what is read, which could be written over. Choose another folder."
            )
        self._files.make_folder(self.folder)

    def fault(self, name: str, fault: str) -> None:
        """Say what could not be used, and remember it."""
        self.faults.append((name, fault))
        click.echo(f"left out: {fault}", err=True)

    def time(self, people: int, seconds: float) -> None:
        """Remember how long a batch took."""
        self._times.append((people, seconds))

    def add(self, seen: PredictedPhotograph) -> None:
        """Take a photograph's people, and draw them."""
        listed, photograph = seen.listed, seen.photograph
        self._people.append((listed.image_id, seen.joints))
        self._images.append(
            {
                "id": listed.image_id,
                "file_name": listed.name,
                "width": photograph.width,
                "height": photograph.height,
            }
        )
        if self.overlays:
            people = [
                Predicted(box, keypoints, confidence >= self.thresholds)
                for box, keypoints, confidence in zip(
                    seen.boxes, seen.joints.keypoints, seen.joints.confidence, strict=True
                )
            ]
            drawn = draw_predicted(photograph, people, table=self.table)
            save_picture(drawn, self._overlay_path(listed.name), self._files)

    def _overlay_path(self, name: str) -> str:
        """Return a path that no other picture of this run has."""
        stem = os.fsdecode(os.fsencode(os.path.splitext(os.path.basename(name))[0])[:LONGEST_STEM]) or "picture"
        candidates = (f"{stem}.jpg" if n == 1 else f"{stem}-{n}.jpg" for n in range(1, len(self._taken) + 2))
        free = next(candidate for candidate in candidates if candidate not in self._taken)
        self._taken.add(free)
        return self._files.join(self.folder, free)

    def write(self) -> None:
        """Write results and the list of pictures."""
        lines = self._predictions().lines(self.category_id) if self._people else []
        failed = [{"file_name": name, "fault": fault} for name, fault in self.faults]
        for name, value in ((RESULTS, lines), (IMAGES, {"images": self._images, "failed": failed})):
            with self._files.create(self._files.join(self.folder, name)) as stream:
                stream.write(json.dumps(value).encode() + b"\n")

    def write_part(self) -> None:
        """Write what is done of a run that is stopped; where that is nothing, what an earlier run has left stays."""
        if self._people:
            self.write()
            click.echo(f"stopped: {self.folder} has {_count(len(self._images), 'photograph')} that were done", err=True)

    def _predictions(self) -> Predictions:
        return Predictions(
            image_ids=np.repeat([n for n, _ in self._people], [len(joints.scores) for _, joints in self._people]),
            keypoints=np.concatenate([joints.keypoints for _, joints in self._people]),
            confidence=np.concatenate([joints.confidence for _, joints in self._people]),
            scores=np.concatenate([joints.scores for _, joints in self._people]),
        )

    def summary(self, *, thresholds: str, network: str, batch_size: int) -> str:
        """Return what is to be said at the end."""
        if not self._people:
            return f"{self.folder}: nobody predicted"
        found = self._predictions()
        shown = (found.confidence >= self.thresholds).sum() / len(found)
        per_person = np.repeat([seconds / people for people, seconds in self._times], [n for n, _ in self._times])
        median, slow = (1000 * np.percentile(per_person, share) for share in (50, 95))
        drawn = f", and {_count(len(self._taken), 'picture')}" if self.overlays else ""
        lines = [
            f"{self.folder}: {_count(len(found), 'person', 'people')} on {_count(len(self._images), 'photograph')}",
            f"  {RESULTS}, {IMAGES}{drawn}",
            f"  joints a person: {shown:.1f} of {len(self.table)} at {thresholds}",
            f"  time a person: median {median:.1f} ms, 95th percentile {slow:.1f} ms",
            f"    ({network} and decoding, batches of {batch_size})",
        ]
        return "\n".join(lines)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
