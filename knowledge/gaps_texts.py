"""Help texts that are old, or that say different things about the same."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations

import msgspec

from knowledge.documents import Passage
from knowledge.words import fold

OLD = timedelta(days=365)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_UNITS = {
    "days": r"(?:werk|kalender|arbeits)?tage?n?|(?:working |business |calendar )?days?",
    "hours": r"stunden?|hours?|h",
    "weeks": r"wochen?|weeks?",
    "months": r"monate?n?|months?",
    "years": r"jahre?n?|years?",
    "percent": r"%|prozent|per ?cent",
    "money": r"€|euros?|eur",
}
_NUMBER = r"\d{1,3}(?:[.,]\d{3})*(?:[.,]\d{1,2})?|\d+"
_AFTER = {name: re.compile(rf"({_NUMBER})[\s\u00a0-]*(?:{unit})(?![\w])", re.IGNORECASE)
          for name, unit in _UNITS.items()}  # fmt: skip
_BEFORE = re.compile(rf"(?:€|EUR)\s?({_NUMBER})", re.IGNORECASE)
_WORDS = {
    "zwei": "2", "drei": "3", "vier": "4", "fünf": "5", "sechs": "6", "sieben": "7", "zehn": "10",
    "zwölf": "12", "vierzehn": "14", "dreißig": "30", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "ten": "10", "twelve": "12", "fourteen": "14",
    "thirty": "30",
}  # fmt: skip
_SPELT = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_RANGE = re.compile(rf"({_NUMBER})\s*(?:–|-|bis|to)\s*(?={_NUMBER})")
_SAME_SHARE = 0.7
_FEWEST_WORDS = 5
Fact = tuple[str, float]


class StalePassage(msgspec.Struct, frozen=True):
    """A passage that nobody has looked at for long; `updated_at` None: nobody knows when."""

    passage_id: str
    title: str
    language: str
    source_url: str
    updated_at: datetime | None


class Contradiction(msgspec.Struct, frozen=True):
    """Two passages that differ in an amount or a time.

    `one` and `other` are the passages' ids, `says` and `but` what each says; `unit` what differs.
    """

    one: str
    other: str
    unit: str
    says: str
    but: str


def stale_passages(
    passages: Iterable[Passage], now: datetime, old: timedelta = OLD
) -> list[StalePassage]:
    """Return passages older than that, the oldest first, then those without a date.

    Args:
        passages: the help texts.
        now: the present, aware UTC.
        old: how long a text is good without being looked at.
    """
    late = [p for p in passages if p.updated_at is None or now - p.updated_at > old]
    late.sort(key=lambda p: (p.updated_at is None, p.updated_at or now, p.id))
    return [StalePassage(p.id, p.title, p.language, p.source_url, p.updated_at) for p in late]


def contradictions(passages: Sequence[Passage]) -> list[Contradiction]:
    """Return passages that differ in numbers: of one topic in two languages, or of one wording.

    The translations of a text must name the same amounts and times. Two sentences of one language
    must, if they are the same words but for the numbers, and each has one that the other lacks.
    """
    return [*_across_languages(passages), *_within_languages(passages)]


def facts_of(text: str) -> frozenset[Fact]:
    """Return the amounts, shares and times that a text names, as (unit, number)."""
    text = _SPELT.sub(lambda match: _WORDS[match[0].casefold()], text)
    for pattern in _AFTER.values():
        text = _spread_range(text, pattern)
    found = {
        (name, _number(match))
        for name, pattern in _AFTER.items()
        for match in pattern.findall(text)
    }
    found |= {("money", _number(match)) for match in _BEFORE.findall(text)}
    return frozenset(found)


def _spread_range(text: str, pattern: re.Pattern[str]) -> str:
    """Return "2 to 4 days" as "2 days 4 days", so that both ends count."""
    parts: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        before = _RANGE.search(text[max(end, match.start() - 12) : match.end()])
        unit = text[match.start() + len(match[1]) : match.end()]
        if before:
            start = max(end, match.start() - 12) + before.start()
            parts += [text[end:start], f"{before[1]}{unit} {match[1]}{unit}"]
        else:
            parts.append(text[end : match.end()])
        end = match.end()
    return "".join([*parts, text[end:]])


def _number(text: str) -> float:
    """Return a number as German or English writes it."""
    whole, mark, rest = re.match(r"^(.*?)(?:([.,])(\d{1,2}))?$", text).groups()  # type: ignore[union-attr] # always fits
    digits = re.sub(r"[.,]", "", whole)
    return float(f"{digits}.{rest}" if mark else digits)


def _across_languages(passages: Sequence[Passage]) -> Iterator[Contradiction]:
    topics: dict[str, list[Passage]] = {}
    for passage in passages:
        topics.setdefault(passage.topic_id, []).append(passage)
    for same in topics.values():
        for one, other in combinations(sorted(same, key=lambda p: p.id), 2):
            if one.language != other.language:
                yield from _differing(one, facts_of(one.text), other, facts_of(other.text))


def _within_languages(passages: Sequence[Passage]) -> Iterator[Contradiction]:
    by_words: dict[tuple[str, str], list[tuple[Passage, str, frozenset[str]]]] = {}
    for passage in passages:
        for sentence in _SENTENCE.split(passage.text):
            facts = facts_of(sentence)
            words = frozenset(re.findall(r"[^\W\d_]{3,}", fold(sentence)))
            if facts and len(words) >= _FEWEST_WORDS:
                for unit in {unit for unit, _ in facts}:
                    key = (passage.language, unit)
                    by_words.setdefault(key, []).append((passage, sentence, words))
    seen: set[tuple[str, str, str]] = set()
    for (_, unit), said in by_words.items():
        for (one, says, words), (other, but, others) in combinations(said, 2):
            if one.topic_id == other.topic_id or (one.id, other.id, unit) in seen:
                continue
            if len(words & others) < _SAME_SHARE * len(words | others):
                continue
            mine = {n for name, n in facts_of(says) if name == unit}
            theirs = {n for name, n in facts_of(but) if name == unit}
            if mine - theirs and theirs - mine:
                seen.add((one.id, other.id, unit))
                yield Contradiction(one.id, other.id, unit, says.strip(), but.strip())


def _differing(
    one: Passage, mine: frozenset[Fact], other: Passage, theirs: frozenset[Fact]
) -> Iterator[Contradiction]:
    for unit in sorted({unit for unit, _ in mine ^ theirs}):
        here = sorted(number for name, number in mine if name == unit)
        there = sorted(number for name, number in theirs if name == unit)
        yield Contradiction(one.id, other.id, unit, _listed(here), _listed(there))


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers) or "nothing"
