"""Word search: BM25 over lemmas and compound parts, with folded umlauts and typos.

The postings lie in a SQLite file, a row for each term, and are read as arrays when asked for: what
a search costs grows with what its words match, and not with Python's loops.
"""

import math
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from knowledge.words import Words, clean, split_words, umlaut_forms

_SCHEMA = """
CREATE TABLE postings (
    term TEXT PRIMARY KEY, documents INTEGER, rows BLOB, scores BLOB, fields BLOB
) WITHOUT ROWID;
CREATE TABLE owners (number INTEGER PRIMARY KEY, owner TEXT, rows INTEGER);
CREATE TABLE lemmas (word TEXT PRIMARY KEY, lemma TEXT);
"""
_WEIGHTS = (6.0, 3.0, 1.0)
IN_TITLE, IN_KEYWORDS, IN_BODY = 1, 2, 4
_FIELDS = {"": 7, "title": IN_TITLE, "keywords": IN_KEYWORDS, "body": IN_BODY}
_SATURATION = 1.2
_LENGTH_SHARE = 0.75
_LEAST_IDF = 1e-6
_TYPO_SCORE = 82.0
_MIN_TYPO_CHARS = 5
_MANY_TERMS = 5_000
"""From so many terms on, a typo is looked for among those with its first letter."""
_MAX_KNOWN_TYPOS = 10_000
_MAX_QUERY_WORDS = 24
_PART_WEIGHT = 0.6
Scores = NDArray[np.float32]
LookedUp: TypeAlias = dict[tuple[str, ...], tuple[Scores, NDArray[np.uint8]]]
"""What words score for each owner, and the fields that hold them, by their terms."""


class LexicalEntry(msgspec.Struct, frozen=True):
    """What is indexed of one product or passage in one language."""

    owner: str
    language: str
    title: str
    keywords: str
    body: str


class LexicalHit(msgspec.Struct, frozen=True):
    """A found owner.

    `score` is BM25, open-ended. `coverage` is the share in [0, 1] of the query's
    weight of meaning that the entry holds; words that the index lacks count too.
    """

    owner: str
    score: float
    coverage: float


class Measures(msgspec.Struct, frozen=True):
    """What a text scores for each owner, in the order of `LexicalIndex.owners`.

    `score` is BM25, open-ended; `coverage` and `titled` are the shares in [0, 1] of the text's
    weight of meaning that the owner and its title hold; words that the index lacks count too.
    `fields` has a bit of `IN_TITLE`, `IN_KEYWORDS` or `IN_BODY` for each that holds any word.
    """

    score: Scores
    coverage: Scores
    titled: Scores
    fields: NDArray[np.uint8]


