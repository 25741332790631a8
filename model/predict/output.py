"""The folder of predictions on photographs: results, the list of pictures, and people drawn over them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocoprep.coco.results import CATEGORY_ID, Predictions
from cocoprep.draw import save_picture
from cocoprep.draw.predicted import Predicted, draw_predicted
from cocoprep.errors import ConfigError
from cocoprep.evaluation.box_rules import BoxRules
from cocoprep.evaluation.output import RESULTS
from cocoprep.model.predict.joints import Joints
from cocoprep.model.predict.judged import judge
from cocoprep.model.predict.listing import Listed
from cocoprep.model.predict.photographs import PredictedPhotograph, predict_photographs
from cocoprep.model.predict.predictor import Predictor
from cocoprep.pose.heatmaps import Decoder
from cocoprep.pose.keypoints import KeypointTable
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder

IMAGES = "images.json"
LONGEST_STEM = 120  # bytes of an overlay's name: file systems take 255, of which a temporary name needs some


class PredictionFolder:
    """Collects what was predicted and writes it into one folder; an overlay is written at once."""

    def __init__(
        self,
        folder: str,
        table: KeypointTable,
        thresholds: NDArray[np.float64],
        files: FileStore,
        *,
        overlays: bool = True,
        on_fault: Callable[[str], None] = lambda fault: None,
    ) -> None:
        """Begin with nobody.

        Args:
            folder: to write to; `protect` makes it.
            table: the K joints.
            thresholds: (K,), the least confidence of the joints that are drawn.
            files: where the folder lies.
            overlays: whether to draw people over their photographs.
            on_fault: told at once of each photograph, box or entry that cannot be used.
        """
        self.folder, self.table, self.thresholds, self.overlays = folder, table, thresholds, overlays
        self.category_id = CATEGORY_ID
        self.written = False
        self.twice = 0  # people who were found in several boxes, and are taken once
        self.faults: list[tuple[str, str]] = []
        self._files, self._on_fault = files, on_fault
        self._images: list[dict[str, Any]] = []
        self._people: list[tuple[int, Joints]] = []
        self._box_scores: list[NDArray[np.float64]] = []
        self._taken: set[str] = set()
        self._times: list[tuple[int, float]] = []

    @property
    def people(self) -> int:
        """Return how many people were predicted."""
        return sum(len(joints.scores) for _, joints in self._people)

    @property
    def photographs(self) -> int:
        """Return how many photographs are done."""
        return len(self._images)

    @property
    def drawn(self) -> int:
        """Return how many pictures were drawn."""
        return len(self._taken)

    @property
    def joints_a_person(self) -> float:
        """Return how many joints of a person are sure enough to be drawn, on average."""
        found = self._predictions()
        return float((found.confidence >= self.thresholds).sum() / len(found))

    @property
    def seconds_a_person(self) -> NDArray[np.float64]:
        """Return (people,) seconds that network and decoding took: of each an equal part of its batch's."""
        return np.repeat([seconds / people for people, seconds in self._times], [n for n, _ in self._times])

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
        check_output_folder(self.folder, self._files)
        ours = real_path(self.folder)
        homes = {os.path.dirname(real_path(path)) for path in inputs}
        homes |= {real_path(os.path.dirname(path) or ".") for path in inputs}  # where a link lies
        within = folder is not None and f"{ours}/".startswith(f"{real_path(folder).rstrip('/')}/")
        if ours in homes or within:
            raise ConfigError(
                f"--out: {self.folder} holds what is read, which could be written over. Choose another folder."
            )
        self._files.make_folder(self.folder)
        sweep_folder(self.folder, self._files)

    def fault(self, name: str, fault: str) -> None:
        """Remember what could not be used."""
        self.faults.append((name, fault))
        self._on_fault(fault)

    def time(self, people: int, seconds: float) -> None:
        """Remember how long a batch took."""
        self._times.append((people, seconds))

    def add(self, seen: PredictedPhotograph) -> None:
        """Take a photograph's people, and draw them."""
        listed, photograph = seen.listed, seen.photograph
        self._people.append((listed.image_id, seen.joints))
        if seen.box_scores is not None:
            self._box_scores.append(seen.box_scores)
        self._images.append(
            {
                "id": listed.image_id,
                "file_name": listed.name,
                "width": photograph.width,
                "height": photograph.height,
                **({} if listed.source_id is None else {"source_id": listed.source_id}),
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
        self.written = True

    def _predictions(self) -> Predictions:
        return Predictions(
            image_ids=np.repeat([n for n, _ in self._people], [len(joints.scores) for _, joints in self._people]),
            keypoints=np.concatenate([joints.keypoints for _, joints in self._people]),
            confidence=np.concatenate([joints.confidence for _, joints in self._people]),
            scores=np.concatenate([joints.scores for _, joints in self._people]),
            box_scores=np.concatenate(self._box_scores) if self._box_scores else None,
        )


def write_predictions(
    predictor: Predictor,
    listed: Sequence[Listed],
    output: PredictionFolder,
    *,
    decoder: Decoder = "taylor",
    batch_size: int = 8,
    rules: BoxRules | None = None,
    on_people: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Predict photographs and write what is found.

    Where that is stopped, what is done is written all the same; where nothing is done, what an earlier run has left
    stays.

    Args:
        predictor: of a run.
        listed: photographs and boxes.
        output: the folder, protected.
        decoder: how heatmaps become joints.
        batch_size: people at a time.
        rules: what becomes of who is found in a detector's boxes; None where they are nobody's guesses.
        on_people: told after every batch how many are done, of how many.
    """
    total = sum(one.people for one in listed)
    done = 0

    def on_batch(people: int, seconds: float) -> None:
        nonlocal done
        done += people
        output.time(people, seconds)
        on_people(done, total)

    on_people(0, total)
    try:
        for seen in predict_photographs(
            predictor, listed, output.fault, decoder=decoder, batch_size=batch_size, on_batch=on_batch,
            box_scale=None if rules is None else rules.box_scale,
        ):  # fmt: skip
            kept = seen if rules is None else judge(seen, rules, predictor.table)
            output.twice += len(seen.boxes) - len(kept.boxes)
            output.add(kept)
    except BaseException:
        if output.people:
            output.write()
        raise
    output.write()
