"""The study's database: where it is, and that it is one, before Optuna writes a table into it.

It may be a stranger's. Optuna's tables hold numbers, texts and JSON, of which it unpickles nothing; a file with
triggers, views, computed columns or other expressions, which would run what somebody else has written, is refused.
"""

from __future__ import annotations

import os
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from cocoprep.checks import shown
from cocoprep.errors import CocoprepError, ConfigError, OutputError, RecordError
from cocoprep.storage.local import LocalFiles

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

SQLITE = "sqlite:///"
WAIT_S = 60  # for other processes that write
OF_OPTUNA = {"studies", "trials", "trial_params", "version_info"}
# All that Optuna makes, one by one, from `studies` on: a process may be killed in between.
MADE_BY_OPTUNA = OF_OPTUNA | {
    "study_directions", "study_user_attributes", "study_system_attributes", "trial_user_attributes",
    "trial_system_attributes", "trial_values", "trial_intermediate_values", "trial_heartbeats", "alembic_version",
}  # fmt: skip
# What is no fault of the database, by the beginning of SQLite's code: https://www.sqlite.org/rescode.html
CURES = {
    "SQLITE_FULL": "Free some space on its disk",
    "SQLITE_IOERR": "See whether its disk is full, or gone",
    "SQLITE_READONLY": "Make the file and its folder writable",
    "SQLITE_CANTOPEN": "Make the file and its folder readable and writable",
    "SQLITE_BUSY": "Another process has been writing to it for a minute: end that one",
}
_OPTUNAS_CHECK = re.compile(r"CHECK \(version_info_id=1\)")
_RUNS = re.compile(r"\b(CHECK|DEFAULT|WHERE|VIRTUAL)\b", re.IGNORECASE)
_SERVERS = ("postgresql", "mysql", "mariadb", "oracle", "mssql")
_HEADER = b"SQLite format 3\0"
_FORMS = "sqlite:///PATH, such as sqlite:///runs/sweep.db, or the URL of a database server, as Optuna takes it"


def check_optuna() -> None:
    """Raise ConfigError where Optuna is not installed."""
    import importlib.util

    if importlib.util.find_spec("optuna") is None:
        raise ConfigError("sweep needs optuna: pip install 'cocoprep[sweep]'.")


def sqlite_path(study: str) -> str | None:
    """Return the file that --study names, as a URL of SQLite or as a path; None for a database server.

    Raises:
        ConfigError: it names neither.
    """
    if study.startswith(SQLITE):
        path = study.removeprefix(SQLITE)
    elif study.startswith("sqlite:"):
        rest = study.removeprefix("sqlite:").lstrip("/")
        cure = f" For a file, three slashes: {SQLITE}{rest}." if rest else ""
        raise ConfigError(f"--study: expected {_FORMS}, found {study}.{cure}")
    elif "://" in study:
        if study.partition("://")[0].partition("+")[0] not in _SERVERS:
            scheme = study.partition("://")[0]  # what follows may have a password
            raise ConfigError(f"--study: expected {_FORMS}, found one that begins with {shown(scheme)}.")
        return None
    else:
        path = study
    if not path or path == ":memory:" or path.endswith("/") or any(c in path for c in "?#\0"):
        raise ConfigError(f"--study: expected {_FORMS}, found {shown(study)}.")
    return path


def open_database(study: str) -> BaseStorage:
    """Open the database, made with its folder where there is none.

    Raises:
        ConfigError: Optuna is missing, `study` names no database, or one of another program.
        RecordError: it cannot be read.
        OutputError: its disk does not let it be used.
    """
    check_optuna()
    path = sqlite_path(study)
    if path is None:
        return _open_url(study, {}, "--study")
    if os.path.isdir(path):
        raise ConfigError(f"--study: expected a file, found the folder {path}. Name a file in it: {path}/sweep.db.")
    LocalFiles().make_folder(os.path.dirname(path) or ".")
    _check_file(path)
    from sqlalchemy import URL

    url = URL.create("sqlite", database=path).render_as_string(hide_password=False)
    return _open_url(url, {"connect_args": {"timeout": WAIT_S}}, f"--study: {path}")


