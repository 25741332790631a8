"""The rules by which photographs are taken as stored or upright; `cocoprep.crops.orientation` applies them."""

from __future__ import annotations

from typing import Literal, get_args

Exif = Literal["auto", "stored", "upright"]
EXIF_RULES: tuple[Exif, ...] = get_args(Exif)
