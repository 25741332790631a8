"""The place of an export, on this machine or in a bucket: what is there is not replaced by chance, nor by a part."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cocoprep.errors import ConfigError, OutputError
from cocoprep.model.export.forms import Format
from cocoprep.storage.held_folder import held_folder
from cocoprep.storage.store import FileStore

ENDINGS: dict[Format, str] = {"savedmodel": "", "keras": ".keras", "onnx": ".onnx"}
GRAPH = "saved_model.pb"  # without it a folder is no SavedModel


@dataclass(frozen=True)
class ExportPlace:
    """Where one export goes: a folder for a SavedModel, else a file."""

    path: str
    form: Format
    files: FileStore

    @classmethod
    def named(cls, path: str, form: Format, files: FileStore) -> ExportPlace:
        """Return the place that a user names."""
        return cls(path.rstrip("/") if "://" in path else os.path.abspath(path), form, files)

    def check(self, *, force: bool) -> None:
        """Refuse a name that does not fit the form, and what may not be replaced.

        Raises:
            ConfigError: the name's ending is another form's.
            OutputError: something is there already.
        """
        path, form, ending = self.path, self.form, ENDINGS[self.form]
        if not path.endswith(ending):
            raise ConfigError(f"--out: expected a name that ends in {ending}, found {path}.")
        if not self.files.exists(path) and not os.path.lexists(path):
            return
        if not force:
            raise OutputError(f"{path} is there already: pass --force to replace it, or choose another --out.")
        if form == "savedmodel" and not self.files.exists(self.files.join(path, GRAPH)):
            raise OutputError(f"{path} is there already and no SavedModel: it is not replaced. Choose another --out.")
        if form != "savedmodel" and self.files.is_folder(path):
            raise OutputError(f"{path} is a folder: it is not replaced. Choose another --out.")

    @contextmanager
    def temporary(self) -> Iterator[str]:
        """Give a path on this machine to write to first. What still lies there in the end is removed."""
        folder, name = os.path.split(self.path)
        if "://" in self.path:
            self.files.make_folder(self.path)
            with held_folder() as temporary:
                yield os.path.join(temporary, name)
            return
        self.files.make_folder(folder)
        with held_folder(folder, prefix=f".{name}.") as temporary:
            yield os.path.join(temporary, name)

    def take(self, written: str) -> None:
        """Move what was written to its place, where it appears as a whole and replaces what is there."""
        if "://" in self.path:
            self._send(Path(written))
        elif os.path.isdir(written) and os.path.isdir(self.path):
            old = f"{written}.old"
            os.rename(self.path, old)
            os.rename(written, self.path)
            _remove(old)
        else:
            os.replace(written, self.path)

    def _send(self, written: Path) -> None:
        if written.is_file():
            self._send_file(written, self.path)
            return
        graph = self.files.join(self.path, GRAPH)
        self.files.delete(graph)  # it comes last, so that no reader takes the old one with the new one's weights
        parts = [part for part in sorted(written.rglob("*")) if part.is_file() and part != written / GRAPH]
        for part in parts:
            self._send_file(part, self.files.join(self.path, part.relative_to(written).as_posix()))
        self._send_file(written / GRAPH, graph)

    def _send_file(self, source: Path, target: str) -> None:
        with open(source, "rb") as stream, self.files.create(target) as out:
            shutil.copyfileobj(stream, out)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
