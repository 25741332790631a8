"""The forms that are read, by the name that a user gives, and what reads each."""

from __future__ import annotations

from collections.abc import Callable

from cocoprep.importers.cvat import read_cvat
from cocoprep.importers.dataset import ImportedDataset
from cocoprep.importers.labelstudio import read_labelstudio
from cocoprep.importers.lsp import read_lsp
from cocoprep.importers.mpii import read_mpii
from cocoprep.importers.photographs import Source
from cocoprep.importers.yolo import read_yolo

_READERS: dict[str, Callable[[Source], ImportedDataset]] = {
    "mpii": read_mpii,
    "lsp": read_lsp,
    "yolo-pose": read_yolo,
    "cvat": read_cvat,
    "labelstudio": read_labelstudio,
}
FORMS = tuple(_READERS)
# Of a folder that is named in place of its file: what that may be called.
_FILES = {
    "lsp": ("joints.mat",),
    "yolo-pose": ("data.yaml", "dataset.yaml", "data.yml"),
    "cvat": ("annotations.xml",),
}


def find_file(form: str, source: Source) -> Source:
    """Return a source by the file that is read: where a folder is named, the one of the form that lies in it."""
    return source.file(*_FILES.get(form, ()))


def import_dataset(form: str, source: Source) -> ImportedDataset:
    """Return the data set of a source as `find_file` gives it, of one of the forms.

    Raises:
        AnnotationError: it is not of that form, or nobody in it can be used.
        ConfigError: what is named as photographs, or as joints, does not fit.
    """
    return _READERS[form](source)
