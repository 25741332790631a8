"""The folder of pictures beside a data set's page."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from PIL import Image

from cocoprep.inspection.charts import CHARTS
from cocoprep.inspection.statistics import Statistics
from cocoprep.report.content import Picture
from cocoprep.report.entry import Entry
from cocoprep.report.entry_pictures import EntryPictures, encode_picture
from cocoprep.report.gallery import Files
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.store import FileStore

IN_FOLDER = 1000  # entries whose pictures lie in one folder: some drives choke on more
_OURS = re.compile(r"(?:row|a|suspect)-?\d+(?:-maps)?\.jpg")


class PicturesFolder:
    """Writes the pictures of a page `train.html` into `train-pictures/` beside it, and knows their addresses from it.

    Every method that writes raises OutputError where a file cannot be written.
    """

    def __init__(self, page: str, files: FileStore) -> None:
        self._path = f"{os.path.splitext(page)[0]}-pictures"
        self._base = quote(os.path.basename(self._path))  # a name may hold what addresses are cut at
        self._files = files
        self._written: set[str] = set()
        self._made: set[str] = set()

    def write_entries(self, entries: Sequence[Entry], drawn: Iterable[tuple[int, EntryPictures]]) -> dict[str, Files]:
        """Write pictures of entries as they are drawn, each with its place; return their addresses by entries' keys."""
        found: dict[str, Files] = {}
        for n, pictures in drawn:
            key = entries[n].key
            crop = self._write_numbered(n, f"{key}.jpg", pictures.crop)
            maps = "" if pictures.maps is None else self._write_numbered(n, f"{key}-maps.jpg", pictures.maps)
            found[key] = Files(crop, maps)
        return found

    def write_suspects(self, pictures: Iterable[tuple[int, Image.Image]]) -> dict[int, Picture]:
        """Write pictures of suspects, each with its rank from 0, as they are drawn; return their addresses by rank."""
        return {
            n: Picture(self._write_numbered(n, f"suspect{n + 1}.jpg", encode_picture(picture)), picture.size)
            for n, picture in pictures
        }

    def write_charts(self, statistics: Statistics) -> dict[str, Picture]:
        """Draw the charts of a data set, and write them; return their addresses by the names of their files."""
        self._files.make_folder(self._path)
        found = {}
        for name, draw in CHARTS.items():
            picture = draw([statistics])
            stream = io.BytesIO()
            picture.save(stream, "PNG")
            self._write(self._files.join(self._path, name), stream.getvalue())
            found[name] = Picture(f"{self._base}/{name}", picture.size)
        return found

    def remove_old(self) -> None:
        """Remove pictures of an earlier page of this name, so that those in the folder are of one.

        Of one whose writing was killed, what is under a temporary name too.
        """
        sweep_folder(self._path, self._files, ours=lambda name: name in CHARTS)
        within = 0
        while self._files.is_folder(place := self._files.join(self._path, str(within))):
            sweep_folder(place, self._files, ours=lambda name: _OURS.fullmatch(name) is not None)
            for name in self._files.list_names(place):
                if _OURS.fullmatch(name) and f"{self._base}/{within}/{name}" not in self._written:
                    self._files.delete(self._files.join(place, name))
            within += 1

    def _write_numbered(self, n: int, name: str, data: bytes) -> str:
        """Write one of many pictures; return its address."""
        within = str(n // IN_FOLDER)
        place = self._files.join(self._path, within)
        if within not in self._made:
            self._files.make_folder(place)
            self._made.add(within)
        self._write(self._files.join(place, name), data, sync=False)
        address = f"{self._base}/{within}/{name}"
        self._written.add(address)
        return address

    def _write(self, path: str, data: bytes, *, sync: bool = True) -> None:
        with self._files.create(path, sync=sync) as stream:
            stream.write(data)
