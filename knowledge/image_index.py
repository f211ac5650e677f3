"""The pictures of a shop's products as vectors: incremental, durable, in memory for search."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

import msgspec
import numpy as np
import structlog

from knowledge.documents import Product
from knowledge.errors import PictureTooLarge, PictureUnreadable, SourceUnreadable
from knowledge.image_encoder import ImageEncoder, Pixels, Vectors
from knowledge.image_files import MAX_BYTES, read_drawing, read_picture
from knowledge.readers.fetch import Fetcher, is_inside
from knowledge.sources import SourceProblem
from knowledge.store import OpenStore, VectorRecord, VectorTable, open_store

COLLECTION = "images"
_BATCH = 16
_Found: TypeAlias = tuple[str, str, Pixels]
"""A product's id, the hash of its picture, and the picture."""
log = structlog.get_logger(__name__)


class ImageReport(msgspec.Struct, frozen=True):
    """What a round did, counted in pictures."""

    added: int = 0
    removed: int = 0
    unchanged: int = 0
    problems: tuple[SourceProblem, ...] = ()


class _State(msgspec.Struct, frozen=True):
    owners: tuple[str, ...]
    rows: Vectors


class ImageIndex:
    """Knows which products look like a picture."""

    def __init__(
        self,
        shop_dir: Path,
        data_dir: Path,
        encoder: ImageEncoder,
        opener: OpenStore = open_store,
        fetcher: Callable[[], Fetcher] | None = None,
    ) -> None:
        """Open what was indexed last.

        Args:
            shop_dir: where products' `image` paths begin; none outside of it is read.
            data_dir: holds the vector store.
            encoder: turns pictures into vectors.
            opener: opens the store.
            fetcher: gets pictures that are addresses.
        """
        self._shop_dir = shop_dir.resolve()
        self._data_dir = data_dir
        self._encoder = encoder
        self._open = opener
        self._fetcher = fetcher or (lambda: Fetcher(MAX_BYTES))
        self._loaded: _State | None = None
        self._stopped = False

    def __len__(self) -> int:
        """Return how many pictures are indexed."""
        return len(self._state().owners)

    def stop(self) -> None:
        """End the round under way after the picture that is being read."""
        self._stopped = True

    def ingest(self, products: Iterable[Product]) -> ImageReport:
        """Bring the index up to date; the old one answers until it is done. Blocking.

        A file is known by its bytes, an address by itself: it is fetched once. A picture that
        cannot be read now keeps the vector it had.
        """
        started, self._stopped = perf_counter(), False
        store = self._open(self._data_dir)
        known = store.hashes(COLLECTION)
        if known and not any(self._is_own(mark) for mark in known.values()):
            store.drop(COLLECTION)  # of another encoder: its vectors fit no more
            known = {}
        wanted = {product.id: product.image for product in products if product.image}
        problems: list[SourceProblem] = []
        added = 0
        for batch in _batches(self._changed(wanted, known, problems)):
            store.write(COLLECTION, self._records(batch), ())
            added += len(batch)
        gone = [product_id for product_id in known if product_id not in wanted]
        store.write(COLLECTION, (), gone)
        self._loaded = _in_memory(self._own(store.load(COLLECTION)))
        unchanged = len(wanted) - added - len(problems)
        log.info(
            "images_indexed",
            added=added,
            removed=len(gone),
            unchanged=unchanged,
            problems=len(problems),
            seconds=round(perf_counter() - started, 2),
        )
        return ImageReport(added, len(gone), unchanged, tuple(problems))

    def _changed(
        self, wanted: Mapping[str, str], known: Mapping[str, str], problems: list[SourceProblem]
    ) -> Iterator[_Found]:
        """Yield what is new or different; what cannot be read goes to `problems`."""
        with self._fetcher() as fetcher:
            for product_id, image in wanted.items():
                if self._stopped:
                    return
                try:
                    found = self._read(image, known.get(product_id, ""), fetcher)
                except (PictureTooLarge, PictureUnreadable, SourceUnreadable, OSError) as error:
                    problems.append(SourceProblem(image, product_id, str(error)))
                    continue
                if found is not None:
                    yield product_id, *found

    def likeness(self, picture: Pixels) -> dict[str, float]:
        """Return how like a picture each product looks: a cosine, 1 for the same."""
        state = self._state()
        if not state.owners:
            return {}
        cosines = state.rows @ self._encoder.encode(picture[None])[0]
        return dict(zip(state.owners, cosines.tolist(), strict=True))

    def _state(self) -> _State:
        if self._loaded is None:
            self._loaded = _in_memory(self._own(self._open(self._data_dir).load(COLLECTION)))
        return self._loaded

    def _read(self, image: str, known: str, fetcher: Fetcher) -> tuple[str, Pixels] | None:
        """Return a picture and its hash, or None when it is the one known.

        Raises:
            OSError: the file is not there.
            PictureTooLarge: it is.
            PictureUnreadable: it cannot be opened, or lies outside the shop.
            SourceUnreadable: the address gives none.
        """
        if image.startswith(("http://", "https://")):
            mark = self._hash(image.encode())
            if mark == known:
                return None
            if is_inside(image):
                raise PictureUnreadable("lies inside the own network")
            body = fetcher.get(image).content
        else:
            path = (self._shop_dir / image).resolve()
            if not path.is_relative_to(self._shop_dir):
                raise PictureUnreadable("lies outside the shop's folder")
            if path.stat().st_size > MAX_BYTES:
                raise PictureTooLarge(f"{path.stat().st_size} bytes")
            body = path.read_bytes()
            mark = self._hash(body)
            if mark == known:
                return None
        is_drawing = body[:512].lstrip().startswith((b"<svg", b"<?xml"))
        return mark, read_drawing(body) if is_drawing else read_picture(body)

    def _records(self, fresh: Sequence[_Found]) -> list[VectorRecord]:
        rows = self._encoder.encode(np.stack([picture for _, _, picture in fresh]))
        return [
            VectorRecord(product_id, product_id, "", mark, row)
            for (product_id, mark, _), row in zip(fresh, rows, strict=True)
        ]

    def _hash(self, raw: bytes) -> str:
        return f"{self._encoder.fingerprint}:{blake2b(raw, digest_size=12).hexdigest()}"

    def _is_own(self, mark: str) -> bool:
        return mark.startswith(f"{self._encoder.fingerprint}:")

    def _own(self, table: VectorTable) -> VectorTable:
        """Return the table if this encoder made it, else an empty one."""
        return table if all(self._is_own(mark) for mark in table.hashes) else VectorTable()


def _in_memory(table: VectorTable) -> _State:
    return _State(table.owners, table.matrix)


def _batches(found: Iterable[_Found]) -> Iterator[list[_Found]]:
    batch: list[_Found] = []
    for one in found:
        batch.append(one)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
