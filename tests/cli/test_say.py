"""What reaches the terminal: everything by one way, and nothing that a terminal obeys."""

from __future__ import annotations

import ast
import io
import logging
import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from cocoprep.checks import printable
from cocoprep.cli.console import PlainConsole
from cocoprep.cli.progress import CountProgress
from cocoprep.cli.quiet import quiet_libraries
from cocoprep.cli.say import say, say_error, say_warnings
from cocoprep.shards.verify import verify_folder
from cocoprep.storage.local import LocalFiles
from tests.support.people import build_people, write_people
from tests.support.rooms import MODULES

TITLE = "\x1b]0;owned\x07"
ONLY_WAYS = {"cocoprep.cli.say", "cocoprep.cli.console"}


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text):
    shown = printable(text)
    assert {unicodedata.category(c) for c in shown if c not in "\t\n"} & {"Cc", "Cs", "Zl", "Zp"} == set()
    assert printable(shown) == shown
    shown.encode()


@pytest.mark.parametrize("text", ["plain", "käse, 日本, 🙂", "a\tb\nc", "back\\slash", "run[1]"])
def test_what_is_harmless_stays_as_it_is(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TITLE, r"\x1b]0;owned\x07"),
        ("a\rb", r"a\rb"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
        ("\udcff", r"\udcff"),
    ],
)
def test_the_rest_is_written_out(text, shown, capsys):
    say(text)
    say(text, err=True)
    assert capsys.readouterr() == (shown + "\n", shown + "\n")


def test_cells_of_a_table_too():
    told = io.StringIO()
    table = Table(title=TITLE)
    table.add_column(TITLE)
    table.add_row(TITLE)
    PlainConsole(file=told, width=200).print(table, f"[bold]{TITLE}", style="bold red")
    assert "\x1b" not in told.getvalue()
    assert told.getvalue().count("owned") == 4
    assert "[bold]" in told.getvalue()


def test_a_name_is_no_picture():
    told = io.StringIO()
    table = Table()
    table.add_row("runs/:cat:/b")
    PlainConsole(file=told, width=200).print(table)
    assert "runs/:cat:/b" in told.getvalue()


def test_a_bar_steers_the_terminal_and_its_text_does_not():
    told = io.StringIO()
    PlainConsole(file=told, force_terminal=True, width=200).print(TITLE, style="bold")
    assert "\x1b[1m" in told.getvalue()
    assert "\x1b]0" not in told.getvalue()


def test_a_line_of_progress_too(capsys):
    with CountProgress("copying", "files") as bar:
        bar.say(TITLE)
    assert capsys.readouterr().err == r"\x1b]0;owned\x07" + "\n"


def test_warnings_of_the_library_too(capfd):
    say_warnings()
    logger = logging.getLogger("cocoprep.somewhere")
    logging.lastResort.handle(logger.makeRecord("x", logging.WARNING, "f", 1, "%s is damaged", (TITLE,), None))
    assert capfd.readouterr().err == r"\x1b]0;owned\x07 is damaged" + "\n"


def fail_loudly():
    os.write(2, TITLE.encode() + b"\xff\n")
    raise ValueError("no")


def test_what_libraries_say_when_they_fail_too(capfd):
    with pytest.raises(ValueError, match="no"), quiet_libraries():
        fail_loudly()
    assert capfd.readouterr().err == r"\x1b]0;owned\x07" + "\ufffd\n"


def printing(module):
    """Yield the calls of a module that print by a way of their own."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"print", "click.echo", "click.secho", "Console", "sys.stdout.write", "sys.stderr.write"}:
                yield f"{module}:{node.lineno}: {called}"


def test_there_is_no_other_way():
    found = [call for module in MODULES if module not in ONLY_WAYS for call in printing(module)]
    assert found == []


FULL = "/dev/full"
needs_full = pytest.mark.skipif(not os.path.exists(FULL), reason=f"needs {FULL}")


def run(arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "cocoprep", *map(str, arguments)], text=True, check=False, timeout=120, **options
    )


@needs_full
@pytest.mark.parametrize("command", [["info"], ["verify"]])
def test_what_stdout_does_not_take_is_an_error(command, tmp_path):
    folder = build_people(tmp_path, images=3, shards=2)
    with open(FULL, "w") as full:
        done = run([*command, folder], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    said = "error: standard output: cannot be written (No space left on device). Free some space where it goes to.\n"
    assert done.stderr.endswith(said)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@needs_full
def test_a_build_goes_on_where_stderr_takes_nothing(tmp_path):
    annotations, images = write_people(tmp_path / "coco", images=4)
    out = tmp_path / "out"
    with open(FULL, "w") as full:
        done = run(
            ["build", "--annotations", annotations, "--images", images, "--out", out, "--shards", 2, "--workers", 1],
            stdout=subprocess.PIPE, stderr=full,
        )  # fmt: skip
        refused = run(["info", tmp_path], stdout=subprocess.PIPE, stderr=full)
    assert done.returncode == 0
    assert "people kept" in done.stdout
    assert not verify_folder(str(out), LocalFiles()).problems
    assert refused.returncode == 1


def test_a_working_folder_that_is_gone(tmp_path):
    (tmp_path / "gone").mkdir()
    code = f"""
import os, sys
os.chdir({str(tmp_path / "gone")!r}); os.rmdir(os.getcwd())
from cocoprep.cli import main
main(["build", "--annotations", "a.json", "--images", "b", "--out", "c"])
"""
    done = subprocess.run([sys.executable, "-c", code], text=True, check=False, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: the working folder is gone (No such file or directory). Change to one that is there.\n"
    )


def test_what_is_wrong_is_said_within_bounds(capsys):
    for length in (10, 1900):
        say_error("x" * length)
        assert capsys.readouterr().err == "x" * length + "\n"
    say_error("begin" + "\x1b" * 100_000 + "end")
    said = capsys.readouterr().err
    assert len(said) < 2000
    assert said.startswith(r"begin\x1b\x1b")
    assert said.endswith(r"\x1bend" + "\n")
    assert "characters ...]" in said
