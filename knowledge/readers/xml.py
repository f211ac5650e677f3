"""XML that may be hostile: entities and outside references are refused."""

import gzip
import io
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError  # noqa: S405 - only types; see below

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from knowledge.errors import SourceUnreadable

_MAX_DEPTH = 100


def elements(content: bytes, names: frozenset[str], path: str) -> Iterator[Element]:
    """Yield the elements of some names (without their namespace), each emptied afterwards.

    Raises:
        SourceUnreadable: When it is not XML, declares entities, or is nested deeply.
    """
    depth = 0
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end")):
            depth += 1 if event == "start" else -1
            if depth > _MAX_DEPTH:
                raise SourceUnreadable(path, f"is nested more than {_MAX_DEPTH} deep")
            if event == "end" and local(element.tag) in names:
                yield element
                element.clear()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        kind = "has entities, which are refused" if isinstance(error, DefusedXmlException) else ""
        raise SourceUnreadable(path, kind or f"is no XML: {error}") from error


def local(tag: object) -> str:
    """Return an element's name without its namespace."""
    return str(tag).rpartition("}")[2]


def unzipped(content: bytes, limit: int, path: str) -> bytes:
    """Return gzip content unpacked, and other content as it is.

    Raises:
        SourceUnreadable: When it is broken, or more than `limit` bytes come out.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            plain = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceUnreadable(path, f"is broken gzip: {error}") from error
    if len(plain) > limit:
        raise SourceUnreadable(path, f"unpacks to more than {limit} bytes")
    return plain
