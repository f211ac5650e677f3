"""Word search over SQLite FTS5: lemmas, compound parts, folded umlauts, typos."""

import math
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock

import msgspec
from rapidfuzz import fuzz, process

from knowledge.words import Words, clean, split_words, umlaut_forms

_SCHEMA = """
CREATE VIRTUAL TABLE entries USING fts5(title, keywords, body, tokenize='unicode61');
CREATE VIRTUAL TABLE terms USING fts5vocab(entries, 'row');
CREATE TABLE owners (rowid INTEGER PRIMARY KEY, owner TEXT, language TEXT);
CREATE TABLE lemmas (word TEXT PRIMARY KEY, lemma TEXT);
"""
_WEIGHTS = "6.0, 3.0, 1.0"
_TYPO_SCORE = 82.0
_MIN_TYPO_CHARS = 5
_MAX_QUERY_WORDS = 24
_PART_WEIGHT = 0.6


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
        self._terms: dict[str, int] = {}
        self._fuzzy: list[str] = []
        self._count = 0
        if self._has_tables():
            self._load()

    def build(self, entries: Iterable[LexicalEntry]) -> None:
        """Fill an empty index."""
        with self._lock, self._db:
            self._db.executescript(_SCHEMA)
            for number, entry in enumerate(entries, start=1):
                columns = [
                    " ".join(self._index_terms(text, entry.language))
                    for text in (entry.title, entry.keywords, entry.body)
                ]
                self._db.execute(
                    "INSERT INTO entries(rowid, title, keywords, body) VALUES (?, ?, ?, ?)",
                    (number, *columns),
                )
                self._db.execute(
                    "INSERT INTO owners VALUES (?, ?, ?)", (number, entry.owner, entry.language)
                )
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
        groups = self.query_groups(text, language)
        scores: dict[str, dict[int, float]] = {}
        covers: dict[str, dict[int, float]] = {}
        total = 0.0
        for number, group in enumerate(groups):
            weight = max(self._idf(term) for term in group) if group else self._idf("")
            total += weight
            for owner, score in self._term_scores(tuple(group), column):
                mine = scores.setdefault(owner, {})
                mine[number] = max(mine.get(number, 0.0), score)
                covers.setdefault(owner, {})[number] = weight * max(group.values())
        hits = [
            LexicalHit(owner, sum(mine.values()), min(1.0, sum(covers[owner].values()) / total))
            for owner, mine in scores.items()
        ]
        hits.sort(key=lambda hit: (-hit.coverage * hit.score, hit.owner))
        return hits[:limit]

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
        matches = process.extract(
            word, self._fuzzy, scorer=fuzz.ratio, score_cutoff=_TYPO_SCORE, limit=3
        )
        return {term: score / 100 for term, score, _ in matches if abs(len(term) - len(word)) <= 2}

    def _term_scores(self, terms: Sequence[str], column: str) -> list[tuple[str, float]]:
        if not terms:
            return []
        query = " OR ".join(f'"{term}"' for term in terms)
        if column:
            query = f"{{{column}}} : ({query})"
        sql = (
            f"SELECT owner, -bm25(entries, {_WEIGHTS}) FROM entries"  # noqa: S608 - constants
            " JOIN owners ON owners.rowid = entries.rowid WHERE entries MATCH ?"
        )
        with self._lock:
            return self._db.execute(sql, (query,)).fetchall()

    def _idf(self, term: str) -> float:
        count = self._terms.get(term, 0)
        return math.log(1 + (self._count + 0.5) / (count + 0.5))

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
        self._terms = dict(self._db.execute("SELECT term, doc FROM terms"))
        self._fuzzy = [t for t in self._terms if len(t) >= _MIN_TYPO_CHARS and t.isalpha()]
        self._count = self._db.execute("SELECT count(*) FROM owners").fetchone()[0]
        self.words.remember(self._db.execute("SELECT word, lemma FROM lemmas"))


def _token(word: str) -> str:
    return word.replace(".", "").replace(",", "")
