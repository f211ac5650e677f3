"""Answers questions with quoted passages, or honestly not at all."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from knowledge.answer_scores import ANSWER_FLOOR, Likeness
from knowledge.documents import Passage
from knowledge.ingest import Encode
from knowledge.lexical import LexicalIndex
from knowledge.store import VectorTable
from knowledge.words import clean

__all__ = ["ANSWER_FLOOR", "Answer", "AnswerFinder", "Asker"]
_ANSWER_UNIT = ":a"
"""How the ids of vectors of answers end; all others are of questions."""


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
        encode: Encode | None,
    ) -> None:
        """Search passages; without an encoder by words alone, and then more strictly."""
        self._passages = {passage.id: passage for passage in passages}
        self._topics: dict[str, list[Passage]] = defaultdict(list)
        for passage in passages:
            self._topics[passage.topic_id].append(passage)
        self._lexical = lexical
        self._vectors = vectors
        self._encode = encode if len(vectors.ids) else None

    def answer(self, question: str, asker: Asker | str) -> Answer | None:
        """Return the best supported passage, or None when nothing supports an answer."""
        ranked = self.rank(question, asker, limit=1)
        if not ranked or ranked[0].score < ANSWER_FLOOR:
            return None
        return ranked[0]

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
        found = self._likenesses(text, who)
        if self._encode is None:
            order = {topic: one.words_rank() for topic, one in found.items()}
        else:
            order = {topic: one.rank() for topic, one in found.items()}
        best = sorted(order, key=lambda topic: (-order[topic], topic))[:limit]
        return [self._quote(topic, who, found[topic]) for topic in best]

    def _likenesses(self, text: str, who: Asker) -> dict[str, Likeness]:
        found: dict[str, Likeness] = defaultdict(Likeness)
        for passage, is_answer, value in self._cosines(text, who):
            one = found[passage.topic_id]
            if not is_answer and passage.language == who.language:
                one.asked = max(one.asked, value)
            elif not is_answer:
                one.elsewhere = max(one.elsewhere, value)
            elif passage.language == who.language:
                one.told = max(one.told, value)
        for hit in self._lexical.search(text, who.language):
            held = self._passages.get(hit.owner)
            if held is not None and who.may_read(held) and held.language == who.language:
                one = found[held.topic_id]
                one.covered = max(one.covered, hit.coverage)
                one.bm25 = max(one.bm25, hit.score)
        for topic, one in found.items():
            self._fill(one, topic, who.language)
        return found

    def _fill(self, one: Likeness, topic: str, language: str) -> None:
        """Let a topic that is there in one language only count by what it has."""
        spoken = {passage.language for passage in self._topics[topic]}
        if language not in spoken:
            one.asked = one.told = one.elsewhere
        elif len(spoken) == 1:
            one.elsewhere = one.asked
        if not (one.asked or one.elsewhere):  # no questions of its own
            one.asked = one.elsewhere = one.told

    def _cosines(self, text: str, who: Asker) -> Iterable[tuple[Passage, bool, float]]:
        if self._encode is None:
            return
        vector: NDArray[np.float32] = np.asarray(self._encode([text])[0], dtype=np.float32)
        values = (self._vectors.matrix @ vector).tolist()
        for unit, owner, value in zip(self._vectors.ids, self._vectors.owners, values, strict=True):
            passage = self._passages.get(owner)
            if passage is not None and who.may_read(passage):
                yield passage, unit.endswith(_ANSWER_UNIT), value

    def _quote(self, topic: str, who: Asker, likeness: Likeness) -> Answer:
        """Return the passage of a topic in the asker's language and for their country, if any."""
        readable = [passage for passage in self._topics[topic] if who.may_read(passage)]
        passage = max(readable, key=lambda one: (one.language == who.language, bool(one.country)))
        is_blind = self._encode is None
        return Answer(
            text=passage.text,
            source_title=passage.source_title,
            source_url=passage.source_url,
            updated_at=passage.updated_at,
            score=likeness.words_support() if is_blind else likeness.support(),
            passage_id=passage.id,
            topic_id=topic,
            question=passage.title,
            language=passage.language,
            country=passage.country,
        )
