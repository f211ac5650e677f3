"""How well texts are understood: figures over readings whose right answer is known."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from bot.understanding.result import OUT_OF_SCOPE, Entity, Intent

_BINS = 10
_NO_INTENTS = (Intent("", 0.0),)


class Case(msgspec.Struct, frozen=True):
    """A text and what it means.

    Args:
        text: what a customer might write.
        intents: those that are right, usually one; each of them counts as right.
        path: the file it stands in, as shown to people.
        line: 1-based.
        language: ISO 639-1 code, "" if the file does not say.
        entities: those the text names, or None where nobody marked any.
    """

    text: str
    intents: tuple[str, ...]
    path: str
    line: int
    language: str = ""
    entities: tuple[Entity, ...] | None = None

    @property
    def where(self) -> str:
        """Return file and line."""
        return f"{self.path}:{self.line}"


class Judged(msgspec.Struct, frozen=True):
    """A case with its reading: the ranking, best first, the language and the entities found."""

    case: Case
    ranking: tuple[Intent, ...]
    language: str
    entities: tuple[Entity, ...] = ()

    @property
    def found(self) -> Intent:
        """Return the intent that it was read as."""
        return (self.ranking or _NO_INTENTS)[0]

    @property
    def right(self) -> bool:
        """Return whether that is one of those it means."""
        return self.found.name in self.case.intents

    @property
    def meant(self) -> str:
        """Return the intent it counts for: the one found when that is right."""
        return self.found.name if self.right else self.case.intents[0]


class Score(msgspec.Struct, frozen=True):
    """Precision, recall and F1 of one intent or kind of entity; `count` is how many there are."""

    name: str
    count: int
    precision: float
    recall: float
    f1: float


class IntentScore(msgspec.Struct, frozen=True):
    """The score of one intent, and its recall per language."""

    score: Score
    recall_by_language: dict[str, float]
    count_by_language: dict[str, int]


class Group(msgspec.Struct, frozen=True):
    """Figures over the texts of one language, or over all."""

    name: str
    count: int
    accuracy: float
    macro_f1: float


class Mistake(msgspec.Struct, frozen=True):
    """A text that was read as something else; `sure` is the confidence in what was found."""

    text: str
    meant: str
    found: str
    sure: float
    where: str
    language: str


class Confusion(msgspec.Struct, frozen=True):
    """Texts of one intent that were read as another."""

    meant: str
    found: str
    mistakes: tuple[Mistake, ...]


class Bin(msgspec.Struct, frozen=True):
    """Readings of similar confidence: how sure they were and how many of them were right."""

    count: int
    sure: float
    right: float


class Evaluation(msgspec.Struct, frozen=True):
    """All figures.

    Args:
        whole: over all texts.
        languages: per language, the most frequent first.
        in_scope_accuracy: over texts that name a matter of the shop; None without such texts.
        out_of_scope_recall: share of the texts out of scope that were found to be; None without.
        intents: the weakest first.
        confusions: the most frequent first.
        bins: readings by confidence, the least sure first; empty ones are left out.
        calibration_error: mean distance of confidence and share of right readings.
        entities: per kind that the file marks, or None where it marks none.
    """

    whole: Group
    languages: tuple[Group, ...]
    in_scope_accuracy: float | None
    out_of_scope_recall: float | None
    intents: tuple[IntentScore, ...]
    confusions: tuple[Confusion, ...]
    bins: tuple[Bin, ...]
    calibration_error: float
    entities: tuple[Score, ...] | None = None

    @property
    def mistakes(self) -> list[Mistake]:
        """Return all mistakes, the surest first."""
        found = (mistake for confusion in self.confusions for mistake in confusion.mistakes)
        return sorted(found, key=lambda mistake: -mistake.sure)


class NothingToJudge(ValueError):
    """There is no text to judge."""


def evaluate(judged: Sequence[Judged]) -> Evaluation:
    """Return the figures over readings.

    Raises:
        NothingToJudge: There are no readings.
    """
    if not judged:
        raise NothingToJudge(NothingToJudge.__doc__)
    languages = [name for name, _ in Counter(one.language for one in judged).most_common()]
    inside = [one for one in judged if OUT_OF_SCOPE not in one.case.intents]
    outside = [one for one in judged if OUT_OF_SCOPE in one.case.intents]
    return Evaluation(
        whole=_group("", judged),
        languages=tuple(_group(name, _of(judged, name)) for name in languages),
        in_scope_accuracy=accuracy(inside) if inside else None,
        out_of_scope_recall=accuracy(outside) if outside else None,
        intents=tuple(_intent_scores(judged)),
        confusions=tuple(_confusions(judged)),
        bins=(bins := tuple(_bins(judged))),
        calibration_error=sum(b.count * abs(b.sure - b.right) for b in bins) / len(judged),
        entities=_entity_scores(judged),
    )


def accuracy(judged: Sequence[Judged]) -> float:
    """Return the share of right readings."""
    return sum(one.right for one in judged) / len(judged)


def _of(judged: Iterable[Judged], language: str) -> list[Judged]:
    return [one for one in judged if one.language == language]


def _group(name: str, judged: Sequence[Judged]) -> Group:
    scores = [score.f1 for score in _scores(judged)]
    return Group(name, len(judged), accuracy(judged), sum(scores) / len(scores))


def _scores(judged: Sequence[Judged]) -> list[Score]:
    """Return the score of each intent that is meant at least once."""
    meant = Counter(one.meant for one in judged)
    found = Counter(one.found.name for one in judged)
    right = Counter(one.meant for one in judged if one.right)
    return [score(name, right[name], found[name], meant[name]) for name in meant]


def score(name: str, right: int, found: int, meant: int) -> Score:
    """Return precision, recall and F1 of three counts."""
    f1 = 2 * right / (found + meant) if found + meant else 0.0
    return Score(name, meant, right / found if found else 0.0, right / meant if meant else 0.0, f1)


def _intent_scores(judged: Sequence[Judged]) -> list[IntentScore]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    rights: dict[str, Counter[str]] = defaultdict(Counter)
    for one in judged:
        counts[one.meant][one.language] += 1
        rights[one.meant][one.language] += one.right
    scored = [
        IntentScore(
            found,
            {la: rights[found.name][la] / count for la, count in counts[found.name].items()},
            dict(counts[found.name]),
        )
        for found in _scores(judged)
    ]
    return sorted(scored, key=lambda one: (one.score.f1, one.score.name))


def _confusions(judged: Sequence[Judged]) -> list[Confusion]:
    pairs: dict[tuple[str, str], list[Mistake]] = defaultdict(list)
    for one in judged:
        if not one.right:
            found = one.found
            pairs[one.meant, found.name].append(
                Mistake(
                    one.case.text,
                    one.meant,
                    found.name,
                    found.confidence,
                    one.case.where,
                    one.language,
                )
            )
    confusions = [
        Confusion(meant, found, tuple(sorted(mistakes, key=lambda m: -m.sure)))
        for (meant, found), mistakes in pairs.items()
    ]
    return sorted(confusions, key=lambda one: (-len(one.mistakes), one.meant, one.found))


def _bins(judged: Sequence[Judged]) -> list[Bin]:
    members: dict[int, list[Judged]] = defaultdict(list)
    for one in judged:
        members[min(_BINS - 1, int(one.found.confidence * _BINS))].append(one)
    return [
        Bin(len(some), sum(one.found.confidence for one in some) / len(some), accuracy(some))
        for _, some in sorted(members.items())
    ]


def _entity_scores(judged: Sequence[Judged]) -> tuple[Score, ...] | None:
    """Return strict scores (kind and span) of the kinds marked anywhere; more are not judged."""
    marked = [one for one in judged if one.case.entities is not None]
    kinds = {entity.type for one in marked for entity in one.case.entities or ()}
    if not kinds:
        return None
    meant: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for one in marked:
        wanted = {(e.type, e.start, e.end) for e in one.case.entities or ()}
        given = {(e.type, e.start, e.end) for e in one.entities if e.type in kinds}
        meant.update(kind for kind, _, _ in wanted)
        found.update(kind for kind, _, _ in given)
        right.update(kind for kind, _, _ in wanted & given)
    scores = (score(kind, right[kind], found[kind], meant[kind]) for kind in sorted(kinds))
    return tuple(sorted(scores, key=lambda one: one.f1))
