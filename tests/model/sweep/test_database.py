"""The study's database: what --study takes, and what is said of a file that is none, or a stranger's."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing

import pytest

pytest.importorskip("optuna")

import optuna

from cocoprep.errors import CocoprepError, ConfigError, OutputError, RecordError
from cocoprep.model.sweep.database import check_optuna, open_database, sqlite_path
from tests.support.sweeps import open_study, sweep, sweep_config


@pytest.fixture(scope="module")
def data(people_folder):
    return people_folder(size=(32, 32), shards=3)


@pytest.fixture(scope="module")
def swept(data, tmp_path_factory):
    root = tmp_path_factory.mktemp("swept")
    sweep(root, sweep_config(root / "s.toml", data), 3)
    return root / "sweep.db"


@pytest.fixture
def config(data, tmp_path):
    return sweep_config(tmp_path / "s.toml", data)


@pytest.mark.parametrize(
    ("study", "path"),
    [
        ("sqlite:///runs/sweep.db", "runs/sweep.db"),
        ("sqlite:////runs/sweep.db", "/runs/sweep.db"),
        ("runs/sweep.db", "runs/sweep.db"),
        ("postgresql+psycopg2://me@here/sweeps", None),
        ("mysql://here/sweeps", None),
    ],
)
def test_a_study_is_named_by_url_or_path(study, path):
    assert sqlite_path(study) == path


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ("sqlite://runs/sweep.db", "For a file, three slashes: sqlite:///runs/sweep.db."),
        ("sqlite:runs/sweep.db", "For a file, three slashes: sqlite:///runs/sweep.db."),
        ("sqlite://", "--study: expected sqlite:///PATH"),
        ("sqlite:///:memory:", "--study: expected sqlite:///PATH"),
        ("sqlite:///a.db?mode=ro", "--study: expected sqlite:///PATH"),
        ("postgres://me:secret@here/sweeps", "or the URL of a database server, as Optuna takes it, found one that"),
        ("gs://bucket/sweep.db", "--study: expected sqlite:///PATH, such as sqlite:///runs/sweep.db, or the URL"),
        ("runs/", "--study: expected sqlite:///PATH"),
    ],
)
def test_what_names_no_database_is_told(study, message):
    with pytest.raises(ConfigError) as error:
        sqlite_path(study)
    assert message in str(error.value)
    assert "secret" not in str(error.value)


def test_a_server_whose_driver_is_missing_is_told():
    with pytest.raises(ConfigError, match="--study: its driver is not installed"):
        open_database("mssql+pymssql://here/sweeps")


def test_folders_are_made_and_odd_names_kept(config, tmp_path):
    root = tmp_path / "a {b} %41 'c' é"
    study, _ = sweep(root, config, 1)
    assert sorted(path.name for path in root.iterdir()) == ["s", "sweep.db"]
    assert len(study.trials()) == 1


def other_program(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute('CREATE TABLE "bills\x1b[2J" (id INTEGER)')
        database.commit()


def with_statement(statement):
    def change(path):
        open_database(str(path))
        with closing(sqlite3.connect(path)) as database:
            database.execute(statement)
            database.commit()

    return change


TRIGGER = "CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM studies; END"
BOMB = "hex(zeroblob(1000000000))"
COMPUTED = f"ALTER TABLE studies ADD COLUMN x TEXT AS ({BOMB})"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.mkdir(), r"expected a file, found the folder .*Name a file in it: .*/sweep\.db\."),
        (lambda path: path.write_text("hello, this is text"), "expected a database of SQLite, found something else"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"x" * 200), "cannot be read"),
        (os.mkfifo, r"cannot be read \(not a regular file\)"),
        (
            other_program,
            r"expected a database of Optuna, found one with the tables 'bills\\x1b\[2J': another program's",
        ),
        (with_statement(TRIGGER), "has 'a trigger t', which Optuna makes none of"),
        (with_statement("CREATE VIEW v AS SELECT * FROM trials"), "has 'a view v', which Optuna makes none of"),
        (with_statement(COMPUTED), "has 'a computed column x', which Optuna makes none of"),
        (with_statement(f"CREATE INDEX i ON trials ({BOMB})"), "has 'the index i of an expression', which Optuna"),
        (with_statement(f"CREATE INDEX i ON trials (state) WHERE {BOMB} > 0"), "has 'the index i with WHERE'"),
        (with_statement(f"ALTER TABLE trials ADD x TEXT DEFAULT ({BOMB})"), "has 'the table trials with DEFAULT'"),
        (with_statement(f"ALTER TABLE trials ADD x TEXT CHECK ({BOMB} > 0)"), "has 'the table trials with CHECK'"),
        (with_statement("UPDATE alembic_version SET version_num = 'v9.9.9'"), "Optuna|optuna"),
    ],
)
def test_a_file_that_is_no_study_is_told(write, message, tmp_path):
    path = tmp_path / "sweep.db"
    write(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(CocoprepError) as error:
        open_database(str(path))
    assert re.search(message, str(error.value))
    if before is not None:
        assert path.read_bytes() == before


def test_an_empty_file_becomes_a_study(config, tmp_path):
    (tmp_path / "sweep.db").touch()
    assert len(sweep(tmp_path, config, 1)[0].trials()) == 1


class StoppedError(BaseException):
    """Stands for a kill."""


def stop_at(monkeypatch, number):
    """Have SQLAlchemy end before a statement that makes a table or writes to it, counted from 1."""
    from sqlalchemy.engine.default import DefaultDialect

    real, seen = DefaultDialect.do_execute, [0]

    def execute(dialect, cursor, statement, *arguments):
        seen[0] += statement.lstrip().startswith(("CREATE", "INSERT"))
        if seen[0] == number:
            raise StoppedError
        return real(dialect, cursor, statement, *arguments)

    monkeypatch.setattr(DefaultDialect, "do_execute", execute)


@pytest.mark.parametrize("statements", [2, 3, 6, 11, 14, 16, 17])
def test_killed_while_its_tables_are_made_it_is_gone_on_with(statements, config, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        stop_at(patched, statements)
        with pytest.raises(StoppedError):
            open_database(str(tmp_path / "sweep.db"))
    assert len(sweep(tmp_path, config, 1)[0].trials()) == 1


def limit_pages(path, monkeypatch):
    real = sqlite3.connect

    def connect(*arguments, **named):
        database = real(*arguments, **named)
        database.execute("PRAGMA max_page_count = 3")
        return database

    monkeypatch.setattr("sqlite3.dbapi2.connect", connect)


def let_another_write(path, monkeypatch):
    open_database(str(path))
    monkeypatch.setattr("cocoprep.model.sweep.database.WAIT_S", 0.1)
    writer = sqlite3.connect(path)
    writer.execute("BEGIN EXCLUSIVE")
    return writer


@pytest.mark.parametrize(
    ("happens", "message"),
    [
        (limit_pages, "(database or disk is full). Free some space on its disk; then the same command goes on."),
        (let_another_write, "(database is locked). Another process has been writing to it for a minute: end that one"),
    ],
)
def test_what_the_disk_does_is_not_put_down_to_the_database(happens, message, config, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        held = happens(tmp_path / "sweep.db", patched)
        with pytest.raises(OutputError) as error:
            open_database(str(tmp_path / "sweep.db"))
    assert message in str(error.value)
    if held is not None:
        held.close()
    assert len(sweep(tmp_path, config, 1)[0].trials()) == 1


def test_another_programs_study_is_left_alone(config, tmp_path):
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/sweep.db")
    theirs = optuna.create_study(storage=storage, study_name="s", direction="maximize")
    theirs.add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(ConfigError, match="a study of this name is there, which cocoprep has not made"):
        open_study(tmp_path, config)
    assert len(sweep(tmp_path, config, 1, name="ours")[0].trials()) == 1
    assert len(theirs.trials) == 1


def test_without_optuna_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"sweep needs optuna: pip install 'cocoprep\[sweep\]'"):
        check_optuna()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE trials SET number = 5000000 WHERE number = 2", "a trial has the number 5000000"),
        ("UPDATE trials SET number = 1", "two trials have one number"),
        ("UPDATE trials SET state = 'DONE'", "the study cannot be used (KeyError: 'DONE'"),
        ("DELETE FROM trial_values", "trial 0: is complete, with the value None"),
        ("UPDATE trials SET datetime_start = 'soon'", "the study cannot be used (ValueError"),
        ("UPDATE trial_values SET value = 3.0", "is complete, with the value 3.0: no sweep"),
        ("UPDATE trial_values SET value = 'x'", "trial 0"),
        ("UPDATE trial_params SET param_value = 1e9", "the study cannot be used (IndexError"),
        ("UPDATE trial_params SET param_name = param_name || 'x'", "has what the file does not search, 'augmentx'"),
        ("UPDATE trial_params SET distribution_json = '{}'", "the study cannot be used (KeyError"),
        ("UPDATE trial_params SET distribution_json = replace(distribution_json, '16', '17')", "network.channels"),
        ("DELETE FROM trial_params WHERE param_name = 'batch_size'", "lacks values of what is searched"),
        ("UPDATE trial_intermediate_values SET intermediate_value = 7", "has of an epoch (0, 7.0)"),
        ("UPDATE trial_intermediate_values SET step = -1 - step", "has of an epoch (-"),
        ("UPDATE trial_user_attributes SET value_json = '['", "the study cannot be used (JSONDecodeError"),
        ("UPDATE study_user_attributes SET value_json = '3'", "was begun with another file: the study says 3"),
        ("UPDATE study_directions SET direction = 'MINIMIZE'", "does not look for the highest value"),
        ("DROP TABLE trials", "expected a database of Optuna, found one with the tables"),
    ],
)
def test_a_study_that_was_edited_is_told(statement, message, swept, config, tmp_path):
    shutil.copy(swept, tmp_path)
    with closing(sqlite3.connect(tmp_path / "sweep.db")) as database:
        database.execute(statement)
        database.commit()
    with pytest.raises((ConfigError, RecordError)) as error:
        open_study(tmp_path, config).trials()
    assert message in str(error.value)
