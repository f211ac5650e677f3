"""What `tresen train --report` finds out about the training examples."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from bot.messages import utc_now
from bot.understanding.encoder import Encoder
from bot.understanding.evaluation import Case, Evaluation, Judged, evaluate
from bot.understanding.examples import Example
from bot.understanding.intents import encoder_inputs
from bot.understanding.model_store import EmbeddingCache
from bot.understanding.report_advice import Advice, advise
from bot.understanding.report_folds import Material, cross_validated
from bot.understanding.report_overlaps import Overlap, overlaps
from bot.understanding.training import train
from bot.yaml_source import Problem

MOST_OVERLAPS = 60


class Basis(msgspec.Struct, frozen=True):
    """What a report is made from.

    Args:
        examples: as training takes them.
        root: paths are shown below it.
        problems: what is wrong in the files.
        languages: ISO 639-1 codes of the languages the bot speaks.
    """

    examples: Sequence[Example]
    root: Path
    problems: Sequence[Problem]
    languages: Sequence[str]


class Marked(msgspec.Struct, frozen=True):
    """A message whose answer an operator marked; a right one may become an example of `read`."""

    text: str
    language: str
    read: str
    confidence: float
    verdict: str


class TrainingReport(msgspec.Struct, frozen=True):
    """The report.

    Args:
        made_at: when it was made.
        encoder: the sentence encoder's name.
        folds: how many parts the examples were dealt into; each was read by a model of the rest.
        seconds: how long that took.
        examples: how many there are in each language.
        evaluation: the cross-validated figures.
        advice: what to write next, the most pressing first.
        overlaps: examples of different intents that are nearly the same.
        problems: what is wrong in the files.
        marked: messages whose answers operators marked, those marked wrong first.
    """

    made_at: datetime
    encoder: str
    folds: int
    seconds: float
    examples: dict[str, int]
    evaluation: Evaluation
    advice: tuple[Advice, ...]
    overlaps: tuple[Overlap, ...]
    problems: tuple[Problem, ...] = ()
    marked: tuple[Marked, ...] = ()


def as_json(report: TrainingReport) -> bytes:
    """Return the report as JSON, with what to write next as sentences as well."""
    shown = msgspec.to_builtins(report)
    for told, advice in zip(shown["advice"], report.advice, strict=True):
        told |= {"task": advice.task, "reason": advice.reason}
    return msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n"


def make_report(
    basis: Basis,
    encoder: Encoder,
    mask: Callable[[str], str],
    cache: EmbeddingCache | None = None,
    folds: int = 5,
) -> TrainingReport:
    """Cross-validate the examples and return what was found.

    Args:
        basis: the examples and where they stand.
        encoder: the sentence encoder.
        mask: replaces entities in an example by their kind.
        cache: vectors of texts seen in an earlier training.
        folds: how many models are trained; at least 2.

    Raises:
        TooFewExamplesError: The examples are of fewer than two intents.
    """
    started_s = time.perf_counter()
    cases = _cases(basis)
    masked = [mask(case.text) for case in cases]
    spoken = encoder_inputs(masked)
    vectors = cache.encode(encoder, spoken) if cache is not None else encoder.encode(spoken)
    material = Material(cases, masked, vectors, spoken)
    judged: list[Judged] = cross_validated(material, encoder, train, folds)
    return TrainingReport(
        made_at=utc_now(),
        encoder=encoder.name,
        folds=folds,
        seconds=round(time.perf_counter() - started_s, 1),
        examples=dict(Counter(case.language for case in cases).most_common()),
        evaluation=evaluate(judged),
        advice=tuple(advise(judged, basis.languages)),
        overlaps=tuple(overlaps(judged, vectors, MOST_OVERLAPS)),
        problems=tuple(basis.problems),
    )


def _cases(basis: Basis) -> list[Case]:
    """Return the examples as texts whose meaning is known, with places below the root."""
    root = f"{basis.root}/"
    return [
        Case(one.text, (one.intent,), one.path.removeprefix(root), one.line, one.language)
        for one in basis.examples
    ]
