"""The annotations that a list leaves out, found among those of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cocoprep.builder.sources import OpenSource
from cocoprep.checks import shown
from cocoprep.coco.people import ParsedEntry
from cocoprep.errors import ConfigError
from cocoprep.shards.exclude_list import OPTION, Excluded

_FIRST_SHOWN = 3


def find_excluded(opened: OpenSource, entries: Sequence[ParsedEntry]) -> dict[int, str]:
    """Return the numbers of a source's annotations that are left out, each with the reason in words.

    An annotation is meant by the id that it has in the file, or by the number that it is given where it has none.

    Raises:
        ConfigError: an annotation is not there, or on another photograph than the list says: it is of other data.
    """
    if not opened.excluded:
        return {}
    by_id = {one.source_id: one for one in reversed(entries) if one.source_id}
    by_id.update((str(one.annotation_id), one) for one in reversed(entries) if one.annotation_id is not None)
    odd = [line for key, line in opened.excluded.items() if not _is_there(line, by_id.get(key), opened.listed_names)]
    if odd:
        listed = ", ".join(f"line {line.line}: {shown(line.own_id)}" for line in odd[:_FIRST_SHOWN])
        raise ConfigError(
            f"{OPTION}: {opened.exclude_path} is of other annotations than {opened.source.annotations}: {len(odd)} of "
            f"{len(opened.excluded)} are not there, or on other photographs ({listed}). Run `cocoprep check` again on "
            "this file, or remove the lines."
        )
    numbers = ((by_id[key].annotation_id, line.why) for key, line in opened.excluded.items())
    return {number: why for number, why in numbers if number is not None}


def _is_there(line: Excluded, entry: ParsedEntry | None, names: Mapping[int, str]) -> bool:
    if entry is None:
        return False
    return not line.image or entry.image_id is None or names.get(entry.image_id, line.image) == line.image
