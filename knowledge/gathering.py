"""Keeps what each source gave, so that one that fails or vanishes goes on to answer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from threading import Event, Lock
from time import perf_counter
from typing import TypeAlias, TypeVar

import msgspec
import structlog

from knowledge.documents import Catalogue, Category, Passage, Product
from knowledge.errors import EmptyShop, KnowledgeError, SourceUnreadable, UnknownSource
from knowledge.feeds.base import Document, Source
from knowledge.ingest_lock import ingest_lock
from knowledge.sources import SourceDirs, SourceProblem, read_shop
from knowledge.words import fold

_FORMAT = 1
_SHOP = "=shop"
T = TypeVar("T")
Progress: TypeAlias = Callable[[str, int], None]
"""Called with a source's name and how many of its documents were read so far."""
log = structlog.get_logger(__name__)


class SourceReport(msgspec.Struct, frozen=True):
    """What became of one source: counted in items, which are products and passages.

    `failure` is why it could not be read as a whole; then everything it gave before stays.
    """

    name: str
    read: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    problems: tuple[SourceProblem, ...] = ()
    failure: str = ""
    seconds: float = 0.0

    @property
    def left_out(self) -> tuple[SourceProblem, ...]:
        """Return what did not go in."""
        return tuple(problem for problem in self.problems if not problem.kept)

    @property
    def is_new(self) -> bool:
        """Return whether anything is different from before."""
        return bool(self.added or self.changed or self.removed)


class Kept(msgspec.Struct, frozen=True):
    """What a source gave when it was last read, by document."""

    format: int = _FORMAT
    read_at: datetime | None = None
    documents: dict[str, Document] = {}


class _Unread(msgspec.Struct, frozen=True):
    """What is kept of a source, its documents not decoded."""

    documents: msgspec.Raw = msgspec.Raw(b"{}")


