"""A path's scheme says where it lies; what cannot be reached from here is told, with the cure."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys

import pytest

from cocoprep.errors import ConfigError
from cocoprep.storage.by_scheme import AnyFiles
from cocoprep.storage.gcs import BucketFiles
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.store import FileDigest, FileStore

OPERATIONS = {
    "open_read": (),
    "read_bytes": (),
    "read_range": (0, 1),
    "create": (),
    "put_if": (b"",),
    "sync": (),
    "exists": (),
    "is_folder": (),
    "size": (),
    "list_names": (),
    "walk_names": (),
    "delete": (),
    "make_folder": (),
    "join": ("name",),
    "read_contained": ("name",),
    "receive": (FileDigest(0, ""), lambda start: iter(())),
    "kept_bytes": (FileDigest(0, ""),),
    "digest": (),
    "free_bytes": (),
}
MORE = {"put_if": {"found": None}, "read_contained": {"max_bytes": 1}, "receive": {"on_bytes": lambda count: None}}


def test_the_operations_are_those_of_the_protocol():
    assert set(OPERATIONS) == {name for name, _ in inspect.getmembers(FileStore, inspect.isfunction) if name[0] != "_"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/a/b", LocalFiles), ("a", LocalFiles), ("", LocalFiles), ("gs:/a", LocalFiles), ("gs://bucket/a", BucketFiles)],
)
def test_the_store_of_a_path(path, kind):
    assert type(AnyFiles().store_of(path)) is kind


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("path", ["s3://bucket/a", "hdfs://host/a", "file:///a", "GS://bucket/a"])
def test_a_scheme_that_is_not_known(path, operation):
    with pytest.raises(ConfigError, match=f"^{path}: expected a path of this machine or one that begins with gs://"):
        getattr(AnyFiles(), operation)(path, *OPERATIONS[operation], **MORE.get(operation, {}))


@pytest.mark.parametrize(
    "store", [AnyFiles(7.0), BucketFiles(7.0), LocalFiles()], ids=lambda store: type(store).__name__
)
def test_every_store_pickles(store):
    again = pickle.loads(pickle.dumps(store))
    assert type(again) is type(store)
    assert vars(again) == vars(store)


WITHOUT = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
sys.modules.pop(sys.argv[1], None)  # some installations load it with the interpreter
from cocoprep.cli import main
main(["info", "gs://bucket/shards"])
"""


@pytest.mark.parametrize("missing", ["google.auth", "google.cloud", "google.cloud.storage"])
def test_the_command_without_googles_libraries(missing):
    """All of them, or only one, where another package has brought the others."""
    found = subprocess.run(
        [sys.executable, "-c", WITHOUT, missing], check=False, capture_output=True, text=True, timeout=60
    )
    assert found.returncode == 1
    assert found.stderr == (
        f"error: gs:// paths need Google's libraries, found no {missing}: pip install 'cocoprep[gcp]'.\n"
    )
