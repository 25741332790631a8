"""The command line without a package: `python -m tests.model.backends.without PACKAGE COMMAND ...`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run a command where a package cannot be imported, as if it were not installed."""
    package, *arguments = sys.argv[1:]
    sys.modules[package] = None
    from cocoprep.cli import main as cocoprep

    cocoprep(arguments)


if __name__ == "__main__":
    main()