class Gathering:
    """The sources of a shop besides its own folder, and what they gave."""

    def __init__(
        self,
        home: Path,
        sources: Sequence[Source] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep what is gathered in a directory, which is created.

        Args:
            home: The directory.
            sources: With different names.
            clock: Returns the present as aware UTC.
        """
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._sources = {source.name: source for source in sources}
        self._clock = clock
        self._busy = Lock()
        self._stopping = Event()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the sources."""
        return tuple(self._sources)

    def check(self, names: Iterable[str]) -> None:
        """Pass over names of sources.

        Raises:
            UnknownSource: When one has none.
        """
        for name in names:
            if name not in self._sources:
                raise UnknownSource(name, self._sources)

    def read_at(self, name: str) -> datetime | None:
        """Return when a source was last read, or None."""
        return self._load(name).read_at

    def refresh(
        self,
        names: Iterable[str] | None = None,
        *,
        rebuild: bool = False,
        progress: Progress | None = None,
    ) -> tuple[SourceReport, ...]:
        """Read sources anew; what has not changed is not read again.

        Blocking, minutes for a crawl: call it in a thread.

        Args:
            names: The sources; None means all.
            rebuild: Whether to read again what has not changed.
            progress: Told of every document.

        Raises:
            UnknownSource: When there is none of a name.
            IngestBusy: When another process reads them, and goes on for a minute.
        """
        wanted = tuple(self._sources) if names is None else tuple(names)
        self.check(wanted)
        with self._busy, ingest_lock(self._home):
            return tuple(
                self._refresh(self._sources[name], progress, rebuild=rebuild) for name in wanted
            )

    def stop(self) -> None:
        """Have a reading that is under way end after its present document, without effect."""
        self._stopping.set()

    def fingerprint(self) -> str:
        """Return a hash over what the sources gave, whenever it was read."""
        digest = blake2b(digest_size=16)
        for name in self._sources:
            kept = self._read(name, _Unread) or _Unread()
            digest.update(name.encode() + b"\0" + bytes(kept.documents))
        return digest.hexdigest() if self._sources else ""

    def catalogue(
        self, dirs: SourceDirs, *, keep: bool = False
    ) -> tuple[Catalogue, list[SourceProblem]]:
        """Return the shop's own catalogue together with what the sources gave.

        Args:
            dirs: The shop's folder, whose products stay as they were if they cannot be read.
            keep: Whether to remember them for that.

        Raises:
            EmptyShop: When the shop's folder holds no products, and none are kept.
            SourceUnreadable: When its products are broken, and none are kept.
        """
        shop, problems = self._shop(dirs, keep=keep)
        merger = _Merger(shop)
        for name in self._sources:
            for document in self._load(name).documents.values():
                merger.add(name, document)
        return merger.merged(), [*problems, *merger.problems]

    def _shop(self, dirs: SourceDirs, *, keep: bool) -> tuple[Catalogue, list[SourceProblem]]:
        try:
            catalogue, problems = read_shop(dirs)
        except (EmptyShop, SourceUnreadable) as error:
            kept = self._read(_SHOP, Catalogue)
            if kept is None:
                raise
            reason = f"{error}; what it gave before stays"
            return kept, [SourceProblem(str(dirs.shop), "", reason)]
        if keep:
            self._write(_SHOP, msgspec.json.encode(catalogue))
        return catalogue, problems

    def _refresh(self, source: Source, progress: Progress | None, *, rebuild: bool) -> SourceReport:
        started = perf_counter()
        before = self._load(source.name).documents
        known = (
            {}
            if rebuild
            else {
                key: document.fingerprint
                for key, document in before.items()
                if document.fingerprint
            }
        )
        now: dict[str, Document] = {}
        failure = ""
        try:
            for document in source.documents(known):
                now[document.key] = _settled(document, before.get(document.key))
                if progress:
                    progress(source.name, len(now))
                if self._stopping.is_set():
                    failure = "was stopped"
                    break
        except KnowledgeError as error:
            failure = str(error)
        except Exception as error:
            log.exception("source_failed", source=source.name)
            failure = f"{type(error).__name__}: {error}"
        failure = failure or _emptied(before, now, rebuild=rebuild)
        if not failure:
            kept = Kept(_FORMAT, self._clock(), now)
            self._write(source.name, msgspec.json.encode(kept))
        report = _compared(source.name, before, now if not failure else before)
        seconds = round(perf_counter() - started, 2)
        log.info("source_read", source=source.name, items=report.read, failure=failure)
        return msgspec.structs.replace(report, failure=failure, seconds=seconds)

    def _load(self, name: str) -> Kept:
        kept = self._read(name, Kept)
        return kept if kept is not None and kept.format == _FORMAT else Kept()

    def _read(self, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(self._file(name).read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError):
            return None

    def _write(self, name: str, content: bytes) -> None:
        path = self._file(name)
        draft = path.with_suffix(".draft")
        draft.write_bytes(content)
        draft.replace(path)

    def _file(self, name: str) -> Path:
        return self._home / f"{name}.json"


class _Merger:
    """The shop's catalogue while those of the sources are added: what came first stays."""

    def __init__(self, shop: Catalogue) -> None:
        self._shop = shop
        self._products = {product.id: product for product in shop.products}
        self._own = frozenset(self._products)
        self._variants = {v.id: p.id for p in shop.products for v in p.variants}
        self._passages = {passage.id: passage for passage in shop.passages}
        self._categories = {category.id: category for category in shop.categories}
        self._shelves = {fold(title): c.id for c in shop.categories for title in c.title.values()}
        self.problems: list[SourceProblem] = []

    def add(self, source: str, document: Document) -> None:
        """Add what a document gave, and its problems."""
        self.problems += document.problems
        place = f"{source}: {document.key}"
        shelves = {category.id: self._shelf(category) for category in document.categories}
        for product in document.products:
            shelf = shelves.get(product.category, product.category)
            self._add_product(msgspec.structs.replace(product, category=shelf), place)
        for passage in document.passages:
            if self._passages.setdefault(passage.id, passage) != passage:
                reason = "this id came before with another text; kept the first"
                self.problems.append(SourceProblem(place, passage.id, reason))

    def merged(self) -> Catalogue:
        """Return everything."""
        return msgspec.structs.replace(
            self._shop,
            products=tuple(self._products.values()),
            categories=tuple(self._categories.values()),
            passages=tuple(self._passages.values()),
        )

    def _add_product(self, product: Product, place: str) -> None:
        reason = ""
        if product.id in self._own:
            reason = "the shop has this product itself"
        elif self._products.get(product.id, product) != product:
            reason = "this id came before with other facts; kept the first"
        elif any(self._variants.get(v.id, product.id) != product.id for v in product.variants):
            reason = "one of its variants belongs to another product"
        if reason:
            self.problems.append(SourceProblem(place, product.id, reason))
            return
        self._products[product.id] = product
        self._variants.update((variant.id, product.id) for variant in product.variants)

    def _shelf(self, category: Category) -> str:
        """Return the id of the shop's category of the same name, else a new one's."""
        titles = (fold(title) for title in category.title.values())
        known = next((self._shelves[title] for title in titles if title in self._shelves), "")
        if known:
            return known
        self._categories.setdefault(category.id, category)
        return category.id


def _settled(document: Document, before: Document | None) -> Document:
    """Return a document, or what it gave before where it was not read."""
    if document.state == "read":
        return document
    if before is None:
        return msgspec.structs.replace(document, fingerprint="")
    if document.state == "unchanged":
        return before
    notes = tuple(
        msgspec.structs.replace(p, reason=f"{p.reason}; what it gave before stays")
        for p in document.problems
    )
    old = tuple(problem for problem in before.problems if problem.kept)
    return msgspec.structs.replace(before, fingerprint="", problems=(*old, *notes))


def _emptied(before: Mapping[str, Document], now: Mapping[str, Document], *, rebuild: bool) -> str:
    """Return why a source that gives nothing any more is not believed; empty if it is."""
    if rebuild or not any(_items(before)) or any(_items(now)):
        return ""
    return "gives nothing any more; what it gave before stays (--rebuild lets it go)"


def _items(documents: Mapping[str, Document]) -> Iterator[tuple[str, Product | Passage]]:
    for document in documents.values():
        yield from ((f"product {item.id}", item) for item in document.products)
        yield from ((f"passage {item.id}", item) for item in document.passages)


def _compared(
    name: str, before: Mapping[str, Document], now: Mapping[str, Document]
) -> SourceReport:
    old, new = dict(_items(before)), dict(_items(now))
    return SourceReport(
        name=name,
        read=len(new),
        added=sum(key not in old for key in new),
        changed=sum(key in old and old[key] != item for key, item in new.items()),
        removed=sum(key not in new for key in old),
        problems=tuple(p for document in now.values() for p in document.problems),
    )
