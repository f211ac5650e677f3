"""Compares a question with the questions and answers of the help texts, by their vectors."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec
import numpy as np
import yaml
from numpy.typing import NDArray

from knowledge.answer_scores import Likeness
from knowledge.documents import Passage
from knowledge.ingest import ANSWER, MEANING, USUAL, Encode, Encoders
from knowledge.store import VectorTable

_TUNED_SHARE = 0.5
"""How much of a likeness is that of what is meant; the rest is that of search. Chosen by leaving
wordings of data/faq out."""
_NEAREST = 5
"""How many questions of each kind tell whether one is answered."""
_NONE = -1.0
Vector = NDArray[np.float32]
Mask = NDArray[np.bool_]


class _Side:
    """One kind of vector of all texts, without what all questions have in common."""

    def __init__(self, matrix: Vector, common: Vector, encode: Encode) -> None:
        self._common = common.mean(axis=0) if len(common) else np.zeros(1, dtype=np.float32)
        self._matrix = self._centred(matrix)
        self._encode = encode

    def cosines(self, text: str) -> Vector:
        asked = self._centred(np.asarray(self._encode([text]), dtype=np.float32))[0]
        return np.asarray(self._matrix @ asked, dtype=np.float32)

    def _centred(self, rows: Vector) -> Vector:
        apart = rows - self._common
        lengths = np.linalg.norm(apart, axis=1, keepdims=True)
        return np.asarray(apart / np.maximum(lengths, 1e-6), dtype=np.float32)


def usual_questions(vocabulary_dir: Path) -> list[str]:
    """Return questions of all kinds, as usual_questions.yml lists them; none without the file."""
    try:
        raw = (vocabulary_dir / "usual_questions.yml").read_bytes()
    except OSError:
        return []
    listed = msgspec.convert(yaml.load(raw, Loader=yaml.CSafeLoader), dict[str, list[str]])
    return [question for texts in listed.values() for question in texts]


class AnswerVectors:
    """The vectors of the help texts."""

    def __init__(
        self, passages: Sequence[Passage], vectors: VectorTable, encoders: Encoders | None
    ) -> None:
        """Hold the vectors of some passages; without encoders none.

        Args:
            passages: what they belong to.
            vectors: those of `passage_units`.
            encoders: what made them.
        """
        known = {passage.id: passage for passage in passages}
        place = {unit: row for row, unit in enumerate(vectors.ids)}
        held = [
            row
            for row, (unit, owner) in enumerate(zip(vectors.ids, vectors.owners, strict=True))
            if owner in known and not unit.endswith(MEANING)
        ]
        owners = [known[vectors.owners[row]] for row in held]
        self._owners = np.array([owner.id for owner in owners], dtype=np.str_)
        self._languages = np.array([owner.language for owner in owners], dtype=np.str_)
        self._answers = np.array([vectors.ids[row].endswith(ANSWER) for row in held], dtype=bool)
        self._declines = np.array([owner.is_unanswered for owner in owners], dtype=bool)
        self._topics = list(dict.fromkeys(o.topic_id for o in owners if not o.is_unanswered))
        number = {topic: n for n, topic in enumerate(self._topics)}
        self._topic_of = np.array([number.get(o.topic_id, -1) for o in owners], dtype=np.int64)
        spoken: dict[str, set[str]] = {}
        for owner in owners:
            spoken.setdefault(owner.topic_id, set()).add(owner.language)
        self._spoken = [spoken[topic] for topic in self._topics]
        self._sides = list(_sides(vectors, held, place, encoders)) if held else []

    @property
    def is_blind(self) -> bool:
        """Return whether there are no vectors to compare."""
        return not self._sides

    @property
    def knows_unanswered(self) -> bool:
        """Return whether there are questions that no text answers."""
        return bool(self._declines.any())

    @property
    def is_tuned(self) -> bool:
        """Return whether what is meant is compared too."""
        return len(self._sides) > 1

    def likenesses(self, text: str, language: str, hidden: frozenset[str]) -> dict[str, Likeness]:
        """Return how alike a question is to each topic; nothing without vectors.

        Args:
            text: the question.
            language: of the asker.
            hidden: ids of passages that do not hold for them.
        """
        if not self._sides:
            return {}
        shares = (1 - _TUNED_SHARE, _TUNED_SHARE) if self.is_tuned else (1.0,)
        values = np.asarray(
            sum(w * side.cosines(text) for w, side in zip(shares, self._sides, strict=True)),
            dtype=np.float32,
        )
        same = self._languages == language
        seen = ~self._declines
        if hidden:
            seen &= ~np.isin(self._owners, list(hidden))
        contrast = _contrast(values[seen & ~self._answers], values[self._declines])
        asked, elsewhere, told = (
            self._best(values, seen & mask).tolist()
            for mask in (~self._answers & same, ~self._answers & ~same, self._answers & same)
        )
        found = {}
        for n, topic in enumerate(self._topics):
            one = Likeness(asked[n], elsewhere[n], told[n], contrast=contrast)
            if max(one.asked, one.elsewhere, one.told) > _NONE:
                found[topic] = _filled(one, language, self._spoken[n])
        return found

    def _best(self, values: Vector, mask: Mask) -> Vector:
        best = np.full(len(self._topics), _NONE, dtype=np.float32)
        np.maximum.at(best, self._topic_of[mask], values[mask])
        return best


def _sides(
    vectors: VectorTable, held: Sequence[int], place: dict[str, int], encoders: Encoders | None
) -> Iterator[_Side]:
    """Yield the vectors of search, and those of what is meant where all texts have them."""
    usual = [row for row, owner in enumerate(vectors.owners) if owner == USUAL]
    common = [row for row in usual if not vectors.ids[row].endswith(MEANING)]
    if encoders is None:
        return
    yield _Side(vectors.matrix[held], vectors.matrix[common], encoders.queries)
    tuned = [place.get(f"{vectors.ids[row]}{MEANING}", -1) for row in held]
    if encoders.meanings is not None and min(tuned) >= 0:
        common = [row for row in usual if vectors.ids[row].endswith(MEANING)]
        yield _Side(vectors.matrix[tuned], vectors.matrix[common], encoders.meanings)


def _contrast(answered: Vector, declined: Vector) -> float:
    """Return how much nearer a text is to some questions than to others; 0 without any."""
    if not len(answered) or not len(declined):
        return 0.0
    near, far = (np.sort(some)[-_NEAREST:].mean() for some in (answered, declined))
    return float(near - far)


def _filled(one: Likeness, language: str, spoken: AbstractSet[str]) -> Likeness:
    """Let a topic that is there in one language only count by what it has."""
    if language not in spoken:
        one.asked = one.told = one.elsewhere
    elif len(spoken) == 1:
        one.elsewhere = one.asked
    known = max(one.asked, one.elsewhere)
    if known <= _NONE:  # no questions of its own
        one.asked = one.elsewhere = one.told
    elif one.asked <= _NONE:
        one.asked = one.elsewhere
    return one
