"""Where vectors live: a small port, Chroma behind it, and a plain file without Chroma.

`chromadb` is imported here only, and only when a store is opened.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ExtraMissing, StoreUnreachable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import GetResult

Matrix = NDArray[np.float32]
_BATCH = 2000
_Field = Literal["metadatas", "embeddings"]
_FIELDS = ("ids", "owners", "languages", "hashes")


class VectorRecord(msgspec.Struct, frozen=True):
    """A vector with what is needed to know whether it is still right."""

    id: str
    owner_id: str
    language: str
    hash: str
    vector: Matrix


class VectorTable(msgspec.Struct, frozen=True):
    """All vectors of a collection; row i belongs to ids[i]."""

    ids: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    matrix: Matrix = np.zeros((0, 0), dtype=np.float32)


class VectorStore(ABC):
    """A durable place for vectors, in named collections."""

    @abstractmethod
    def hashes(self, collection: str) -> dict[str, str]:
        """Return the hash of each stored id."""

    @abstractmethod
    def write(
        self, collection: str, records: Sequence[VectorRecord], removed: Iterable[str]
    ) -> None:
        """Add or replace records and remove ids; doing it twice changes nothing."""

    @abstractmethod
    def load(self, collection: str) -> VectorTable:
        """Return everything in a collection."""

    @abstractmethod
    def drop(self, collection: str) -> None:
        """Remove a collection; one that does not exist is fine."""


OpenStore: TypeAlias = Callable[[Path], VectorStore]
"""Opens the store of a data directory."""


class ChromaStore(VectorStore):
    """Vectors in a Chroma database: embedded, or a server that several processes share."""

    def __init__(self, path: Path, url: str = "") -> None:
        """Open or create the database in a directory; with a `url`, that of a server instead.

        Raises:
            StoreUnreachable: When the server does not answer.
        """
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        if not url:
            path.mkdir(parents=True, exist_ok=True)
            self._client: ClientAPI = chromadb.PersistentClient(path=str(path), settings=settings)
            return
        parts = urlsplit(url)
        is_safe = parts.scheme == "https"
        try:
            self._client = chromadb.HttpClient(
                host=parts.hostname or "",
                port=parts.port or (443 if is_safe else 8000),
                ssl=is_safe,
                settings=settings,
            )
        except Exception as error:  # chromadb raises ValueError, httpx' and its own
            raise StoreUnreachable(url, str(error)) from error

    def _collection(self, name: str) -> "Collection":
        return self._client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def _pages(self, collection: str, *fields: _Field) -> "Iterator[GetResult]":
        """Return everything in a collection, so many at a time as the database can ask for."""
        target = self._collection(collection)
        for start in range(0, target.count(), _BATCH):
            yield target.get(include=list(fields), limit=_BATCH, offset=start)

    def hashes(self, collection: str) -> dict[str, str]:
        """Return the hash of each stored id."""
        return {
            key: str(meta["hash"])
            for page in self._pages(collection, "metadatas")
            for key, meta in zip(page["ids"], page["metadatas"] or [], strict=True)
        }

    def write(
        self, collection: str, records: Sequence[VectorRecord], removed: Iterable[str]
    ) -> None:
        """Add or replace records and remove ids; doing it twice changes nothing."""
        target = self._collection(collection)
        gone = list(removed)
        for start in range(0, len(gone), _BATCH):
            target.delete(ids=gone[start : start + _BATCH])
        for start in range(0, len(records), _BATCH):
            part = records[start : start + _BATCH]
            target.upsert(
                ids=[record.id for record in part],
                embeddings=np.stack([record.vector for record in part]),
                metadatas=[
                    {"owner": r.owner_id, "language": r.language, "hash": r.hash} for r in part
                ],
            )

    def load(self, collection: str) -> VectorTable:
        """Return everything in a collection."""
        pages = list(self._pages(collection, "metadatas", "embeddings"))
        if not pages:
            return VectorTable()
        metadatas = [meta for page in pages for meta in page["metadatas"] or []]
        return VectorTable(
            ids=tuple(key for page in pages for key in page["ids"]),
            owners=tuple(str(meta["owner"]) for meta in metadatas),
            languages=tuple(str(meta["language"]) for meta in metadatas),
            hashes=tuple(str(meta["hash"]) for meta in metadatas),
            matrix=np.concatenate([
                np.asarray(page["embeddings"], dtype=np.float32) for page in pages
            ]),
        )

    def drop(self, collection: str) -> None:
        """Remove a collection; one that does not exist is fine."""
        if any(known.name == collection for known in self._client.list_collections()):
            self._client.delete_collection(collection)


class FileStore(VectorStore):
    """Vectors in one .npz file a collection, for installations without Chroma."""

    def __init__(self, path: Path) -> None:
        """Use a directory, which is created."""
        path.mkdir(parents=True, exist_ok=True)
        self._path = path

    def hashes(self, collection: str) -> dict[str, str]:
        """Return the hash of each stored id."""
        table = self.load(collection)
        return dict(zip(table.ids, table.hashes, strict=True))

    def write(
        self, collection: str, records: Sequence[VectorRecord], removed: Iterable[str]
    ) -> None:
        """Add or replace records and remove ids; doing it twice changes nothing."""
        table = self.load(collection)
        rows = {
            key: VectorRecord(
                key, table.owners[i], table.languages[i], table.hashes[i], table.matrix[i]
            )
            for i, key in enumerate(table.ids)
        }
        for key in removed:
            rows.pop(key, None)
        rows.update((record.id, record) for record in records)
        save_table(self._file(collection), to_table(list(rows.values())))

    def load(self, collection: str) -> VectorTable:
        """Return everything in a collection."""
        return load_table(self._file(collection)) or VectorTable()

    def drop(self, collection: str) -> None:
        """Remove a collection; one that does not exist is fine."""
        self._file(collection).unlink(missing_ok=True)

    def _file(self, collection: str) -> Path:
        return self._path / f"{collection}.npz"


def to_table(records: Sequence[VectorRecord]) -> VectorTable:
    """Return records as a table in the same order."""
    if not records:
        return VectorTable()
    return VectorTable(
        ids=tuple(record.id for record in records),
        owners=tuple(record.owner_id for record in records),
        languages=tuple(record.language for record in records),
        hashes=tuple(record.hash for record in records),
        matrix=np.stack([record.vector for record in records]).astype(np.float32),
    )


def replaced(
    table: VectorTable, wanted: Container[str], records: Sequence[VectorRecord]
) -> VectorTable:
    """Return the wanted rows of a table, with records that are new or replace some."""
    changed = {record.id for record in records}
    rows = [i for i, key in enumerate(table.ids) if key in wanted and key not in changed]
    new = to_table(records)
    if not rows:
        return new
    kept = {name: tuple(getattr(table, name)[i] for i in rows) for name in _FIELDS}
    more = {name: (*kept[name], *getattr(new, name)) for name in _FIELDS}
    parts = [table.matrix[rows], new.matrix] if records else [table.matrix[rows]]
    return VectorTable(matrix=np.concatenate(parts), **more)


def save_table(path: Path, table: VectorTable) -> None:
    """Write a table to a file in one step, so that a reader sees the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    columns = {name: np.array(getattr(table, name), dtype=np.str_) for name in _FIELDS}
    with draft.open("wb") as file:
        np.savez(file, allow_pickle=False, matrix=table.matrix, **columns)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load_table(path: Path) -> VectorTable | None:
    """Return the table of a file, or None when it is missing or broken."""
    try:
        with np.load(path, allow_pickle=False) as data:
            columns = {name: tuple(str(x) for x in data[name]) for name in _FIELDS}
            return VectorTable(matrix=data["matrix"].astype(np.float32), **columns)
    except (OSError, ValueError, KeyError, EOFError):
        return None


def chroma_server(url: str) -> OpenStore:
    """Return what opens a Chroma server's store; one server holds one shop.

    Args:
        url: Such as http://127.0.0.1:8000.
    """

    def opener(directory: Path) -> VectorStore:
        try:
            return ChromaStore(directory, url)
        except ModuleNotFoundError as error:
            raise ExtraMissing("knowledge: chroma", "chroma") from error

    return opener


def open_store(directory: Path) -> VectorStore:
    """Open Chroma in `chroma/` of a directory, or files in `vectors/` without Chroma."""
    try:
        return ChromaStore(directory / "chroma")
    except ModuleNotFoundError:
        return FileStore(directory / "vectors")
