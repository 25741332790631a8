"""What of COCO's format the build and the evaluation demand alike, so that neither takes what the other refuses."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cocoprep.errors import AnnotationError
from cocoprep.pose.boxes import MAX_COORDINATE
from cocoprep.pose.keypoints import KeypointTable

MAX_AREA_PX2 = MAX_COORDINATE**2
VISIBILITIES = frozenset({0, 1, 2})
Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
FETCH_AGAIN = "The file may be cut short or edited by hand; fetch it again. NaN and Infinity are not JSON either."
_LISTS = "Expected an object with the lists 'images', 'annotations' and 'categories'; pass a person_keypoints_*.json."
_LIST = (
    "The file is a list: results, boxes of a detector, or people in a form of their own, such as MPII's. What is read "
    "is COCO's form, an object with the lists 'images', 'annotations' and 'categories'; pass such a file, or convert "
    "it: `cocoprep convert` does MPII's and Label Studio's."
)


class Category(msgspec.Struct):
    """One entry of `categories`.

    Attributes:
        keypoints: names of its joints.
        skeleton: pairs of joint numbers, from 1; whatever else tools write there costs no more than a limb.
        sigmas: of OKS, where the file brings its own; as little to be relied on.
    """

    id: Id
    name: str = ""
    keypoints: list[str] | None = None
    skeleton: Any = None
    sigmas: Any = None


class IdOnly(msgspec.Struct):
    """The id of an entry whose other fields may be anything."""

    id: Id | None = None


def numbers_fault(iscrowd: float, area: float, bbox: Sequence[float]) -> str | None:
    """Say what of an annotation cannot be evaluated, or None."""
    if iscrowd not in (0, 1):
        return f"iscrowd {iscrowd:g}: expected 0 or 1"
    if not 0 <= area <= MAX_AREA_PX2:
        return f"area {area}: expected a number of pixels from 0 to {MAX_AREA_PX2:.0f}"
    if not -MAX_COORDINATE <= min(bbox) <= max(bbox) <= MAX_COORDINATE:
        return f"bbox {list(bbox)}: expected pixels, none above {MAX_COORDINATE:.0f}"
    return None


def keypoints_fault(values: Sequence[float], table: KeypointTable) -> str | None:
    """Say what of an annotation's `keypoints` cannot be used, or None."""
    if len(values) != 3 * len(table):
        return f"keypoints: expected {3 * len(table)} numbers, found {len(values)}"
    if not any(values):  # nearly half of COCO's annotations
        return None
    if odd := set(values[2::3]) - VISIBILITIES:
        found = float(max(odd))
        written = f"{found:.9f}".rstrip("0").rstrip(".")
        means = f"{written}=0 for not labelled" if found < 0 else f"{written}=1 for hidden"
        is_code = abs(found) < 1e9 and float(written) == found and found != -1 and not 0 < found < 2
        cure = f"; say what it means, such as --visibility {means}" if is_code else ""
        return f"keypoints: expected visibilities 0, 1 or 2, found {found:g}{cure}"
    if max(values) > MAX_COORDINATE or min(values) < -MAX_COORDINATE:
        return f"keypoints: expected pixels, none above {MAX_COORDINATE:.0f}"
    return None


def check_utf8(data: bytes, path: str) -> None:
    """Raise AnnotationError where a file is not UTF-8 text, saying where."""
    if data.isascii():
        return
    # In pieces: the text of a 276 MB file need not exist at once.
    decoder, piece = codecs.getincrementaldecoder("utf-8")(), 1 << 20
    for start in range(0, len(data) + 1, piece):
        held = len(decoder.getstate()[0])  # bytes of a character that the last piece has begun
        try:
            decoder.decode(data[start : start + piece], final=start + piece > len(data))
        except UnicodeDecodeError as error:
            raise AnnotationError(
                f"{path}: not UTF-8 text at byte {start - held + error.start} ({error.reason}). JSON is UTF-8; "
                "convert the file, for example from Latin-1 with iconv -f LATIN1 -t UTF-8 FILE > NEW."
            ) from error


def json_fault(error: msgspec.DecodeError, data: bytes, start: int) -> str:
    """Say where JSON that begins at byte `start` breaks, why, and what stands there."""
    found = re.fullmatch(r"(.*) \(byte (\d+)\)", str(error))
    reason, offset = (found[1], start + int(found[2])) if found else (str(error), len(data))
    nearby = data[max(0, offset - 20) : offset + 20].decode("utf-8", errors="replace")
    return f"at byte {offset} of {len(data)} ({reason}), near {nearby!r}"


def frame_fault(error: msgspec.ValidationError) -> str:
    """Say that a file is JSON of another form, and what is expected."""
    is_list = str(error) == "Expected `object`, got `array`"  # with no place: the whole file
    return f"not a COCO keypoints file ({error}). {_LIST if is_list else _LISTS}"


def not_json(error: msgspec.DecodeError | RecursionError, data: bytes, path: str, start: int = 0) -> AnnotationError:
    """Return what is to be said of a file that cannot be read as JSON; its text begins at byte `start`."""
    if isinstance(error, RecursionError):
        return AnnotationError(
            f"{path}: its JSON is nested hundreds of levels deep, where COCO's takes five. The file is damaged or "
            "hostile; fetch it again."
        )
    return AnnotationError(f"{path}: not valid JSON {json_fault(error, data, start)}. {FETCH_AGAIN}")
