from __future__ import annotations

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image

from cocoprep.cli.augment import command
from cocoprep.errors import ConfigError


@pytest.fixture(scope="module")
def folder(people_folder):
    return str(people_folder(images=4))


def run(*arguments):
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_draws_a_sheet_and_says_what_is_filled(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = run(folder, "--people", "3", "--epochs", "2")
    assert re.search(r"^filled pixels: \d+\.\d\d% on average, \d+\.\d% at most$", output, re.M)
    assert re.search(r"^labelled joints out of the picture: \d+\.\d\d%$", output, re.M)
    assert re.search(r"^[1-9]\d* people/s on one core, decoding not counted$", output, re.M)
    assert output.splitlines()[-1] == "augment-medium.png"
    with Image.open(tmp_path / "augment-medium.png") as sheet:
        assert sheet.width > 3 * 120
        assert sheet.height > 3 * 160


def test_the_same_command_draws_the_same_sheet(folder, tmp_path):
    def draw(name, *more):
        run(folder, "--people", "2", "--out", str(tmp_path / name), *more)
        return (tmp_path / name).read_bytes()

    first = draw("a.png", "--seed", "1")
    assert draw("b.png", "--seed", "1") == first
    assert draw("c.png", "--seed", "2") != first
    assert draw("d.png", "--seed", "1", "--epoch", "9") != first
    assert draw("e.png", "--seed", "1", "--strength", "heavy") != first


def test_without_augmentation_nothing_is_filled(folder, tmp_path):
    assert "filled pixels: 0.00% on average, 0.0% at most" in run(
        folder, "--strength", "none", "--out", str(tmp_path / "none.png")
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--people", "0"], "--people: expected a whole number from 1"),
        (["--epochs", "0"], "--epochs: expected a whole number from 1"),
        (["--tile", "5"], "--tile: expected a whole number from 32"),
        (["--out", "sheet.txt"], "--out: expected a file name"),
    ],
)
def test_what_cannot_be_drawn(folder, arguments, said):
    with pytest.raises(ConfigError, match=said):
        CliRunner().invoke(command, [folder, *arguments], catch_exceptions=False)


def test_it_loads_no_tensorflow(folder, tmp_path):
    code = (
        "import sys\nfrom cocoprep.cli import cli\n"
        f"cli(['augment', {folder!r}, '--out', {str(tmp_path / 'sheet.png')!r}], standalone_mode=False)\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
