"""Answers questions with quoted passages, or honestly not at all."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Passage
from knowledge.ingest import Encode
from knowledge.lexical import LexicalIndex
from knowledge.store import VectorTable
from knowledge.words import clean

# Calibrated by bench/knowledge: logistic weights of cosine and word coverage.
ANSWER_FLOOR = 0.5
_COSINE_CENTRE = 0.919
_COSINE_SLOPE = 70.0
_COVERAGE_SLOPE = 3.5
_WORDS_ONLY_FLOOR = 0.6
_OTHER_LANGUAGE_COST = 0.02
_POLICY_COST = 0.01


class Answer(msgspec.Struct, frozen=True):
    """A quoted passage with its source and a score in [0, 1]."""

    text: str
    source_title: str
    source_url: str
    updated_at: datetime | None
    score: float
    passage_id: str
    topic_id: str
    question: str
    language: str


class AnswerFinder:
    """Finds the passage that answers a question."""

    def __init__(
        self,
        passages: Sequence[Passage],
        lexical: LexicalIndex,
        vectors: VectorTable,
        encode: Encode | None,
    ) -> None:
        """Search passages; without an encoder by words alone, and then more strictly."""
        self._passages = {passage.id: passage for passage in passages}
        self._topics: dict[tuple[str, str], Passage] = {
            (passage.topic_id, passage.language): passage for passage in passages
        }
        self._lexical = lexical
        self._vectors = vectors
        self._encode = encode if len(vectors.ids) else None

    def answer(self, question: str, language: str) -> Answer | None:
        """Return the best supported passage, or None when nothing supports an answer."""
        ranked = self.rank(question, language, limit=1)
        if not ranked or ranked[0].score < ANSWER_FLOOR:
            return None
        return ranked[0]

    def rank(self, question: str, language: str, limit: int = 3) -> list[Answer]:
        """Return the nearest passages with their scores, also those too weak to answer."""
        text = clean(question)
        if not text.strip():
            return []
        covered = {hit.owner: hit.coverage for hit in self._lexical.search(text, language)}
        cosines = self._cosines(text, language)
        scores: dict[str, float] = {}
        for owner in {*covered, *cosines}:
            passage = self._passages.get(owner)
            if passage:
                score = self._score(cosines, covered, owner)
                topic = passage.topic_id
                scores[topic] = max(scores.get(topic, 0.0), score)
        best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit]
        return [self._quote(topic, language, score) for topic, score in best]

    def _score(
        self, cosines: Mapping[str, float], covered: Mapping[str, float], owner: str
    ) -> float:
        words = covered.get(owner, 0.0)
        if self._encode is None:
            return words * ANSWER_FLOOR / _WORDS_ONLY_FLOOR
        strength = _COSINE_SLOPE * (cosines.get(owner, 0.0) - _COSINE_CENTRE)
        strength += _COVERAGE_SLOPE * words
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, strength))))

    def _cosines(self, text: str, language: str) -> dict[str, float]:
        if self._encode is None:
            return {}
        vector: NDArray[np.float32] = np.asarray(self._encode([text])[0], dtype=np.float32)
        found: dict[str, float] = {}
        values = (self._vectors.matrix @ vector).tolist()
        rows = zip(self._vectors.owners, self._vectors.languages, values, strict=True)
        for owner, spoken, value in rows:
            cost = 0.0 if spoken == language else _OTHER_LANGUAGE_COST
            cost += _POLICY_COST if owner.startswith("policy:") else 0.0
            found[owner] = max(found.get(owner, 0.0), value - cost)
        return found

    def _quote(self, topic: str, language: str, score: float) -> Answer:
        passage = self._topics.get((topic, language)) or next(
            passage for passage in self._passages.values() if passage.topic_id == topic
        )
        return Answer(
            text=passage.text,
            source_title=passage.source_title,
            source_url=passage.source_url,
            updated_at=passage.updated_at,
            score=score,
            passage_id=passage.id,
            topic_id=topic,
            question=passage.title,
            language=passage.language,
        )