class LexicalIndex:
    """A word index in one SQLite file."""

    def __init__(self, path: Path | str, stop_words: frozenset[str]) -> None:
        """Open an index written by `build`.

        Args:
            path: File, or ":memory:".
            stop_words: Folded words that carry no meaning in a search.
        """
        self._db = sqlite3.connect(str(path), check_same_thread=False)
        self._lock = Lock()
        self.stop_words = stop_words
        self.words = Words()
        self.owners: tuple[str, ...] = ()
        self._starts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._rows = 0
        self._terms: dict[str, int] = {}
        self._fuzzy: dict[str, list[str]] = {}
        self._known_typos: dict[str, dict[str, float]] = {}
        if self._has_tables():
            self._load()

    def build(self, entries: Iterable[LexicalEntry]) -> None:
        """Fill an empty index."""
        ordered = sorted(entries, key=lambda entry: entry.owner)
        found = _Postings()
        known: dict[str, dict[str, tuple[str, ...]]] = {}
        for entry in ordered:
            mine = known.setdefault(entry.language, {})
            columns = (entry.title, entry.keywords, entry.body)
            found.add([self._index_terms(text, entry.language, mine) for text in columns])
        counts = Counter(entry.owner for entry in ordered)
        with self._lock, self._db:
            self._db.executescript(_SCHEMA)
            self._db.executemany("INSERT INTO postings VALUES (?, ?, ?, ?, ?)", found.scored())
            self._db.executemany("INSERT INTO owners(owner, rows) VALUES (?, ?)", counts.items())
            self._db.executemany("INSERT INTO lemmas VALUES (?, ?)", self.words.memory.items())
        self._load()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def search(
        self, text: str, language: str, limit: int = 200, column: str = ""
    ) -> list[LexicalHit]:
        """Return owners that hold the words of a text, best first.

        Args:
            text: What is searched for.
            language: Language of the text; entries of every language are searched.
            limit: Most hits returned.
            column: "title", "keywords" or "body" to search only there.
        """
        found = self.measure(text, language, column)
        places = np.flatnonzero(found.score).tolist()
        hits = [
            LexicalHit(self.owners[i], float(found.score[i]), float(found.coverage[i]))
            for i in places
        ]
        hits.sort(key=lambda hit: (-hit.coverage * hit.score, hit.owner))
        return hits[:limit]

    def measure(
        self, text: str, language: str, column: str = "", looked_up: LookedUp | None = None
    ) -> Measures:
        """Return how well every owner holds the words of a text.

        Args:
            text: What is searched for.
            language: Language of the text; entries of every language are searched.
            column: "title", "keywords" or "body" to search only there.
            looked_up: What was found for words before, for texts that share them.
        """
        looked_up = {} if looked_up is None else looked_up
        score, covered, titled = (np.zeros(len(self.owners), dtype=np.float32) for _ in range(3))
        held = np.zeros(len(self.owners), dtype=np.uint8)
        total = 0.0
        for group in self.query_groups(text, language):
            weight = max(self._idf(term) for term in group) if group else self._idf("")
            total += weight
            if not group:
                continue
            key = (*group, column)
            if key not in looked_up:
                looked_up[key] = self._group_scores(tuple(group), _FIELDS[column])
            mine, fields = looked_up[key]
            share = weight * max(group.values())
            score += mine
            held |= fields
            covered += share * (mine > 0)
            titled += share * ((fields & _FIELDS["title"]) > 0)
        whole = total or 1.0
        covered, titled = (np.minimum(part / whole, 1.0) for part in (covered, titled))
        return Measures(score, covered, titled, held)

    def query_groups(self, text: str, language: str) -> list[dict[str, float]]:
        """Return, for each meaningful word, the index terms it may mean with weights.

        A group is empty for a word that the index does not hold in any form.
        """
        groups: dict[str, dict[str, float]] = {}
        for word in split_words(clean(text))[: _MAX_QUERY_WORDS * 3]:
            if not self.is_stop(word, language) and len(groups) < _MAX_QUERY_WORDS:
                groups.setdefault(word.lower(), self._alternatives(word, language))
        return list(groups.values())

    def is_stop(self, word: str, language: str) -> bool:
        """Return whether a word carries no meaning in a search."""
        folded = {self.words.canonical(word, language), word.lower()}
        return bool(folded & self.stop_words) or (len(word) == 1 and not word.isdigit())

    def knows(self, word: str, language: str) -> bool:
        """Return whether the index holds the word in some form."""
        return bool(self._alternatives(word, language))

    def _alternatives(self, word: str, language: str) -> dict[str, float]:
        forms = [self.words.canonical(form, language) for form in umlaut_forms(word)]
        other = "en" if language == "de" else "de"
        forms.append(self.words.canonical(word, other))
        found = {form: 1.0 for form in map(_token, forms) if form in self._terms}
        if not found:
            parts = self.words.parts(word)
            known = [part for part in parts if part in self._terms]
            # The last part says what a compound is: without it the rest misleads.
            found = dict.fromkeys(known if parts[-1:] == tuple(known[-1:]) else (), _PART_WEIGHT)
        return found or self._typos(forms[0])

    def _typos(self, word: str) -> dict[str, float]:
        if len(word) < _MIN_TYPO_CHARS or not word.isalpha():
            return {}
        if word not in self._known_typos:
            if len(self._known_typos) >= _MAX_KNOWN_TYPOS:
                self._known_typos.clear()
            few = len(self._terms) < _MANY_TERMS
            among = self._fuzzy.get("" if few else word[0], [])
            matches = process.extract(
                word, among, scorer=fuzz.ratio, score_cutoff=_TYPO_SCORE, limit=3
            )
            self._known_typos[word] = {
                term: score / 100 for term, score, _ in matches if abs(len(term) - len(word)) <= 2
            }
        return self._known_typos[word]

    def _group_scores(self, terms: Sequence[str], wanted: int) -> tuple[Scores, NDArray[np.uint8]]:
        """Return for each owner its best entry's score, and the fields that hold a term."""
        scores = np.zeros(self._rows, dtype=np.float32)
        fields = np.zeros(self._rows, dtype=np.uint8)
        marks = ", ".join("?" * len(terms))
        sql = f"SELECT rows, scores, fields FROM postings WHERE term IN ({marks})"  # noqa: S608
        with self._lock:
            found = self._db.execute(sql, terms).fetchall()
        for raw_rows, raw_scores, raw_fields in found:
            rows = np.frombuffer(raw_rows, dtype=np.int32)
            parts = np.frombuffer(raw_scores, dtype=np.float32)
            where = np.frombuffer(raw_fields, dtype=np.uint8)
            inside = (where & wanted) > 0
            rows, parts, where = rows[inside], parts[inside], where[inside]
            scores[rows] += parts
            fields[rows] |= where
        if self._rows == len(self.owners):
            return scores, fields
        return (
            np.maximum.reduceat(scores, self._starts),
            np.bitwise_or.reduceat(fields, self._starts),
        )

    def _idf(self, term: str) -> float:
        count = self._terms.get(term, 0)
        return math.log(1 + (self._rows + 0.5) / (count + 0.5))

    def _index_terms(
        self, text: str, language: str, known: dict[str, tuple[str, ...]]
    ) -> list[str]:
        """Return the terms of a text; `known` remembers those of its language's words."""
        terms: list[str] = []
        for word in split_words(text):
            own = known.get(word)
            if own is None:
                parts = self.words.parts(word) if language == "de" else ()
                own = known[word] = (_token(self.words.canonical(word, language)), *parts)
            terms += own
        return terms

    def _has_tables(self) -> bool:
        row = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'owners'").fetchone()
        return row is not None

    def _load(self) -> None:
        counted = self._db.execute("SELECT owner, rows FROM owners ORDER BY number").fetchall()
        self.owners = tuple(owner for owner, _ in counted)
        ends = np.cumsum([rows for _, rows in counted], dtype=np.int64)
        self._rows = int(ends[-1]) if len(ends) else 0
        self._starts = np.concatenate(([0], ends[:-1])) if len(ends) else ends
        self._terms = dict(self._db.execute("SELECT term, documents FROM postings"))
        long = [term for term in self._terms if len(term) >= _MIN_TYPO_CHARS and term.isalpha()]
        self._fuzzy = {"": long}
        for term in long:
            self._fuzzy.setdefault(term[0], []).append(term)
        self._known_typos = {}
        self.words.remember(self._db.execute("SELECT word, lemma FROM lemmas"))


