"""Brings a shop's texts into the vector store; only what changed is encoded."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Catalogue, Category, Passage, Product, Unit, pick
from knowledge.errors import VectorShapeWrong
from knowledge.lexical import LexicalEntry
from knowledge.rerank import Reranker
from knowledge.sources import SourceProblem
from knowledge.store import VectorRecord, VectorStore, VectorTable, replaced
from knowledge.words import clean

Encode = Callable[[list[str]], NDArray[np.float32]]
_BATCH = 256
_MAX_BODY_CHARS = 450
_TITLE_WEIGHT = 0.7
ANSWER, MEANING = ":a", "~"
"""How the ids of vectors of answers end, and of vectors of what is meant."""
USUAL = "usual"
"""The owner of the questions of all kinds."""


class IngestReport(msgspec.Struct, frozen=True):
    """What an ingest did, counted in texts (a product has one for each language)."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    errors: tuple[SourceProblem, ...] = ()

    def plus(self, other: "IngestReport") -> "IngestReport":
        """Return the sum of two reports."""
        return IngestReport(
            self.added + other.added,
            self.changed + other.changed,
            self.removed + other.removed,
            self.unchanged + other.unchanged,
            self.errors + other.errors,
        )


class Encoders(msgspec.Struct, frozen=True):
    """The two sides of the sentence encoder: texts to normalised float32 rows.

    `reranker`, where there is one, looks at the best results of a product search again. `meanings`
    encodes what is meant, where that is another vector than for search.
    """

    queries: Encode
    passages: Encode
    reranker: Reranker | None = None
    meanings: Encode | None = None

    def by_role(self) -> Iterator[tuple[str, Encode]]:
        """Yield what encodes the texts of each role of `Unit`."""
        yield "query", self.queries
        yield "passage", self.passages
        yield "meaning", self.meanings or self.queries


def product_units(catalogue: Catalogue) -> Iterator[Unit]:
    """Return the texts to embed of all products, one for each language."""
    categories = {category.id: category for category in catalogue.categories}
    for product in catalogue.products:
        for language in sorted({*product.title, *product.description}):
            yield Unit(
                f"{product.id}:{language}",
                product.id,
                language,
                clean(product_text(product, categories.get(product.category), language)),
                title=clean(pick(product.title, language)),
            )


def product_text(product: Product, category: Category | None, language: str) -> str:
    """Return what a product is, in words, for the encoder."""
    shelf = pick(category.title, language) if category else product.category
    body = pick(product.description, language)[:_MAX_BODY_CHARS]
    return ". ".join(filter(None, (pick(product.title, language), shelf, product.brand, body)))


def passage_units(
    passages: Iterable[Passage], usual: Sequence[str] = (), *, tuned: bool = False
) -> Iterator[Unit]:
    """Return the texts to embed of passages: each question, and the answer.

    Args:
        passages: the help texts, and the questions that none of them answers.
        usual: questions of all kinds, to know what all questions have in common.
        tuned: whether to embed each text for what is meant as well.
    """
    for unit in _passage_units(passages, usual):
        yield unit
        if tuned:
            yield msgspec.structs.replace(unit, id=f"{unit.id}{MEANING}", role="meaning")


def _passage_units(passages: Iterable[Passage], usual: Sequence[str]) -> Iterator[Unit]:
    for number, question in enumerate(usual):
        yield Unit(f"{USUAL}:q{number}", USUAL, "", clean(question), "query")
    for passage in passages:
        questions = [text for text in (passage.title, *passage.variants) if text.strip()]
        for number, question in enumerate(questions):
            yield Unit(
                f"{passage.id}:q{number}", passage.id, passage.language, clean(question), "query"
            )
        if passage.text:
            body = clean(f"{passage.title} {passage.text}")
            yield Unit(f"{passage.id}{ANSWER}", passage.id, passage.language, body)


def product_entries(catalogue: Catalogue) -> Iterator[LexicalEntry]:
    """Return what the word index holds of products."""
    categories = {category.id: category for category in catalogue.categories}
    for product in catalogue.products:
        category = categories.get(product.category)
        for language in sorted({*product.title, *product.description}):
            words = [product.brand, product.category, *product.tags]
            if category:
                words += [pick(category.title, language), *category.synonyms.get(language, ())]
            words += _value_words(product, catalogue, language)
            yield LexicalEntry(
                product.id,
                language,
                clean(pick(product.title, language)),
                clean(" ".join(words).replace("_", " ")),
                clean(pick(product.description, language)),
            )


