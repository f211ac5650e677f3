"""Questions without a good answer, gathered into groups, each with a draft for the editor."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import numpy as np
import yaml
from scipy.cluster.hierarchy import fcluster, linkage

from knowledge.answers import Answer
from knowledge.ingest import Encode
from knowledge.words import clean, fold

Reason = Literal[
    "not_understood", "out_of_scope", "no_answer", "nothing_found", "handed_over", "clarified",
    "withheld", "marked_wrong",
]  # fmt: skip
"""Why the answer was no good: see `REASONS`."""
REASONS: dict[Reason, str] = {
    "not_understood": "not understood",
    "out_of_scope": "taken for no matter of the shop",
    "no_answer": "no help text supports an answer",
    "nothing_found": "no product was found",
    "handed_over": "a person had to take over",
    "clarified": "the bot asked twice what was meant",
    "withheld": "the answer could not be supported",
    "marked_wrong": "an operator marked the answer wrong",
}
ALIKE = 0.45
"""The cosine that groups have on average, what all questions share taken off. Chosen on half of the
topics of banking77; `python -m bench.knowledge.gaps` measures it on the others."""
_MOST_COMPARED = 3000
_MOST_USUAL = 100
_NEAREST = 3
_MOST_SHOWN = 6
Rank = Callable[[str, str], Sequence[Answer]]


class Question(msgspec.Struct, frozen=True):
    """What a customer asked, without what is personal, and why the answer was no good."""

    text: str
    language: str
    reason: Reason
    at: datetime


class Gap(msgspec.Struct, frozen=True):
    """Questions that ask the same.

    `wordings` are the most frequent ones, each with its number; `nearest` the passages that come
    closest; `draft` the beginning of an entry for `data/faq`, as YAML, without an answer.
    """

    count: int
    wordings: tuple[tuple[str, int], ...]
    languages: dict[str, int]
    reasons: dict[str, int]
    last_at: datetime
    nearest: tuple[Answer, ...]
    draft: str

    @property
    def title(self) -> str:
        """Return the wording that stands for the group."""
        return self.wordings[0][0]


def find_gaps(
    questions: Iterable[Question],
    encode: Encode | None,
    rank: Rank,
    usual: Sequence[str] = (),
) -> list[Gap]:
    """Return groups of questions, the largest first; languages are mixed.

    Args:
        questions: in any order; the same one may come often.
        encode: texts to normalised vectors of what is meant; None puts only equal wordings
            together.
        rank: the nearest passages for a text in a language.
        usual: questions of all kinds, such as the titles of the help texts.
    """
    by_wording: dict[str, list[Question]] = {}
    for question in questions:
        key = fold(clean(question.text)).strip(" .!?¿¡")
        if key:
            by_wording.setdefault(key, []).append(question)
    ordered = sorted(by_wording.values(), key=lambda same: (-len(same), same[0].text))
    wordings = [same[0].text for same in ordered]
    groups = grouped(wordings, encode, usual[:_MOST_USUAL])
    gaps = [_gap([q for place in group for q in ordered[place]], rank) for group in groups]
    return sorted(gaps, key=lambda gap: (-gap.count, gap.title))


def grouped(
    texts: Sequence[str], encode: Encode | None, usual: Sequence[str] = ()
) -> list[list[int]]:
    """Return which texts belong together, by average linkage of what they mean.

    What all questions have in common is taken off first: their mean and that of `usual`. Texts
    beyond the most that are compared, the last ones, stay alone.

    Args:
        texts: different wordings, the most important first.
        encode: texts to normalised vectors of what is meant; None leaves each text alone.
        usual: questions of all kinds.
    """
    compared = min(len(texts), _MOST_COMPARED)
    alone = [[place] for place in range(compared, len(texts))]
    if encode is None or compared < 2:
        return [[place] for place in range(compared)] + alone
    every = [clean(text) for text in (*texts[:compared], *usual)]
    vectors = np.array(encode(every), dtype=np.float32)
    vectors = vectors[:compared] - vectors.mean(axis=0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    rows, columns = np.triu_indices(compared, 1)
    apart = np.clip(1.0 - (vectors @ vectors.T)[rows, columns], 0.0, 2.0)
    labels = fcluster(linkage(apart, "average"), 1.0 - ALIKE, "distance")
    groups: dict[int, list[int]] = {}
    for place, label in enumerate(labels.tolist()):
        groups.setdefault(label, []).append(place)
    return [*groups.values(), *alone]


def _gap(questions: Sequence[Question], rank: Rank) -> Gap:
    wordings = Counter(question.text.strip() for question in questions).most_common()
    first = next(question for question in questions if question.text.strip() == wordings[0][0])
    nearest = tuple(rank(first.text, first.language)[:_NEAREST])
    return Gap(
        len(questions),
        tuple(wordings[:_MOST_SHOWN]),
        dict(Counter(question.language or "?" for question in questions).most_common()),
        dict(Counter(question.reason for question in questions).most_common()),
        max(question.at for question in questions),
        nearest,
        _draft(questions, nearest),
    )


def _draft(questions: Sequence[Question], nearest: Sequence[Answer]) -> str:
    """Return the skeleton of an entry in the form of `data/faq`; the answer is left to people."""
    said: dict[str, list[str]] = {}
    for text, _ in Counter(question.text.strip() for question in questions).most_common():
        language = next(q.language for q in questions if q.text.strip() == text) or "en"
        said.setdefault(language, []).append(text)
    words = fold(next(iter(said.values()))[0]).split()
    entry = {
        "id": "-".join(word for word in words if word.isalnum())[:48].strip("-") or "question",
        "question": {language: texts[0] for language, texts in said.items()},
        "variants": {
            language: texts[1:_MOST_SHOWN] for language, texts in said.items() if texts[1:]
        },
        "answer": dict.fromkeys(sorted({*said, "de", "en"}), ""),
    }
    text = yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=100)
    near = "".join(
        f"# near: {answer.question} ({answer.source_url or answer.topic_id}, {answer.score:.2f})\n"
        for answer in nearest
    )
    return near + text
