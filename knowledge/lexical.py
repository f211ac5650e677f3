"""Word search: BM25 over lemmas and compound parts, with folded umlauts and typos.

The postings lie in a SQLite file, a row for each term, and are read as arrays when asked for: what
a search costs grows with what its words match, and not with Python's loops.
"""

import math
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock

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
_FIELDS = {"": 7, "title": 1, "keywords": 2, "body": 4}
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
    """

    score: Scores
    coverage: Scores
    titled: Scores


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
        for row, entry in enumerate(ordered):
            columns = (entry.title, entry.keywords, entry.body)
            found.add(row, [self._index_terms(text, entry.language) for text in columns])
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

    def measure(self, text: str, language: str, column: str = "") -> Measures:
        """Return how well every owner holds the words of a text.

        Args:
            text: What is searched for.
            language: Language of the text; entries of every language are searched.
            column: "title", "keywords" or "body" to search only there.
        """
        score, covered, titled = (np.zeros(len(self.owners), dtype=np.float32) for _ in range(3))
        total = 0.0
        for group in self.query_groups(text, language):
            weight = max(self._idf(term) for term in group) if group else self._idf("")
            total += weight
            if not group:
                continue
            mine, fields = self._group_scores(tuple(group), _FIELDS[column])
            share = weight * max(group.values())
            score += mine
            covered += share * (mine > 0)
            titled += share * ((fields & _FIELDS["title"]) > 0)
        whole = total or 1.0
        return Measures(score, np.minimum(covered / whole, 1.0), np.minimum(titled / whole, 1.0))

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

    def _index_terms(self, text: str, language: str) -> list[str]:
        terms: list[str] = []
        for word in split_words(text):
            terms.append(_token(self.words.canonical(word, language)))
            if language == "de":
                terms.extend(self.words.parts(word))
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
    """Terms of all entries while an index is built."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[array[int], array[float], array[int]]] = {}
        self._lengths = array("i")

    def add(self, row: int, columns: Sequence[Sequence[str]]) -> None:
        """Take in the terms of an entry's title, keywords and body."""
        weights: dict[str, float] = {}
        fields: dict[str, int] = {}
        for number, (terms, weight) in enumerate(zip(columns, _WEIGHTS, strict=True)):
            for term in terms:
                weights[term] = weights.get(term, 0.0) + weight
                fields[term] = fields.get(term, 0) | 1 << number
        for term, weight in weights.items():
            rows, summed, seen = self._found.setdefault(term, (array("i"), array("f"), array("B")))
            rows.append(row)
            summed.append(weight)
            seen.append(fields[term])
        self._lengths.append(sum(map(len, columns)))

    def scored(self) -> Iterable[tuple[str, int, bytes, bytes, bytes]]:
        """Return a row of the table for each term, with its BM25 scores."""
        lengths = np.array(self._lengths, dtype=np.float32)
        average = float(lengths.mean()) if len(lengths) else 1.0
        damping = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths / max(average, 1.0))
        for term, (rows, weights, fields) in self._found.items():
            if not term:
                continue
            count = len(rows)
            idf = max(_LEAST_IDF, math.log((len(lengths) - count + 0.5) / (count + 0.5)))
            often = np.frombuffer(weights, dtype=np.float32)
            damped = damping[np.frombuffer(rows, dtype=np.int32)]
            scores = (idf * often * (_SATURATION + 1) / (often + damped)).astype(np.float32)
            yield term, count, rows.tobytes(), scores.tobytes(), fields.tobytes()


def _token(word: str) -> str:
    return word.replace(".", "").replace(",", "")
