"""Files that a user names."""

from __future__ import annotations

import codecs
import tempfile
from pathlib import Path

import pytest

from cocoprep.errors import ConfigError, ResultsError
from cocoprep.storage.local import LocalFiles
from cocoprep.storage.user_file import read_user_file
from tests.builder.bad_input import as_nobody


def test_the_content_comes_without_a_byte_order_mark(tmp_path):
    (tmp_path / "a.json").write_bytes(codecs.BOM_UTF8 + b"[]")
    assert read_user_file(str(tmp_path / "a.json"), LocalFiles(), "a list", refusal=ConfigError) == b"[]"


def test_what_cannot_be_read_is_told_with_its_option_and_the_cure(tmp_path):
    (tmp_path / "folder").mkdir()
    for name, found in (("none", "nothing"), ("folder", "a folder")):
        path = str(tmp_path / name)
        with pytest.raises(ResultsError) as error:
            read_user_file(path, LocalFiles(), "a list", refusal=ResultsError)
        assert str(error.value) == f"{path}: expected a list, found {found}."
        with pytest.raises(ConfigError) as error:
            read_user_file(path, LocalFiles(), "a list", refusal=ConfigError, option="--list", cure="Name one.")
        assert str(error.value) == f"--list: {path}: expected a list, found {found}. Name one."


def test_a_file_of_somebody_else():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_bytes(b"[]")
        path.chmod(0)
        Path(folder).chmod(0o755)
        said = r"a\.json: expected a list, which cannot be read \(Permission denied\)\."
        with as_nobody(), pytest.raises(ConfigError, match=said):
            read_user_file(str(path), LocalFiles(), "a list", refusal=ConfigError)
