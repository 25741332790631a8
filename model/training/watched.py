"""A fixed set of people of the validation folder, pictured after every epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocoprep.draw import save_picture
from cocoprep.model.input.batch import Batch, stored_batch
from cocoprep.model.input.config import ReadConfig
from cocoprep.model.input.mixture import Mixture
from cocoprep.model.run.folder import RunFolder
from cocoprep.model.training.prediction_sheet import SheetRow, prediction_sheet
from cocoprep.shards.settings import table_of

PEOPLE = 6


class Watched:
    """The first people of validation in stored order, which is a shuffled one; of several sources, of each in turn.

    Attributes:
        people: all of validation.
    """

    def __init__(self, people: Mixture, config: ReadConfig) -> None:
        """Read them."""
        self.people = people
        first = first_of_each(people.source_places)[: config.batch_size]
        self._batch: Batch = stored_batch(people.read(first), config.batch_size, people.manifest)
        self._count = min(PEOPLE, len(first))

    def picture(self, step: Callable[[dict[str, Any]], tuple[Any, Any]], *, title: str) -> Image.Image:
        """Return what the network makes of them now."""
        batch = self._batch
        heatmaps = np.asarray(step(batch)[1])
        people = [
            SheetRow(
                name=self._name(n),
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

    def _name(self, n: int) -> str:
        name, sources = f"annotation {self._batch['annotation_id'][n]}", self.people.sources
        return name if len(sources) == 1 else f"{name} of {sources[self._batch['source'][n]]}"

    def save(self, sheet: Image.Image, folder: RunFolder, epoch: int) -> None:
        """Write the picture of an epoch into the run's folder."""
        folder.files.make_folder(folder.at("pictures"))
        save_picture(sheet, folder.at(f"pictures/epoch-{epoch:04d}.png"), folder.files)


def first_of_each(sources: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of people, whose sources are (N,): the first of every source, then the second, and so on."""
    rank = np.zeros(len(sources), np.int64)
    for source in np.unique(sources):
        mine = sources == source
        rank[mine] = np.arange(mine.sum())
    return np.lexsort((sources, rank))
