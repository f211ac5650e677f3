"""The knowledge room's front door: opens the index, keeps it fresh, answers."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import perf_counter

import msgspec
import structlog

from knowledge.answer_vectors import usual_questions
from knowledge.answers import Answer, AnswerFinder, Asker
from knowledge.bundles import Bundle, BundleFinder, read_bundles
from knowledge.constraints import ConstraintReader
from knowledge.documents import Catalogue, Passage, Product
from knowledge.gathering import Gathering
from knowledge.index_version import (
    Version,
    is_same_encoder,
    probed,
    read_version,
    write_version,
)
from knowledge.ingest import (
    Encoders,
    IngestReport,
    ingest_units,
    passage_entries,
    passage_units,
    product_entries,
    product_units,
)
from knowledge.ingest_lock import ingest_lock
from knowledge.lexical import LexicalIndex
from knowledge.lexicon import Lexicon, read_word_files
from knowledge.merchandising import Merchandising, read_rules
from knowledge.purchases import Purchase
from knowledge.query import ProductMatch, ProductQuery, ProductResult
from knowledge.recommend import Recommender
from knowledge.recommend_rank import (
    Recommendation,
    RecommendationRanker,
    RecommendRequest,
    shelves_of,
)
from knowledge.recommend_store import RecommendStore, TrainReport
from knowledge.refine import Refiner
from knowledge.resolve import Candidate, ProductResolver
from knowledge.retrieve import ProductSearch
from knowledge.signals import ProductSignals
from knowledge.sources import SourceDirs, SourceProblem
from knowledge.store import OpenStore, VectorTable, load_table, open_store, save_table
from knowledge.variants import VariantTable
from knowledge.words import warm

_KINDS = ("products", "passages")
log = structlog.get_logger(__name__)


class _State(msgspec.Struct, frozen=True):
    """Everything that answers, over one reading of the sources; replaced as a whole."""

    catalogue: Catalogue
    table: VariantTable
    reader: ConstraintReader
    refiner: Refiner
    search: ProductSearch
    resolver: ProductResolver
    answers: AnswerFinder
    recommender: Recommender
    ranker: RecommendationRanker


class Library:
    """What the bot knows of a shop."""

    def __init__(
        self,
        dirs: SourceDirs,
        data_dir: Path,
        vocabulary_dir: Path,
        encoders: Encoders | None,
        gathering: Gathering | None = None,
        opener: OpenStore = open_store,
    ) -> None:
        """Open the last complete index, or a word index of the sources until `ingest`.

        Args:
            dirs: The shop's texts.
            data_dir: Where the index lives (`chroma/` and `knowledge/` are made in it).
            vocabulary_dir: Holds search_words.yml, attributes.yml and merchandising.yml.
            encoders: Normalised float32 sentence vectors; None searches by words alone.
            gathering: What other sources gave.
            opener: Opens the vector store of a directory.

        Raises:
            EmptyShop: When the shop directory holds no products.json, and never did.
            SourceUnreadable: When its products.json is broken, and always was.
            OSError: When a word file is missing.
            MerchandisingRuleWrong: When a rule of ranking cannot be followed.
        """
        self._dirs = dirs
        self._data_dir = data_dir
        self._home = data_dir / "knowledge"
        self._home.mkdir(parents=True, exist_ok=True)
        self._encoders = encoders
        self._open_store = opener
        self.gathering = gathering or Gathering(self._home / "sources")
        self._files = read_word_files(vocabulary_dir)
        self._rules = read_rules(vocabulary_dir / "merchandising.yml")
        self._usual = usual_questions(vocabulary_dir)
        self.bundles = BundleFinder(
            read_bundles(vocabulary_dir / "bundles.yml"), self.search_products
        )
        self._statistics = RecommendStore(self._home)
        self._ingesting = Lock()
        self.problems: tuple[SourceProblem, ...] = ()
        self._version = read_version(self._home)
        self.needs_ingest = not self._is_current()
        #: Whether everything is loaded, so that all answers take their usual time.
        self.is_warm = False
        catalogue = self._read()
        stored = self._version.number if not self.needs_ingest else None
        self._state = self._build(catalogue, stored)

    def ingest(self, *, rebuild: bool = False) -> IngestReport:
        """Bring the index up to date; the old one answers until the new one is complete.

        Blocking: call it in a thread. Without an encoder only words are indexed.

        Raises:
            EmptyShop: When the shop directory holds no products.json, and never did.
            SourceUnreadable: When its products.json is broken, and always was.
            IngestBusy: When another process is at it, and goes on for a minute.
        """
        with self._ingesting, ingest_lock(self._home):
            started = perf_counter()
            fingerprint = self._fingerprint()
            catalogue = self._read(keep=True)
            report = IngestReport(errors=self.problems)
            stored = read_version(self._home)
            if stored.number > self._version.number:  # by another process
                self._version = stored
            number = self._version.number + 1
            version = self._next_version(number, fingerprint, rebuild=rebuild)
            if self._encoders:
                report = report.plus(self._ingest_vectors(catalogue, version))
            self._build_words(catalogue, number)
            old, self._version = self._version, version
            write_version(self._home, version)
            self._state = self._build(catalogue, number)
            self.needs_ingest = False
            self._tidy(old)
            log.info(
                "knowledge_ingested",
                added=report.added,
                changed=report.changed,
                removed=report.removed,
                unchanged=report.unchanged,
                errors=len(report.errors),
                seconds=round(perf_counter() - started, 2),
            )
            return report

    def is_behind(self) -> bool:
        """Return whether sources hold what is not indexed here; blocking.

        So it is after an ingest that failed, and when another process has read the sources.
        """
        return self._version.fingerprint != self._fingerprint()

    def warm(self) -> None:
        """Load the dictionaries that only rare words need; call it in a thread."""
        warm()
        self.is_warm = True

    @property
    def products(self) -> tuple[Product, ...]:
        """All products as last ingested."""
        return self._state.catalogue.products

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All help texts as last ingested."""
        return tuple(p for p in self._state.catalogue.passages if not p.is_unanswered)

    @property
    def unanswered(self) -> tuple[Passage, ...]:
        """The questions that no help text answers, as variants of what is never quoted."""
        return tuple(p for p in self._state.catalogue.passages if p.is_unanswered)

    def product(self, product_id: str) -> Product | None:
        """Return a product, or None."""
        row = self._state.table.product_row_of.get(product_id)
        return None if row is None else self._state.table.products[row]

    def read_query(self, sentence: str, language: str) -> ProductQuery:
        """Return the limits and wishes of a sentence."""
        return self._state.reader.read(sentence, language)

    def refine(
        self,
        previous: ProductQuery,
        sentence: str,
        shown_price_minor: int | None = None,
        shown_size: str = "",
    ) -> ProductQuery:
        """Return the query after a follow-up such as "cheaper?" or "in blau"."""
        return self._state.refiner.refine(previous, sentence, shown_price_minor, shown_size)

    def search_products(self, query: ProductQuery) -> ProductResult:
        """Return products of which one variant meets every limit, best first."""
        return self._state.search.search_products(query)

    def bundle(self, sentence: str, language: str) -> Bundle | None:
        """Return things in stock that together meet an open wish, or None."""
        return self.bundles.find(self.read_query(sentence, language), sentence)

    def answer(self, question: str, asker: Asker | str) -> Answer | None:
        """Return a quoted answer, or None when nothing supports one; `asker` may be a language."""
        return self._state.answers.answer(question, asker)

    def answers(self, question: str, asker: Asker | str) -> list[Answer]:
        """Return the answers to both halves of a question that has two, else the one, if any."""
        return self._state.answers.answers(question, asker)

    def rank_answers(self, question: str, asker: Asker | str, limit: int = 3) -> list[Answer]:
        """Return the nearest passages, also those too weak to answer."""
        return self._state.answers.rank(question, asker, limit)

    def resolve_product(self, text: str, language: str, limit: int = 5) -> list[Candidate]:
        """Return the products that a name said by a customer may mean."""
        query = msgspec.structs.replace(self._state.reader.read(text, language), limit=limit)
        words = query.keywords or tuple(query.text.split())
        limits = msgspec.structs.replace(query, categories=(), attributes={})
        return self._state.resolver.resolve(text, words, limits)

    def similar(
        self, product_id: str, limit: int = 3, options: dict[str, str] | None = None
    ) -> list[ProductMatch]:
        """Return products in stock that are most like one."""
        return self._state.recommender.similar(product_id, limit, options)

    def recommend(self, request: RecommendRequest) -> list[Recommendation]:
        """Return products in stock that meet every limit, best first, each with its reason."""
        return self._state.ranker.recommend(request)

    def learn_from(self, purchases: Iterable[Purchase], as_of: datetime) -> TrainReport:
        """Learn from orders what goes with what, unless nothing changed; blocking.

        Args:
            purchases: everything that was bought and kept.
            as_of: the present, aware UTC.
        """
        with self._ingesting:
            report, model = self._statistics.train(purchases, as_of)
            if model is not None:
                state = self._state
                ranker = state.ranker.learned(model)
                self._state = msgspec.structs.replace(state, ranker=ranker)
            return report

    def update_availability(self, variant_id: str, price_minor: int, *, available: bool) -> bool:
        """Take over a fresh price and stock; return False for an unknown variant."""
        return self._state.table.update_availability(variant_id, price_minor, available=available)

    def _fingerprint(self) -> str:
        return f"{self._dirs.fingerprint()}{self.gathering.fingerprint()}"

    def _read(self, *, keep: bool = False) -> Catalogue:
        catalogue, problems = self.gathering.catalogue(self._dirs, keep=keep)
        self.problems = tuple(problems)
        for problem in problems:
            log.warning("knowledge_source", path=problem.path, item=problem.item)
        return catalogue

    def _is_current(self) -> bool:
        number = self._version.number
        kinds = _KINDS if self._encoders else ()
        files = [self._words_file(kind, number) for kind in _KINDS]
        files += [self._vectors_file(kind, number) for kind in kinds]
        return (
            self._version.fingerprint == self._fingerprint()
            and all(file.is_file() for file in files)
            and self._is_same_encoder()
        )

    def _is_same_encoder(self) -> bool:
        return self._encoders is None or is_same_encoder(self._version, self._encoders)

    def _next_version(self, number: int, fingerprint: str, *, rebuild: bool) -> Version:
        generation = self._version.generation
        if self._encoders is None:
            return Version(number, fingerprint=fingerprint, generation=generation)
        generation += rebuild or not self._is_same_encoder()
        version = Version(number, fingerprint=fingerprint, generation=generation)
        return probed(version, self._encoders)

    def _ingest_vectors(self, catalogue: Catalogue, version: Version) -> IngestReport:
        report = IngestReport()
        if self._encoders is None:
            return report
        store = self._open_store(self._data_dir)
        units = {
            "products": list(product_units(catalogue)),
            "passages": list(
                passage_units(
                    catalogue.passages, self._usual, tuned=self._encoders.meanings is not None
                )
            ),
        }
        is_same = version.generation == self._version.generation
        for kind in _KINDS:
            collection = f"{kind}-{version.generation}"
            known = self._vectors(kind, self._version.number if is_same else None)
            done, table = ingest_units(store, collection, units[kind], self._encoders, known)
            save_table(self._vectors_file(kind, version.number), table)
            report = report.plus(done)
        return report

    def _build_words(self, catalogue: Catalogue, number: int) -> None:
        for kind in _KINDS:
            file = self._words_file(kind, number)
            file.unlink(missing_ok=True)
            self._fill(LexicalIndex(file, self._files.stop_words), catalogue, kind).close()

    def _fill(self, index: LexicalIndex, catalogue: Catalogue, kind: str) -> LexicalIndex:
        if kind == "products":
            Lexicon(catalogue, self._files, index.words)
            index.build(product_entries(catalogue))
        else:
            index.build(passage_entries(catalogue.passages))
        return index

    def _words(self, catalogue: Catalogue, kind: str, number: int | None) -> LexicalIndex:
        if number is not None:
            return LexicalIndex(self._words_file(kind, number), self._files.stop_words)
        return self._fill(LexicalIndex(":memory:", self._files.stop_words), catalogue, kind)

    def _vectors(self, kind: str, number: int | None) -> VectorTable:
        if number is None or self._encoders is None:
            return VectorTable()
        return load_table(self._vectors_file(kind, number)) or VectorTable()

    def _build(self, catalogue: Catalogue, number: int | None) -> _State:
        encode = self._encoders.queries if self._encoders else None
        words = self._words(catalogue, "products", number)
        reader = ConstraintReader(Lexicon(catalogue, self._files, words.words), self._files)
        table = VariantTable(catalogue)
        signals = ProductSignals(table, words, self._vectors("products", number), encode)
        recommender = Recommender(table, signals)
        return _State(
            catalogue=catalogue,
            table=table,
            reader=reader,
            refiner=Refiner(reader, self._files),
            search=ProductSearch(
                table,
                signals,
                Merchandising(self._rules, table),
                self._encoders.reranker if self._encoders else None,
            ),
            resolver=ProductResolver(table, signals),
            answers=AnswerFinder(
                catalogue.passages,
                self._words(catalogue, "passages", number),
                self._vectors("passages", number),
                self._encoders,
            ),
            recommender=recommender,
            ranker=RecommendationRanker(
                table, recommender, self._statistics.load(), shelves_of(catalogue.categories)
            ),
        )

    def _tidy(self, old: Version) -> None:
        """Remove what the last version alone used; readers keep the files they opened."""
        for kind in _KINDS:
            self._words_file(kind, old.number).unlink(missing_ok=True)
            self._vectors_file(kind, old.number).unlink(missing_ok=True)
        if self._encoders and old.generation != self._version.generation:
            store = self._open_store(self._data_dir)
            for kind in _KINDS:
                store.drop(f"{kind}-{old.generation}")

    def _words_file(self, kind: str, number: int) -> Path:
        return self._home / f"{kind}-{number}.sqlite3"

    def _vectors_file(self, kind: str, number: int) -> Path:
        return self._home / f"{kind}-{number}.npz"
