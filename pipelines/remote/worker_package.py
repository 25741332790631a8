"""Pack this package, as it is installed here, into a wheel for workers elsewhere.

Beam's own way, `--setup_file`, wants a source tree and build tools. A wheel is a zip of a known form, so that packing
one takes neither: it works from an editable install and from one of `pip install` alike, and without a network.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import zipfile
from importlib import metadata
from pathlib import Path

import cocoprep
from cocoprep.errors import ConfigError

LEFT_OUT = "model"  # workers do not train
_NEVER_INSTALLED = "Dockerfile"  # lies among the modules in a source tree, with what belongs to it
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal content, equal bytes: what was staged before is not staged again
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def write_wheel(folder: Path) -> Path:
    """Write a wheel of the data side of cocoprep into `folder` and return its path.

    It requires the very versions that are installed here, so that workers encode the same bytes; but for Beam, which
    is in the workers' image.

    Raises:
        ConfigError: cocoprep is not installed, as where it runs from a bare source tree.
    """
    try:
        version = metadata.version("cocoprep")
        requirements = metadata.requires("cocoprep") or []
    except metadata.PackageNotFoundError as error:
        raise ConfigError(
            "cocoprep is not installed, so it cannot be sent to workers: pip install it first."
        ) from error
    info = f"cocoprep-{version}.dist-info"
    content = dict(_sources())
    content[f"{info}/METADATA"] = _metadata(version, requirements).encode()
    content[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: cocoprep\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content[f"{info}/entry_points.txt"] = b"[console_scripts]\ncocoprep = cocoprep.cli:main\n"
    content[f"{info}/RECORD"] = _record(content, f"{info}/RECORD").encode()
    path = folder / f"cocoprep-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return path


def _sources() -> list[tuple[str, bytes]]:
    root = Path(str(cocoprep.__file__)).parent
    found = []
    for folder, folders, names in os.walk(root, followlinks=True):  # in a source tree some packages are links
        left_out = {"__pycache__", LEFT_OUT} if Path(folder) == root else {"__pycache__"}
        folders[:] = sorted(set(folders) - left_out)
        found += [Path(folder) / name for name in sorted(names) if not name.startswith(_NEVER_INSTALLED)]
    return [(f"cocoprep/{path.relative_to(root).as_posix()}", path.read_bytes()) for path in found]


def _metadata(version: str, requirements: list[str]) -> str:
    lines = ["Metadata-Version: 2.1", "Name: cocoprep", f"Version: {version}"]
    for requirement in requirements:
        name = _NAME.match(requirement)
        if name is None or ";" in requirement:  # an extra's: workers need none
            continue
        pinned = requirement if name[0] == "apache-beam" else f"{name[0]}=={metadata.version(name[0])}"
        lines.append(f"Requires-Dist: {pinned}")
    return "\n".join(lines) + "\n"


def _record(content: dict[str, bytes], own: str) -> str:
    def line(name: str, data: bytes) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        return f"{name},sha256={digest},{len(data)}\n"

    return "".join(line(name, data) for name, data in content.items()) + f"{own},,\n"