def _check_file(path: str) -> None:
    if not os.path.exists(path):
        return
    files = LocalFiles()
    try:
        beginning = files.read_range(path, 0, len(_HEADER))
    except OSError as error:
        raise ConfigError(f"--study: {path}: cannot be read ({error.strerror or error}). Name another file.") from error
    if not beginning:
        return
    if beginning != _HEADER:
        raise ConfigError(f"--study: {path}: expected a database of SQLite, found something else. Name another file.")
    try:
        # To be written: what a process that was killed has left half done is taken back only then.
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, timeout=WAIT_S)) as database:
            found = database.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
            odd = next(filter(None, (_find_odd(*(str(one or "") for one in row)) for row in found)), None)
            tables = {str(name) for kind, name, _ in found if kind == "table"}
            for name in sorted(tables):
                columns = database.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden", (name,)).fetchall()
                odd = odd or next((f"a computed column {column}" for (column,) in columns), None)
            begun = "studies" in tables and tables <= MADE_BY_OPTUNA
            begun = begun and database.execute("SELECT 1 FROM studies LIMIT 1").fetchone() is None
    except (sqlite3.Error, UnicodeError) as error:
        _raise_from_disk(f"--study: {path}", error)
        raise RecordError(f"--study: {path}: cannot be read ({error!s:.200}). Restore it, or name another.") from error
    if tables and not tables >= OF_OPTUNA and not begun:
        raise ConfigError(
            f"--study: {path}: expected a database of Optuna, found one with the tables "
            f"{shown(', '.join(sorted(tables)))}: another program's. Name another file."
        )
    if odd is not None:
        raise ConfigError(f"--study: {path}: has {shown(odd)}, which Optuna makes none of. Name another file.")


def _find_odd(kind: str, name: str, sql: str) -> str | None:
    """Say what of a database runs when it is read or written to, beyond what Optuna makes; None for nothing."""
    if kind not in ("table", "index"):
        return f"a {kind} {name}"
    runs = _RUNS.search(_OPTUNAS_CHECK.sub("", sql))
    if runs is not None:
        return f"the {kind} {name} with {runs[0].upper()}"
    # An index of columns alone has one pair of parentheses.
    return f"the index {name} of an expression" if kind == "index" and sql.count("(") > 1 else None


def _raise_from_disk(where: str, error: BaseException) -> None:
    """Raise OutputError where SQLite says that it is the disk, or another process, and not what is in the file."""
    code = getattr(error, "sqlite_errorname", "")
    cure = next((cure for beginning, cure in CURES.items() if code.startswith(beginning)), None)
    if cure is not None:
        raise OutputError(
            f"{where}: the database cannot be used now ({error!s:.200}). {cure}; then the same command goes on."
        ) from error


def _open_url(url: str, connecting: dict[str, object], where: str) -> BaseStorage:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    with readable(where):
        try:
            # Of its URL, Optuna fills in what stands in braces.
            storage = optuna.storages.RDBStorage(url.replace("{", "{{").replace("}", "}}"), engine_kwargs=connecting)
        except ImportError as error:
            raise ConfigError(f"--study: its driver is not installed ({error!s:.200}). Install it.") from error
        except RuntimeError as error:  # of another version of Optuna
            raise RecordError(f"{where}: {error!s:.300}") from error
        return storage


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn what Optuna raises over a database that it cannot read or write into a RecordError.

    It believes what it reads there: a distribution, a state, a date may be anything. What the disk is to blame for is
    an OutputError.
    """
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd, it first warns; what it cannot have is told below
            yield
    except CocoprepError:
        raise
    except (
        OptunaError, SQLAlchemyError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
        AssertionError, RecursionError, RuntimeError,
    ) as error:  # fmt: skip
        cause = error.__cause__ or error
        _raise_from_disk(where, getattr(cause, "orig", cause))
        said = f"{type(cause).__name__}: {shown(str(cause).split(chr(10), 1)[0])[1:-1]}".removesuffix(": ")
        raise RecordError(
            f"{where}: the study cannot be used ({said}). Restore the database from a copy, or begin another."
        ) from error
