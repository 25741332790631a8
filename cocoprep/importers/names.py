"""Names of photographs as other tools write them, made such as lead nowhere but below one folder."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote

from cocoprep.crops.image_source import check_file_name
from cocoprep.errors import ImageError

LONGEST_NAME = 4096  # bytes, of the longest path Linux takes
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*(?P<path>[^?#]*)")
_DRIVE = re.compile(r"[A-Za-z]:")
_LOCAL_FILES = re.compile(
    r".*/local-files/?\?(?P<query>.*)", re.DOTALL
)  # Label Studio's way to name a file on its disk


def safe_name(name: str) -> str | None:
    """Return a name with slashes, relative, without what stands before the path in an address or on a disk.

    None where it has a `..`, or is no name: nothing is guessed of one that leads out of a folder.
    """
    found = _LOCAL_FILES.fullmatch(name)
    if found:
        name = next(iter(parse_qs(found["query"]).get("d", [])), "")
    elif address := _ADDRESS.match(name):
        name = unquote(address["path"])
    name = _DRIVE.sub("", name.replace("\\", "/"), count=1) if _DRIVE.match(name) else name.replace("\\", "/")
    name = "/".join(part for part in name.split("/") if part not in ("", "."))
    try:
        check_file_name(name)
        return name if len(name.encode()) <= LONGEST_NAME else None
    except (ImageError, UnicodeEncodeError):
        return None


def split_name(text: str) -> str:
    """Return what a split may be called, whose name is that of a file."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip("._-")[:100] or "data"
