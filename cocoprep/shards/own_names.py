"""What annotations of several sources are called: by their source and the id that its file has, such as lsp/66."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def own_names(ledger: pa.Table, annotation_ids: Sequence[int]) -> list[str]:
    """Return what annotations are called, such that `cocoprep show` takes it; `annotation_ids` are their numbers.

    Where the name would tell nobody apart, since the entry has no id of its own or several of its source have it, and
    where there is one source, it is the number.
    """
    ledger = ledger.select(["annotation_id", "source", "source_id"])
    asked = ledger.filter(pc.is_in(ledger["annotation_id"], pa.array(annotation_ids, pa.int64())))
    alike = ledger.filter(pc.is_in(ledger["source_id"], asked["source_id"].drop_null().combine_chunks()))
    numbers = defaultdict[str, set[int | None]](set)
    name_of: dict[int, str] = {}
    for line in alike.to_pylist():
        if line["source"]:
            name = f"{line['source']}/{line['source_id']}"
            numbers[name].add(line["annotation_id"])
            name_of[line["annotation_id"]] = name
    return [name_of[n] if n in name_of and len(numbers[name_of[n]]) == 1 else str(n) for n in annotation_ids]
