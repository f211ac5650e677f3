"""The port of sources: places that products and help texts are gathered from."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import httpx
import msgspec

from knowledge.documents import Category, Passage, Product
from knowledge.sources import SourceProblem

State = Literal["read", "unchanged", "failed"]


class Document(msgspec.Struct, frozen=True):
    """What one file, page or export of a source gave.

    `key` is its path or address within the source, `fingerprint` changes with its content. One that
    is `unchanged` or `failed` keeps what it gave before.
    """

    key: str
    fingerprint: str = ""
    products: tuple[Product, ...] = ()
    categories: tuple[Category, ...] = ()
    passages: tuple[Passage, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    state: State = "read"


class Surroundings(msgspec.Struct, frozen=True):
    """What a source is told about the shop it belongs to.

    `root` is where relative paths begin. `transport` replaces the network.
    """

    root: Path
    currency: str = "EUR"
    languages: tuple[str, ...] = ("de", "en")
    transport: httpx.BaseTransport | None = None


class Source(ABC):
    """A place that products and help texts come from; read in a worker thread."""

    def __init__(self, name: str) -> None:
        """Give it the name that its items and the report carry."""
        self.name = name

    @abstractmethod
    def documents(self, known: Mapping[str, str]) -> Iterator[Document]:
        """Yield what there is now; a document that is not yielded is gone.

        Args:
            known: The fingerprint of each document as last read, by key.

        Raises:
            SourceUnreadable: When nothing can be read; all that it gave before stays.
        """


def fingerprint_of(*parts: bytes) -> str:
    """Return a hash over the parts."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def failed(key: str, reason: str) -> Document:
    """Return a document that could not be read this time."""
    return Document(key, problems=(SourceProblem(key, "", reason),), state="failed")
