"""Answers to paraphrases unseen in wording, and refusals of what no text answers."""

import re
from pathlib import Path
from typing import Protocol

import msgspec
import yaml

from knowledge.answers import ANSWER_FLOOR, Answer

HERE = Path(__file__).parent


class Ranks(Protocol):
    """What can be asked."""

    def rank_answers(self, question: str, asker: str, limit: int = 3) -> list[Answer]:
        """Return the nearest passages, also those too weak to answer."""


class Case(msgspec.Struct, frozen=True):
    """One question; no `topics` when nothing in the shop answers it."""

    question: str
    language: str
    topics: tuple[str, ...] = ()


class Score(msgspec.Struct, frozen=True):
    """What became of the questions of one language, as shares in [0, 1]."""

    language: str
    questions: int
    first: float
    answerable_refused: float
    wrongly_answered: float
    unanswerable: int
    refused: float


def paraphrases() -> list[Case]:
    """Return the cases of paraphrases.yml."""
    data = yaml.safe_load((HERE / "paraphrases.yml").read_text(encoding="utf-8"))
    cases = [
        Case(question, language, (entry["id"], *entry.get("also", ())))
        for entry in data["answerable"]
        for language in ("en", "de")
        for question in entry[language]
    ]
    return cases + [Case(q, la) for la in ("en", "de") for q in data["unanswerable"][la]]


def measure(library: Ranks, cases: list[Case]) -> list[Score]:
    """Return how a library answers, by language."""
    scores = []
    for language in ("en", "de"):
        mine = [case for case in cases if case.language == language]
        best = [next(iter(library.rank_answers(c.question, language, 1)), None) for c in mine]
        said = [found is not None and found.score >= ANSWER_FLOOR for found in best]
        right = [
            found is not None and any(re.fullmatch(t, found.topic_id) for t in case.topics)
            for case, found in zip(mine, best, strict=True)
        ]
        can = [bool(case.topics) for case in mine]
        answerable, hopeless = sum(can), len(can) - sum(can)
        rows = list(zip(can, right, said, strict=True))
        scores.append(
            Score(
                language,
                answerable,
                sum(r for c, r, _ in rows if c) / answerable,
                sum(not s for c, _, s in rows if c) / answerable,
                sum(s and not r for c, r, s in rows if c) / answerable,
                hopeless,
                sum(not s for c, _, s in rows if not c) / max(1, hopeless),
            )
        )
    return scores


def bench_paraphrases(library: Ranks) -> None:
    """Print R@1, refusals of answerable and of unanswerable questions, by language."""
    for score in measure(library, paraphrases()):
        print(
            f"paraphrases {score.language}: {score.questions}, R@1 {score.first:.3f}, "
            f"refused {score.answerable_refused:.3f}, wrong {score.wrongly_answered:.3f}; "
            f"unanswerable {score.unanswerable}, refused {score.refused:.3f}"
        )
