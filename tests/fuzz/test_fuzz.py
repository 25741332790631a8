"""Whatever becomes of a file that somebody hands over, what reads it says in one message, and does nothing else.

The seed is fixed; another is given by COCOPREP_FUZZ_SEED. What fails says how to see it again, and leaves its input.
"""

from __future__ import annotations

import itertools
import os
import time

import pytest

from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.kinds import KINDS, TRAINED_KINDS
from tests.fuzz.material import add_trained_run, make_material

SEED = os.environ.get("COCOPREP_FUZZ_SEED", "1")
SECONDS = 30
CASES = 20  # of a kind: some two seconds
QUICK_CASES = 60
SLOW_CASES = 6  # of a kind whose commands take longer, and read what others damage too
SLOW = ("manifest of several", "sidecar of several", "ledger of several", "ground truth of several")
QUICK = (
    *("plan", "ceiling", "settings.toml", "settings.json", "config", "run", "log", "thresholds", "checkpoint", "sweep"),
)


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "material").mkdir()
    fuzzer = Fuzzer(make_material(folder / "material"), folder, seed=SEED)
    yield fuzzer
    fuzzer.worker.close()


@pytest.fixture(scope="module")
def slow_fuzzer(fuzzer):
    add_trained_run(fuzzer.material)
    fuzzer.slow = True
    yield fuzzer
    fuzzer.slow = False


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_cases(kind, fuzzer):
    for number in range(QUICK_CASES if kind in QUICK else SLOW_CASES if kind in SLOW else CASES):
        failure = fuzzer.run_case(kind, number)
        assert failure is None, str(failure)


@pytest.mark.long
@pytest.mark.parametrize("kind", [*KINDS, *TRAINED_KINDS])
def test_many_cases(kind, slow_fuzzer):
    ends = time.monotonic() + SECONDS
    for number in itertools.count():
        if time.monotonic() > ends:
            break
        failure = slow_fuzzer.run_case(kind, number)
        assert failure is None, str(failure)
