"""What a build counts, the same from every engine.

annotations_read, people_kept, dropped_<reason>     as in the ledger
images_unusable                                     photographs that could not be read or decoded
bytes_written, shards_reused                        of this run: a shard that was there is not written again
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from cocoprep.shards.manifest import Manifest

NAMESPACE = "cocoprep"
DROPPED = "dropped_"


def read_counters(result: Any) -> dict[str, int]:
    """Return the counters of a finished job, by name, from what Beam's `run` returned.

    What is committed counts; some engines, Flink among them, report attempts only.
    """
    counters = Counter[str]()
    metrics = result.metrics()
    for found in metrics.query()["counters"] if metrics else ():
        if found.key.metric.namespace == NAMESPACE:
            counters[found.key.metric.name] += int(found.result or 0)
    return dict(sorted(counters.items()))


def disagreements(counters: Mapping[str, int], manifest: Manifest) -> list[str]:
    """Compare an engine's counters with the ledger, whose sums the manifest holds. Return what differs, in words.

    An engine that had to repeat some work may have counted it twice: the ledger is what holds.
    """
    counts = manifest.counts
    ledger = {"annotations_read": counts.annotations, "people_kept": counts.people}
    ledger |= {DROPPED + reason: amount for reason, amount in counts.dropped.items()}
    if not counters.get("shards_reused"):
        ledger["bytes_written"] = sum(shard.bytes for shard in manifest.shards)
    names = sorted({*ledger, *(name for name in counters if name.startswith(DROPPED))})
    return [
        f"{name}: {counters.get(name, 0)} counted, {ledger.get(name, 0)} in the ledger"
        for name in names
        if counters.get(name, 0) != ledger.get(name, 0)
    ]
