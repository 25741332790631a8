"""What both sides of the training benchmark share: a process that takes one step at a time, when told to."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def serve_steps(step: Callable[[], float], **about: object) -> None:
    """Say what this is, then for each line of the standard input take a step and say how long it took.

    Both are lines of JSON on the standard output; a step is `seconds` and `loss`, which `step` returns once all of its
    work is done.
    """
    print(json.dumps(about), flush=True)
    for _ in sys.stdin:
        started, busy = time.perf_counter(), time.process_time()
        loss = step()
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        print(json.dumps({"seconds": seconds, "busy": busy, "loss": loss}), flush=True)