def _value_words(product: Product, catalogue: Catalogue, language: str) -> list[str]:
    pairs = {pair for variant in product.variants for pair in variant.options.items()}
    words: list[str] = []
    for name, value in product.attributes.items():
        if value is True:
            words.append(name)
        values = value if isinstance(value, list) else [value]
        pairs.update((name, item) for item in values if isinstance(item, str))
    for name, value in sorted(pairs):
        forms = catalogue.vocabulary.values.get(name, {}).get(value, {}).get(language, ())
        words += forms or (value,)
    return words


def passage_entries(passages: Iterable[Passage]) -> Iterator[LexicalEntry]:
    """Return what the word index holds of passages."""
    for passage in passages:
        if passage.is_unanswered:
            continue
        yield LexicalEntry(
            passage.id,
            passage.language,
            clean(passage.title),
            clean(" ".join((*passage.variants, passage.source_title))),
            clean(passage.text),
        )


def ingest_units(
    store: VectorStore,
    collection: str,
    units: Sequence[Unit],
    encoders: Encoders,
    known: VectorTable | None = None,
) -> tuple[IngestReport, VectorTable]:
    """Make a collection hold exactly these texts, encoding only new and changed ones.

    Interrupted and run again, it goes on where it was.

    Args:
        store: holds the collection.
        collection: its name.
        units: with different ids.
        encoders: for what is new.
        known: what the collection held before, where that is at hand: it is not read again.

    Returns:
        What was done, and what the collection holds now.

    Raises:
        VectorShapeWrong: When the encoder does not return a row for each text.
    """
    stored = store.hashes(collection)
    wanted = {unit.id: unit for unit in units}
    removed = [key for key in stored if key not in wanted]
    fresh = [unit for unit in wanted.values() if stored.get(unit.id) != unit.hash]
    store.write(collection, [], removed)
    written: list[VectorRecord] = []
    for role, encode in encoders.by_role():
        mine = [unit for unit in fresh if unit.role == role]
        for start in range(0, len(mine), _BATCH):
            records = _encode(mine[start : start + _BATCH], encode)
            store.write(collection, records, [])
            written += records
    added = sum(unit.id not in stored for unit in fresh)
    report = IngestReport(
        added=added,
        changed=len(fresh) - added,
        removed=len(removed),
        unchanged=len(wanted) - len(fresh),
    )
    table = replaced(known or VectorTable(), wanted.keys(), written)
    is_whole = dict(zip(table.ids, table.hashes, strict=True)) == {
        unit.id: unit.hash for unit in wanted.values()
    }
    return report, table if is_whole else store.load(collection)


def _encode(units: Sequence[Unit], encode: Encode) -> list[VectorRecord]:
    matrix = unit_vectors(units, encode)
    return [
        VectorRecord(unit.id, unit.owner_id, unit.language, unit.hash, row)
        for unit, row in zip(units, matrix, strict=True)
    ]


def unit_vectors(units: Sequence[Unit], encode: Encode) -> NDArray[np.float32]:
    """Return a unit vector for each text; a title of its own is mixed into it.

    Raises:
        VectorShapeWrong: When the encoder does not return a row for each text.
    """
    titles = list(dict.fromkeys(unit.title for unit in units if unit.title))
    texts = [unit.text for unit in units]
    matrix = np.asarray(encode([*texts, *titles]), dtype=np.float32)
    if matrix.ndim != 2 or matrix.shape[0] != len(texts) + len(titles):
        raise VectorShapeWrong(len(texts) + len(titles), matrix.shape)
    mixed = matrix[: len(texts)].copy()
    place = {title: len(texts) + number for number, title in enumerate(titles)}
    for row, unit in enumerate(units):
        if unit.title:
            mixed[row] += _TITLE_WEIGHT * matrix[place[unit.title]]
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.asarray(mixed / np.maximum(lengths, 1e-6), dtype=np.float32)
