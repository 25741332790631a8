"""What `cocoprep show --dropped` prints: the entries that a build has dropped, each by the name that `show` takes."""

from __future__ import annotations

from typing import Any

from cocoprep.cli.say import say, say_note
from cocoprep.shards.dataset import ShardDataset
from cocoprep.shards.drop_reasons import DropReason
from cocoprep.storage.store import FileStore

ANY = "any"
REASONS = (ANY, *(reason.value for reason in DropReason))


def print_dropped(dataset: ShardDataset, reason: str, files: FileStore) -> None:
    """Print a line for each entry that was dropped for a reason, or for any: its name, the reason, and the detail.

    Raises:
        RecordError: the ledger is missing or damaged.
    """
    from cocoprep.shards.ledger import read_ledger

    found = 0
    for batch in read_ledger(dataset.folder, files).to_batches(max_chunksize=1 << 12):
        for line in batch.to_pylist():
            if not line["kept"] and reason in (ANY, line["reason"]):
                found += 1
                detail = " ".join(line["detail"].split())
                say("\t".join([_name(line), line["reason"], *([detail] if detail else [])]))
    why = "" if reason == ANY else f" for {reason}"
    say_note(f"{found:,} dropped{why}; cocoprep show {dataset.folder} ID draws one of them.")


def _name(line: dict[str, Any]) -> str:
    """Return what `show` takes for an entry: its own id, with its source's name; or its row, where it has no id."""
    own = line["source_id"] or ("" if line["annotation_id"] is None else str(line["annotation_id"]))
    if not own:
        return f"row{line['row']}"
    return f"{line['source']}/{own}" if line["source"] else own
