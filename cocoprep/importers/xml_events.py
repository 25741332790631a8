"""XML as its elements begin and end, of a file that a stranger may have written.

A DOCTYPE is refused before anything that it could define is read: entities that name files, or that grow to more than
memory holds, can only be defined there. Nothing is fetched; no tree is built.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Protocol
from xml.parsers import expat

from cocoprep.errors import AnnotationError

_PIECE_BYTES = 1 << 16
_MOST_DEEP = 32
_MOST_TEXT = 1 << 20  # characters of the text of one element


class XmlReader(Protocol):
    """What is told of elements. A ValueError says that one cannot be used, and ends the reading."""

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Hear of an element that begins."""
        ...

    def end(self, name: str, text: str) -> None:
        """Hear of an element that ends, with the text that stood right in it, up to a million characters."""
        ...


def read_xml(data: bytes, path: str, reader: XmlReader) -> None:
    """Tell a reader of all elements of a file, in order.

    Raises:
        AnnotationError: it is not XML, has a DOCTYPE, is nested too deep, or the reader raises a ValueError.
    """
    parser = expat.ParserCreate("utf-8")  # whatever the file says: else a codec of any name would be looked for
    texts: list[io.StringIO] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(texts) >= _MOST_DEEP:
            raise ValueError(f"elements more than {_MOST_DEEP} deep")
        texts.append(io.StringIO())
        reader.begin(name, attributes)

    def text(piece: str) -> None:
        if texts and texts[-1].tell() < _MOST_TEXT:
            texts[-1].write(piece)

    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = begin
    parser.CharacterDataHandler = text
    parser.EndElementHandler = lambda name: reader.end(name, texts.pop().getvalue())
    try:
        for start in range(0, len(data), _PIECE_BYTES):
            parser.Parse(data[start : start + _PIECE_BYTES], False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise AnnotationError(
            f"{path}: not valid XML at line {error.lineno}, column {error.offset} "
            f"({expat.ErrorString(error.code)}). Export it again."
        ) from error
    except ValueError as error:
        raise AnnotationError(f"{path}, line {parser.CurrentLineNumber}: {error!s:.400}. Export it again.") from error


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a DOCTYPE, which no export has, and which is not read")
