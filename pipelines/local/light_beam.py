"""Beam without the libraries of its extra `gcp`: here it needs none of them, and loading them takes 0.4 s a process."""

from __future__ import annotations

import importlib
import logging
import sys

_HIDDEN = ("google.cloud", "apitools")


def load_beam() -> None:
    """Import Beam as if its extra `gcp` was not installed; our own access to buckets finds it later all the same."""
    # A namespace package's .pth file may have put `google.cloud` there before any import.
    there = {name: sys.modules[name] for name in _HIDDEN if name in sys.modules}
    sys.modules.update(dict.fromkeys(_HIDDEN))  # type: ignore[arg-type]  # None: there is no such module
    logging.disable(logging.WARNING)  # Beam says what it does not find
    try:
        importlib.import_module("apache_beam")
    finally:
        logging.disable(logging.NOTSET)
        for name in _HIDDEN:
            del sys.modules[name]
        sys.modules.update(there)
