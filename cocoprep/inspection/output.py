"""The folder of what was found: the list of pairs, their sheet, and the fingerprints for the next run."""

from __future__ import annotations

from collections.abc import Sequence

from cocoprep.coco.sources import Source
from cocoprep.draw.saving import save_picture
from cocoprep.errors import ConfigError
from cocoprep.inspection.fingerprint_folder import FingerprintFolder
from cocoprep.inspection.leak_sheet import draw_leaks
from cocoprep.inspection.listed import Listed
from cocoprep.inspection.opened import Opener
from cocoprep.shards.leak_list import Leak, LeakSource, encode_leaks
from cocoprep.storage.leftovers import sweep_folder
from cocoprep.storage.paths import real_path
from cocoprep.storage.store import FileStore
from cocoprep.storage.user_file import check_output_folder

LEAKS = "leaks.parquet"
SHEET = "leaks.jpg"
FINGERPRINTS = "fingerprints"


def prepare_folder(path: str, sources: Sequence[Source], files: FileStore) -> FingerprintFolder:
    """Make the folder ready, and return that of the fingerprints in it.

    Raises:
        ConfigError: it is one of the folders that are read, or lies in one.
        OutputError: it cannot be made.
    """
    check_output_folder(path, files)
    ours = f"{real_path(path).rstrip('/')}/"
    for source in sources:
        read = f"{real_path(source.images).rstrip('/')}/"
        if ours.startswith(read) or real_path(source.annotations).rpartition("/")[0] == ours.rstrip("/"):
            raise ConfigError(f"--out: {path} holds what is read of {source.name}. Choose another folder.")
    files.make_folder(path)
    sweep_folder(path, files)
    return FingerprintFolder(files.join(path, FINGERPRINTS), files)


def write_leaks(path: str, leaks: Sequence[Leak], listed: Sequence[Listed], opener: Opener) -> tuple[str, str | None]:
    """Write the list of pairs and, where there are any, the sheet; return the paths of both.

    Raises:
        OutputError: one cannot be written.
    """
    files = opener.files
    table, sheet = files.join(path, LEAKS), files.join(path, SHEET)
    sources = [
        LeakSource(s.name, real_path(s.annotations), real_path(s.images)) for s in (one.source for one in listed)
    ]
    with files.create(table) as stream:
        stream.write(encode_leaks(leaks, sources))
    if not leaks:
        files.delete(sheet)  # of an earlier run
        return table, None
    save_picture(draw_leaks(leaks, listed, opener), sheet, files)
    return table, sheet
