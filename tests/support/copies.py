"""Copies of a photograph, as they come into a second data set."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance


def as_jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    """Return a picture's file."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def resized(picture: Image.Image, factor: float) -> Image.Image:
    """Return a picture of other size."""
    return picture.resize([max(1, round(side * factor)) for side in picture.size], Image.Resampling.BICUBIC)


def cropped(picture: Image.Image, share: float) -> Image.Image:
    """Return a picture without so much of each side, taken from both ends alike."""
    width, height = picture.size
    x, y = round(width * share / 2), round(height * share / 2)
    return picture.crop((x, y, width - x, height - y))


def warmed(picture: Image.Image) -> Image.Image:
    """Return a picture in another white balance."""
    return Image.fromarray(np.clip(np.asarray(picture) * [1.1, 1.0, 0.85], 0, 255).astype(np.uint8))


def captioned(picture: Image.Image) -> Image.Image:
    """Return a picture with a white box over half of its lower edge."""
    width, height = picture.size
    copy = picture.copy()
    copy.paste((255, 255, 255), (width // 2, height - height // 12, width - 5, height - 5))
    return copy


def mirrored(picture: Image.Image) -> Image.Image:
    """Return a picture as seen in a mirror."""
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


# What is to be found, then what is not promised.
FOUND: dict[str, Callable[[Image.Image], bytes]] = {
    "recompressed, quality 75": lambda picture: as_jpeg(picture, 75),
    "recompressed, quality 50": lambda picture: as_jpeg(picture, 50),
    "half the size": lambda picture: as_jpeg(resized(picture, 0.5)),
    "one and a half times the size": lambda picture: as_jpeg(resized(picture, 1.5)),
    "mirrored": lambda picture: as_jpeg(mirrored(picture)),
    "mirrored, half the size, quality 50": lambda picture: as_jpeg(resized(mirrored(picture), 0.5), 50),
    "another white balance": lambda picture: as_jpeg(warmed(picture)),
    "grey": lambda picture: as_jpeg(picture.convert("L").convert("RGB")),
    "brighter by a fifth": lambda picture: as_jpeg(ImageEnhance.Brightness(picture).enhance(1.2)),
    "more contrast, by a third": lambda picture: as_jpeg(ImageEnhance.Contrast(picture).enhance(1.33)),
}
NOT_PROMISED: dict[str, Callable[[Image.Image], bytes]] = {
    "a quarter of the size": lambda picture: as_jpeg(resized(picture, 0.25)),
    "brighter by half": lambda picture: as_jpeg(ImageEnhance.Brightness(picture).enhance(1.5)),
    "cropped by 2 %": lambda picture: as_jpeg(cropped(picture, 0.02)),
    "cropped by 5 %": lambda picture: as_jpeg(cropped(picture, 0.05)),
    "cropped by 10 %": lambda picture: as_jpeg(cropped(picture, 0.1)),
    "turned by 2 degrees": lambda picture: as_jpeg(picture.rotate(2, Image.Resampling.BICUBIC)),
    "turned by 90 degrees": lambda picture: as_jpeg(picture.transpose(Image.Transpose.ROTATE_90)),
    "with a caption over it": lambda picture: as_jpeg(captioned(picture)),
}


def write_photographs(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write a data set of photographs, a person on the first; return what `--source NAME=` takes. Ids are 1, 2, ..."""
    photographs = folder / "photographs"
    for name, data in files.items():
        path = photographs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    images = [{"id": number, "file_name": name} for number, name in enumerate(files, start=1)]
    person = {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [5, 5, 2] * 17, "bbox": [0, 0, 20, 20]}
    document = {"images": images, "annotations": [person], "categories": [{"id": 1, "name": "person"}]}
    annotations = folder / "labels.json"
    annotations.write_text(json.dumps(document))
    return f"{annotations},{photographs}"
