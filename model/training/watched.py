"""A fixed set of people of the validation folder, pictured after every epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from cocoprep.draw import save_picture
from cocoprep.model.input.batches import people_to_evaluate
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.dataset import eval_dataset
from cocoprep.model.run.folder import RunFolder
from cocoprep.model.training.prediction_sheet import SheetRow, prediction_sheet
from cocoprep.shards.settings import table_of
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.store import FileStore

PEOPLE = 6


class Watched:
    """The first people of validation in stored order, which is a shuffled one.

    Attributes:
        people: all of validation.
    """

    def __init__(self, folder: str, config: ReadConfig, files: FileStore = AnyFiles()) -> None:
        """Read them."""
        self.people = people_to_evaluate(folder, config, files)
        self._batch: dict[str, Any] = next(iter(eval_dataset(self.people, config)))
        self._count = min(PEOPLE, int(np.asarray(self._batch["valid"]).sum()))

    def picture(self, step: Callable[[dict[str, Any]], tuple[Any, Any]], *, title: str) -> Image.Image:
        """Return what the network makes of them now."""
        heatmaps = np.asarray(step(self._batch)[1])
        batch = {name: np.asarray(value) for name, value in self._batch.items()}
        people = [
            SheetRow(
                name=f"annotation {batch['annotation_id'][n]}",
                image=batch["image"][n],
                keypoints=batch["keypoints"][n],
                visibility=batch["visibility"][n],
                truth=batch["heatmaps"][n],
                predicted=heatmaps[:, n],
            )
            for n in range(self._count)
        ]
        manifest = self.people.manifest
        table = table_of(manifest.keypoints)
        return prediction_sheet(people, title=title, table=table, stride=manifest.crop.heatmap_stride)

    def save(self, sheet: Image.Image, folder: RunFolder, epoch: int) -> None:
        """Write the picture of an epoch into the run's folder."""
        folder.files.make_folder(folder.at("pictures"))
        save_picture(sheet, folder.at(f"pictures/epoch-{epoch:04d}.png"), folder.files)