class _Postings:
    """Terms of all entries while an index is built: one number for each word of each entry."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._terms = array("i")
        self._sizes = array("i")

    def add(self, columns: Sequence[Sequence[str]]) -> None:
        """Take in the terms of the next entry's title, keywords and body."""
        numbers = self._numbers
        for terms in columns:
            self._terms.extend([numbers.setdefault(term, len(numbers)) for term in terms])
            self._sizes.append(len(terms))

    def scored(self) -> Iterable[tuple[str, int, bytes, bytes, bytes]]:
        """Return a row of the table for each term, with its BM25 scores."""
        sizes = np.array(self._sizes, dtype=np.int64).reshape(-1, len(_WEIGHTS))
        lengths = sizes.sum(axis=1).astype(np.float32)
        average = float(lengths.mean()) if len(lengths) else 1.0
        damping = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths / max(average, 1.0))
        terms, rows, often, fields = self._counted(sizes)
        starts = np.flatnonzero(np.diff(terms, prepend=-1))
        names = list(self._numbers)
        for start, stop in pairwise([*starts.tolist(), len(terms)]):
            name, own = names[terms[start]], rows[start:stop]
            if not name:
                continue
            count = stop - start
            idf = max(_LEAST_IDF, math.log((len(lengths) - count + 0.5) / (count + 0.5)))
            weight = often[start:stop]
            scores = idf * weight * (_SATURATION + 1) / (weight + damping[own])
            held = fields[start:stop].tobytes()
            yield name, count, own.tobytes(), scores.astype(np.float32).tobytes(), held

    def _counted(
        self, sizes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], Scores, NDArray[np.uint8]]:
        """Return each term's entries in order, with the weight and fields of the term in them."""
        flat = sizes.ravel()
        places = np.repeat(np.arange(len(flat)), flat)
        keys = np.array(self._terms, dtype=np.int64) * len(sizes) + places // len(_WEIGHTS)
        order = np.argsort(keys, kind="stable")
        keys, columns = keys[order], (places % len(_WEIGHTS))[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        if not len(starts):
            nothing = np.zeros(0, dtype=np.int64)
            return (
                nothing,
                nothing.astype(np.int32),
                nothing.astype(np.float32),
                nothing.astype(np.uint8),
            )
        often = np.add.reduceat(np.array(_WEIGHTS, dtype=np.float32)[columns], starts)
        fields = np.bitwise_or.reduceat((1 << columns).astype(np.uint8), starts)
        terms, rows = np.divmod(keys[starts], len(sizes))
        return terms, rows.astype(np.int32), often, fields


def _token(word: str) -> str:
    return word.replace(".", "").replace(",", "")
