"""The plan of a build, `build.json`: its settings, and the digests of what the first step found and wrote.

It is written before anything else, so that a rerun knows whose folder it is. Its own digest tells builds apart: equal
plans, equal annotations built in the same way.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cocoprep.errors import RecordError
from cocoprep.shards.seal import seal, unseal
from cocoprep.shards.settings import SourceRecord
from cocoprep.storage.store import FileDigest

_CONTENT = "content"


class PlannedContent(msgspec.Struct, frozen=True):
    """What the first step found and wrote.

    Attributes:
        annotations: digest of each shard's annotations, in order of the shards.
        ledger: the file as the first step wrote it, before photographs were looked at.
        ground_truth: the file, which stays as it is.
        notes: what was guessed of the annotation file, and what in it looks wrong, in sentences.
        sources: of a build of several sources or categories, as they were before photographs were looked at.
    """

    annotations: tuple[str, ...]
    ledger: FileDigest
    ground_truth: FileDigest
    notes: tuple[str, ...] = ()
    sources: tuple[SourceRecord, ...] = ()


def seal_plan(settings: dict[str, Any], content: PlannedContent | None) -> bytes:
    """Encode a plan. Without content it is that of a build that was refused after its annotations were judged."""
    return seal(settings if content is None else {**settings, _CONTENT: content})


def unseal_plan(data: bytes, path: str) -> tuple[dict[str, Any], PlannedContent | None]:
    """Return a plan's settings, and its content: None where the build was refused, or was of version 0.1.

    Raises:
        RecordError: it is damaged.
    """
    settings = unseal(data, path)
    content = settings.pop(_CONTENT, None)
    try:
        return settings, None if content is None else msgspec.convert(content, PlannedContent)
    except msgspec.ValidationError as error:
        raise RecordError(f"{path}: not a plan ({error}). Build the folder again.") from error
