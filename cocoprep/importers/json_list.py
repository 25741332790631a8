"""Files of JSON that are lists: entries stay raw until each is looked at, so that a malformed one costs only itself."""

from __future__ import annotations

import msgspec

from cocoprep.coco.format import check_utf8, json_fault
from cocoprep.errors import AnnotationError


def read_json_list(data: bytes, path: str, noun: str, expected: str) -> list[msgspec.Raw]:
    """Return the entries of a list.

    Args:
        data: the file's content.
        path: named in messages.
        noun: what the file should be, such as "MPII's JSON".
        expected: how such a file looks, a sentence.

    Raises:
        AnnotationError: it is no list, no JSON, or not UTF-8.
    """
    check_utf8(data, path)
    try:
        return msgspec.json.decode(data, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        raise AnnotationError(f"{path}: not {noun} ({error}). {expected}") from error
    except RecursionError as error:
        raise AnnotationError(f"{path}: not {noun}: nested hundreds of levels deep. {expected}") from error
    except msgspec.DecodeError as error:
        raise AnnotationError(f"{path}: not valid JSON {json_fault(error, data, 0)}. Fetch it again.") from error
