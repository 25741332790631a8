"""The list of annotations to leave out: what is written is read back, and what is no such list is refused."""

from __future__ import annotations

import gzip

import pytest

from cocoprep.errors import ConfigError
from cocoprep.shards import exclude_list
from cocoprep.shards.exclude_list import Excluded, encode_exclude_list, read_exclude_list
from cocoprep.storage.by_scheme import AnyFiles


def read(path):
    return read_exclude_list(str(path), AnyFiles())


def written(folder, text):
    path = folder / "exclude.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_it_is_read_back(tmp_path):
    lines = [
        Excluded("101", "a b.jpg", "limb, 0.97: left_knee to left_ankle is 3.0 times as long"),
        Excluded("101", "a b.jpg", "pose, 0.60: once is enough"),
        Excluded("coco/7", "", "a\tb\nc"),
        Excluded("8", "with\ttab.jpg", "the name is left away"),
        Excluded("9", "half\ud83d.jpg", ""),
    ]
    found = read(written(tmp_path, encode_exclude_list(lines)))
    assert {key: (one.image, one.why, one.line) for key, one in found.lines.items()} == {
        "101": ("a b.jpg", lines[0].why, 3),
        "coco/7": ("", "a b c", 4),
        "8": ("", "the name is left away", 5),
        "9": ("", "listed", 6),
    }


def test_a_list_by_hand(tmp_path):
    path = written(
        tmp_path, gzip.compress("\ufeff# mine\r\n12\r\n\r\n  13 \t\n14\tx.jpg\ttwo\twords\n12\tagain\n".encode())
    )
    found = read(path).lines
    assert {key: (one.image, one.why) for key, one in found.items()} == {
        "12": ("again", "listed"), "13": ("", "listed"), "14": ("x.jpg", "two words"),
    }  # fmt: skip


def test_of_sources(tmp_path):
    found = read(written(tmp_path, "a/1\nb/2/x\na/3\n"))
    found.check_sources(["a", "b"])
    found.check_sources([""])
    assert sorted(found.of_source("a")) == ["1", "3"]
    assert sorted(found.of_source("b")) == ["2/x"]
    assert len(found.of_source("")) == 3
    with pytest.raises(ConfigError, match="line 2: expected NAME/ID with one of a, c as NAME"):
        found.check_sources(["a", "c"])
    with pytest.raises(ConfigError, match="line 1: expected NAME/ID"):
        read(written(tmp_path, "7\n")).check_sources(["7", "a"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\xff\xfe\xff", "UTF-16"),
        (b"a\xff", "UTF-8"),
        (b"a\0b\n", "line 1: expected the id"),
        (b"\t1\n", "line 1"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, text, says):
    with pytest.raises(ConfigError, match=rf"--exclude: .*exclude.txt.*{says}"):
        read(written(tmp_path, text))


def test_what_is_not_there_or_too_large_is_told(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"found nothing\. Run `cocoprep check`"):
        read(tmp_path / "gone.txt")
    with pytest.raises(ConfigError, match="found a folder"):
        read(tmp_path)
    monkeypatch.setattr(exclude_list, "MOST_BYTES", 3)
    with pytest.raises(ConfigError, match="expected 3 bytes at most, found 4"):
        read(written(tmp_path, "1234"))


@pytest.mark.parametrize("own_id", ["7", "#7", "lsp/7", "a b", "x" * 600])
def test_an_id_is_read_as_it_was_written(own_id, tmp_path):
    found = read(written(tmp_path, encode_exclude_list([Excluded(own_id, "a.jpg", "far off"), Excluded("8", "", "")])))
    assert list(found.lines) == [own_id, "8"]
    assert found.lines[own_id].image == "a.jpg"


def test_two_lines_of_one_annotation_are_one_with_both_reasons(tmp_path):
    found = read(written(tmp_path, "7\ta.jpg\tlimb\n8\n7\t\tpose\n7\ta.jpg\n7\t\tlimb\n"))
    assert found.lines["7"] == Excluded("7", "a.jpg", "limb; pose", 1)
    with pytest.raises(ConfigError, match=r"lines 1 and 3: expected one photograph for annotation '7', found 'a.jpg'"):
        read(written(tmp_path, "7\ta.jpg\n8\n7\tb.jpg\n"))
