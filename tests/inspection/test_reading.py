"""Fingerprints are taken once: of what an earlier run has left, nothing is decoded again, whatever became of it."""

from __future__ import annotations

import pytest

from cocoprep.coco.source_file import parse_source
from cocoprep.inspection import fingerprint_folder, reading
from cocoprep.inspection.fingerprint_folder import FingerprintFolder
from cocoprep.inspection.listed import list_photographs
from cocoprep.inspection.opened import Opener, close_all
from cocoprep.inspection.reading import see_photographs
from cocoprep.storage.by_scheme import AnyFiles
from tests.support.copies import write_photographs

FILES = AnyFiles()


@pytest.fixture
def listed(drawn, tmp_path):
    source = write_photographs(tmp_path / "a", {path.name: path.read_bytes() for path in drawn})
    yield list_photographs([parse_source(f"a={source}", "", FILES)], Opener(FILES))
    close_all()


@pytest.fixture
def folder(tmp_path):
    return FingerprintFolder(str(tmp_path / "fingerprints"), FILES)


def see(listed, folder, **options):
    return see_photographs(listed, folder, Opener(FILES), **options)


def test_what_is_known_is_not_decoded_again(listed, folder, monkeypatch):
    first = see(listed, folder)
    assert first.reused == 0
    assert len(first.digests) == len(first.known) == 16
    monkeypatch.setattr(reading, "fingerprint", None)
    again = see(listed, folder)
    assert again.reused == 16
    assert (again.digests, again.known) == (first.digests, first.known)


def test_a_run_that_is_stopped_is_gone_on_with(listed, folder, monkeypatch):
    monkeypatch.setattr(reading, "TOGETHER", 5)

    def stop(done, total):
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        see(listed, folder, on_photograph=stop)
    again = see(listed, folder)
    assert again.reused == 10
    assert len(again.known) == 16


def test_changed_photographs_are_decoded_anew(listed, folder, drawn, tmp_path):
    see(listed, folder)
    (tmp_path / "a/photographs" / drawn[0].name).write_bytes(drawn[1].read_bytes())
    again = see(listed, folder)
    assert again.reused == 16
    assert again.digests[0] == again.digests[1]


def test_files_of_some_thousand(listed, folder, monkeypatch, drawn):
    monkeypatch.setattr(reading, "TOGETHER", 3)
    monkeypatch.setattr(fingerprint_folder, "A_FILE", 5)
    seen = see(listed, folder)
    assert len(folder.names()) == 3
    assert folder.load(folder.names()) == seen.known


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"", lambda data: data.replace(b"PAR1", b"X")])
def test_a_damaged_file_is_of_no_use_and_does_no_harm(damage, listed, folder, tmp_path):
    see(listed, folder)
    (name,) = folder.names()
    path = tmp_path / "fingerprints" / name
    path.write_bytes(damage(path.read_bytes()))
    (tmp_path / "fingerprints/notes.txt").write_text("mine")
    assert folder.load(folder.names()) == {}
    assert see(listed, folder).reused == 0
    assert folder.load(folder.names())


def test_a_file_of_other_columns_is_of_no_use(folder, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.prepare()
    path = tmp_path / "x"
    pq.write_table(pa.table({"sha256": [1]}), path)
    name = fingerprint_folder._name_of(path.read_bytes())
    path.rename(tmp_path / "fingerprints" / name)
    assert folder.names() == (name,)
    assert folder.load(folder.names()) == {}
