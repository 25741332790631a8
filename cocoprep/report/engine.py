"""The template engine: every text that a template is given is escaped, so no name of a file or joint becomes markup."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files as resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cocoprep.checks import printable
from cocoprep.report.wording import count, pixels, share, words
from cocoprep.version import __version__

TEMPLATES = "templates"


def render(template: str, /, **values: Any) -> str:
    """Return a page: a template of `templates/`, filled in.

    Texts are escaped, and what a reader's program would obey of them is written out, as on the terminal. A name that
    the template uses and that is not given is an error, never an empty place.
    """
    return _environment().get_template(template).render(**values)


def source_of(name: str) -> str:
    """Return a style sheet or script of `templates/`, as it is."""
    return resources(__package__).joinpath(TEMPLATES, name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"share": share, "count": count, "pixels": pixels, "words": words}
    environment.globals |= {"style": _style, "script": _script, "script_digest": _digest, "version": __version__}
    return environment


def _printable(value: Any) -> Any:
    """Write out control characters of a text, a stranger's perhaps; markup is ours."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style(*names: str) -> Markup:
    return Markup("").join(Markup(source_of(name)) for name in names)  # noqa: S704 - our own files


def _script(name: str) -> Markup:
    return Markup(source_of(name))  # noqa: S704 - our own file


def _digest(name: str) -> str:
    """Return what a page's policy calls a script by, so that it runs this one and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source_of(name).encode()).digest()).decode("ascii")
