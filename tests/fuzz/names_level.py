"""File names as tools and attackers write them, and photographs that lie elsewhere, twice, or behind links."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random
from unicodedata import normalize

from tests.fuzz.zip_level import NAMES

_FOLDERS = (
    "images/",
    "a/",
    "a/b/",
    "./",
    "/",
    "../",
    "../../x/",
    "\\",
    "C:\\data\\",
    "a//b/./",
    "ä/",
    "\x1b[31m/",
    "a/" * 90,
)
_ADDRESSES = (
    "https://host/{}", "https://host/x/{}?w=1&h=%zz#a", "s3://bucket/{}", "file:///home/u/{}", "file://C:/{}", "x://{}",
    "/data/upload/1/{}", "/data/local-files/?d={}", "/data/local-files/?d=a%2F{}&d=b", "?d={}", "{}?", "#{}", "gs://{}",
)  # fmt: skip
_ODD = (*NAMES, "", "/", "\\", "?", "%", "%00", "%2e%2e%2f", "://", "https://", "a" * 5000, "\ud800.jpg", "..", "x/..")


def rename_in(document: bytes, rng: Random) -> bytes:
    """Return annotations whose file names are written in other ways."""
    coco = json.loads(document)
    images = coco["images"]
    chosen = images if rng.random() < 0.5 else rng.sample(images, rng.randint(1, len(images)))
    change = rng.choice(_CHANGES)
    for image in chosen:
        image["file_name"] = change(image["file_name"], rng)
    if rng.random() < 0.3:
        rng.choice(images)["file_name"] = rng.choice((*_ODD, rng.choice(images)["file_name"]))
    return json.dumps(coco).encode()


def move_photographs(folder: Path, rng: Random) -> None:
    """Move, double and link the photographs of a folder."""
    for path in sorted(folder.iterdir()):
        if rng.random() < 0.6:
            rng.choice(_MOVES)(path, rng)


def _in_address(name: str, rng: Random) -> str:
    return rng.choice(_ADDRESSES).format(name)


def _in_folder(name: str, rng: Random) -> str:
    return rng.choice(_FOLDERS) + name


def _cased(name: str, rng: Random) -> str:
    return rng.choice(
        (name.upper(), name.replace(".jpg", ".JPG"), normalize("NFD", "é") + name, "ﬁ" + name, "İ" + name)
    )


def _escaped(name: str, rng: Random) -> str:
    return "".join(rng.choice((letter, f"%{ord(letter):02x}")) for letter in name)


def _several(name: str, rng: Random) -> str:
    for change in rng.sample(_CHANGES[:-1], 2):
        name = change(name, rng)
    return name


_CHANGES = (_in_address, _in_folder, _cased, _escaped, _several)


def _move(path: Path, rng: Random) -> None:
    inner = path.parent / rng.choice(("images", "a", "a/b", ".hidden", "ä"))
    inner.mkdir(parents=True, exist_ok=True)
    path.rename(inner / rng.choice((path.name, path.name.upper())))


def _copy(path: Path, rng: Random) -> None:
    inner = path.parent / rng.choice(("x", "y/z"))
    inner.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, inner / path.name)


def _link(path: Path, rng: Random) -> None:
    target = rng.choice((str(path), "/dev/zero", "/etc/hostname", "..", ".", "nothing", path.name))
    (path.parent / f"link-{path.name}").symlink_to(target)
    if rng.random() < 0.5:
        path.unlink()
        path.symlink_to(target)


def _lose(path: Path, rng: Random) -> None:
    del rng
    path.unlink()


_MOVES = (_move, _copy, _link, _lose)
