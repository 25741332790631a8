"""Look for faults by hand: `python -m tests.fuzz [KIND ...] [--seconds S | --case N]`.

The seed is that of COCOPREP_FUZZ_SEED, or 1.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import os
import re
import tempfile
import time
from pathlib import Path

from tests.fuzz.fuzzer import Failure, Fuzzer
from tests.fuzz.kinds import ALL_KINDS, KINDS
from tests.fuzz.material import add_trained_run, make_material


def main() -> None:
    """Run, and print each failure of a new form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(KINDS), metavar="KIND")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--case", type=int)
    parser.add_argument("--said", action="store_true", help="count what the commands say of the damage")
    parser.add_argument("--slow", action="store_true", help="draw slow commands too, as the long tests do")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cocoprep-fuzz-"))
    (folder / "material").mkdir()
    fuzzer = Fuzzer(make_material(folder / "material"), folder, seed=os.environ.get("COCOPREP_FUZZ_SEED", "1"))
    fuzzer.slow = options.slow
    if options.slow and any("tiny" in (*ALL_KINDS[kind].needs, ALL_KINDS[kind].file[:4]) for kind in options.kinds):
        add_trained_run(folder / "material")
    for kind in options.kinds:
        _look(fuzzer, kind, options)
    fuzzer.worker.close()
    print(folder)


def _look(fuzzer: Fuzzer, kind: str, options: argparse.Namespace) -> None:
    known: collections.Counter[str] = collections.Counter()
    endings: collections.Counter[str] = collections.Counter()
    numbers = itertools.count() if options.case is None else [options.case]
    said: collections.Counter[str] = collections.Counter()
    started, number = time.monotonic(), -1
    for number in numbers:
        if options.case is None and time.monotonic() - started > options.seconds:
            break
        failure = fuzzer.run_case(kind, number)
        endings["good" if failure is None else "bad"] += 1
        said[_plain(fuzzer.last.err or "(nothing)")] += 1
        if failure is not None:
            form = _form(failure)
            known[form] += 1
            if known[form] == 1:
                print(f"{'=' * 100}\n{failure}", flush=True)
    print(f"{kind}: {dict(endings)} in {time.monotonic() - started:.0f} s", flush=True)
    for text, count in said.most_common() if options.said else ():
        print(f"{count:6d} {text}")


def _form(failure: Failure) -> str:
    lines = [line for line in failure.ending.err.splitlines() if re.match(r"  File|\w+(\.\w+)*(Error|Exception)", line)]
    return _plain(str(failure.rules)) + _plain("".join(line[:120] for line in lines[-2:]))


def _plain(text: str) -> str:
    """Return a message without what differs from case to case."""
    return re.sub(r"\d+", "N", re.sub(r"/\S*/", "", text).strip().replace("\n", " | "))[:150]


if __name__ == "__main__":
    main()
