"""Answers questions with quoted passages, or honestly not at all."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from knowledge.answer_scores import ANSWER_FLOOR, Likeness, weights
from knowledge.answer_vectors import AnswerVectors
from knowledge.documents import Passage
from knowledge.ingest import Encoders
from knowledge.lexical import LexicalIndex
from knowledge.question_halves import halves
from knowledge.store import VectorTable
from knowledge.words import clean, fold, split_words

__all__ = ["ANSWER_FLOOR", "Answer", "AnswerFinder", "Asker"]


class Asker(msgspec.Struct, frozen=True):
    """Who asks: what decides which passages hold for them.

    `country` is an ISO 3166-1 code of two letters, empty where it is not known; `product_ids` are
    what the verified customer bought, or what the talk is about.
    """

    language: str
    country: str = ""
    product_ids: frozenset[str] = frozenset()

    def may_read(self, passage: Passage) -> bool:
        """Return whether a passage holds for them."""
        if passage.country and passage.country != self.country:
            return False
        return not passage.product_ids or bool(self.product_ids & {*passage.product_ids})


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
    country: str = ""


class AnswerFinder:
    """Finds the passage that answers a question."""

    def __init__(
        self,
        passages: Sequence[Passage],
        lexical: LexicalIndex,
        vectors: VectorTable,
        encoders: Encoders | None,
    ) -> None:
        """Search passages; without encoders by words alone, and then more strictly."""
        self._passages = {passage.id: passage for passage in passages if not passage.is_unanswered}
        self._topics: dict[str, list[Passage]] = defaultdict(list)
        for passage in self._passages.values():
            self._topics[passage.topic_id].append(passage)
        self._wordings: dict[str, list[str]] = defaultdict(list)
        for passage in self._passages.values():
            for wording in (passage.title, *passage.variants):
                self._wordings[_plain(wording)].append(passage.id)
        self._lexical = lexical
        self._vectors = AnswerVectors(passages, vectors, encoders)
        self._weights = weights(
            tuned=self._vectors.is_tuned, contrast=self._vectors.knows_unanswered
        )

    def answer(self, question: str, asker: Asker | str) -> Answer | None:
        """Return the best supported passage, or None when nothing supports an answer."""
        ranked = self.rank(question, asker, limit=1)
        if not ranked or ranked[0].score < ANSWER_FLOOR:
            return None
        return ranked[0]

    def answers(self, question: str, asker: Asker | str) -> list[Answer]:
        """Return the answers to both halves of a question that has two, else the one, if any."""
        found = [self.answer(half, asker) for half in halves(question)]
        both = {one.topic_id: one for one in found if one is not None}
        if len(both) > 1:
            return list(both.values())
        whole = self.answer(question, asker)
        return [] if whole is None else [whole]

    def rank(self, question: str, asker: Asker | str, limit: int = 3) -> list[Answer]:
        """Return the nearest passages with their scores, also those too weak to answer.

        Args:
            question: as the customer wrote it.
            asker: who asks, or just their language.
            limit: most passages returned.
        """
        who = asker if isinstance(asker, Asker) else Asker(asker)
        text = clean(question)
        if not text.strip():
            return []
        found = self.likenesses(text, who)
        if self._vectors.is_blind:
            order = {topic: one.words_rank() for topic, one in found.items()}
        else:
            order = {topic: self._weights.ranked(one) for topic, one in found.items()}
        best = sorted(order, key=lambda topic: (-order[topic], topic))[:limit]
        return [self._quote(topic, who, found[topic]) for topic in best]

    def likenesses(self, text: str, who: Asker) -> dict[str, Likeness]:
        """Return how alike a question is to each topic that holds for who asks."""
        hidden = frozenset(key for key, held in self._passages.items() if not who.may_read(held))
        found = self._vectors.likenesses(text, who.language, hidden)
        if self._vectors.is_blind:
            for key in self._wordings.get(_plain(text), ()):
                if key not in hidden:
                    found.setdefault(self._passages[key].topic_id, Likeness()).asked = 1.0
        for hit in self._lexical.search(text, who.language):
            held = self._passages.get(hit.owner)
            if held is not None and held.id not in hidden and held.language == who.language:
                one = found.setdefault(held.topic_id, Likeness())
                one.covered = max(one.covered, hit.coverage)
                one.bm25 = max(one.bm25, hit.score)
        return found

    def _quote(self, topic: str, who: Asker, likeness: Likeness) -> Answer:
        """Return the passage of a topic in the asker's language and for their country, if any."""
        readable = [passage for passage in self._topics[topic] if who.may_read(passage)]
        passage = max(readable, key=lambda one: (one.language == who.language, bool(one.country)))
        return Answer(
            text=passage.text,
            source_title=passage.source_title,
            source_url=passage.source_url,
            updated_at=passage.updated_at,
            score=self._support(likeness),
            passage_id=passage.id,
            topic_id=topic,
            question=passage.title,
            language=passage.language,
            country=passage.country,
        )

    def _support(self, likeness: Likeness) -> float:
        blind = self._vectors.is_blind
        return likeness.words_support() if blind else self._weights.supported(likeness)


def _plain(text: str) -> str:
    """Return the words of a text alone, to tell whether two are the same."""
    return " ".join(split_words(fold(text)))
