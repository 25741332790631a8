"""The folder of charts and examples."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from PIL import Image

from cocoprep.draw.saving import save_picture
from cocoprep.inspection.charts import CHARTS
from cocoprep.inspection.examples import CROP_STEPS, WITHOUT_LABELS
from cocoprep.inspection.statistics import Statistics
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder

_NUMBERED = re.compile(rf"\d-.*-({re.escape(CROP_STEPS)}|{re.escape(WITHOUT_LABELS)})")


def prepare_stats_folder(folder: str, files: FileStore) -> None:
    """Make the folder ready.

    Raises:
        OutputError: it is a file, or cannot be made.
    """
    check_output_folder(folder, files)
    files.make_folder(folder)
    sweep_folder(folder, files, ours=lambda name: name in CHARTS or is_example(name))


def is_example(name: str) -> bool:
    """Tell whether a file's name is one that `write_examples` gives."""
    return name in (CROP_STEPS, WITHOUT_LABELS) or _NUMBERED.fullmatch(name) is not None


def remove_old_examples(folder: str, written: Sequence[str], files: FileStore) -> None:
    """Remove examples of an earlier run, so that pictures in the folder are of one; `written` are paths of this one."""
    for name in files.list_names(folder):
        path = files.join(folder, name)
        if is_example(name) and path not in written:
            files.delete(path)


def write_charts(folder: str, data_sets: Sequence[Statistics], files: FileStore) -> list[str]:
    """Draw all charts into a folder; return their paths. Raises OutputError where one cannot be written."""
    return [_save(folder, name, draw(data_sets), files) for name, draw in CHARTS.items()]


def write_examples(
    folder: str, pictures: Mapping[str, Image.Image], files: FileStore, *, number: int | None, name: str
) -> list[str]:
    """Write pictures of one of several data sets, or of the only one, which has no number; return their paths."""
    before = "" if number is None else f"{number}-{re.sub('[^A-Za-z0-9._]+', '-', name)[:60]}-"
    return [_save(folder, before + file, picture, files) for file, picture in pictures.items()]


def _save(folder: str, name: str, picture: Image.Image, files: FileStore) -> str:
    path = files.join(folder, name)
    save_picture(picture, path, files)
    return path
