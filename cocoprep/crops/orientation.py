"""How a picture lies: its EXIF orientation, and whether labels are taken to be of its stored or its upright pixels."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import msgspec
from PIL import Image

from cocoprep.coco.annotations import ImageInfo
from cocoprep.coco.suspicions import WARNING
from cocoprep.crops.exif_rule import Exif
from cocoprep.errors import ImageError
from cocoprep.pose.nouns import counted

ORIENTATION = 0x0112  # EXIF's tag
# What brings a picture upright, by EXIF's number of how it lies.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})


class ExifTally(msgspec.Struct, omit_defaults=True):
    """Of photographs with an EXIF orientation: how many were turned `upright`, how many are `doubtful`.

    Doubtful are those that were taken as stored though they have the stated size either way; the `example` is one's
    file name.
    """

    upright: int = 0
    doubtful: int = 0
    example: str | None = None

    def add(self, other: ExifTally) -> None:
        """Count in what another has counted."""
        self.upright += other.upright
        self.doubtful += other.doubtful
        self.example = self.example or other.example


def exif_notes(tally: ExifTally, rule: Exif) -> tuple[str, ...]:
    """Return what whoever has taken photographs by a rule should know of it, in sentences."""
    notes = []
    if tally.upright:
        why = "--exif upright" if rule == "upright" else "only so the size is the one that the annotation file states"
        notes.append(counted(tally.upright, f"photographs are turned upright by their EXIF orientation: {why}"))
    if tally.doubtful:
        sign = "Those that are turned are a sign" if tally.upright else "Labels that lie beside the people are a sign"
        notes.append(
            f"{WARNING}{counted(tally.doubtful, 'photographs have an EXIF orientation')}, such as "
            f"{tally.example!r:.200}, taken as stored, since the stated size fits either way. {sign} that labels are "
            "of what viewers show: then give --exif upright; --exif stored ends this warning"
        )
    return tuple(notes)


@dataclass(frozen=True)
class Lying:
    """How the pixels of one photograph are to be taken: the way to turn them, None for as they are stored."""

    turn: Image.Transpose | None
    is_doubtful: bool = False

    def tally(self, file_name: str) -> ExifTally:
        """Return the counts of this one photograph."""
        return ExifTally(int(self.turn is not None), int(self.is_doubtful), file_name if self.is_doubtful else None)


def orientation_of(image: Image.Image) -> int:
    """Return how an opened picture lies, EXIF's 1 to 8; 1 where that is not told, or damaged. No pixel is decoded."""
    with suppress(Exception):  # whatever damaged EXIF provokes
        # Not a PNG's own, which would decode the picture to look for it behind the pixels.
        found = Image.Image.getexif(image).get(ORIENTATION)
        return found if isinstance(found, int) and found in UPRIGHT else 1
    return 1


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the (width, height) that a picture of stored size `size` has upright."""
    return (size[1], size[0]) if orientation in _ON_ITS_SIDE else size


def how_it_lies(info: ImageInfo, size: tuple[int, int], orientation: int, rule: Exif) -> Lying:
    """Decide whether a photograph is taken as stored or upright.

    Args:
        info: its entry in the annotation file; any size will do where that states none.
        size: (width, height) of the stored pixels.
        orientation: as `orientation_of` returns it.
        rule: `stored` and `upright` always take it so; `auto` takes it upright where only so it has the stated size.

    Raises:
        ImageError: it has not the stated size.
    """
    stated, upright = (info.width, info.height), upright_size(size, orientation)
    fits_stored, fits_upright = (not info.has_size or stated == found for found in (size, upright))
    turn = UPRIGHT.get(orientation)
    if rule == "upright" and fits_upright:
        return Lying(turn)
    if rule != "upright" and fits_stored:
        return Lying(None, is_doubtful=rule == "auto" and turn is not None and fits_upright)
    if rule == "auto" and fits_upright:
        return Lying(turn)
    raise ImageError(f"{info.file_name!r}: {_misfit(info, size, orientation, rule)}")


def _misfit(info: ImageInfo, size: tuple[int, int], orientation: int, rule: Exif) -> str:
    stated, upright = (info.width, info.height), upright_size(size, orientation)
    found = f"{size[0]} x {size[1]} pixels"
    if upright != size:
        found += f" as stored, {upright[0]} x {upright[1]} upright by its EXIF orientation"
    taken = "as stored" if rule == "stored" else "upright"
    cure = f"; --exif {rule} takes it {taken}, --exif auto as it fits" if stated in (size, upright) else ""
    return f"{found}, but the annotation file says {stated[0]} x {stated[1]}{cure}"
