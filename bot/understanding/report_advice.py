"""What to write next: which skill needs examples, in which language, of which kind."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec
from babel import Locale, UnknownLocaleError

from bot.understanding.evaluation import Judged
from bot.understanding.normalise import content_words
from bot.understanding.result import OUT_OF_SCOPE

Why = Literal["missing", "few", "confused", "swallowed", "let_in"]

ENOUGH_EXAMPLES = 8
_SHOWN = 3
_LEAST_MISTAKES = 2
_LEAST_SHARE = 0.08
_SHORT_WORDS = 3
_LONG_WORDS = 15
_TYPICAL = 0.6
_MORE_THAN_USUAL = 1.5
_DRAWS = 0.7
_TELLING_CHARS = 3
_NEGATING: Final = re.compile(
    r"\b(no|not|never|don'?t|didn'?t|isn'?t|can'?t|nicht|kein\w*|nie|nichts)\b", re.IGNORECASE
)
_ASKING: Final = re.compile(
    r"(where|when|how|what|who|which|why|can|could|is|are|do|does|did|has|have|wo|wann|wie|was|wer"
    r"|welche[rs]?|warum|kann|könnt|können|ist|sind|habt|hat|gibt)\b|.*\?\s*$",
    re.IGNORECASE | re.DOTALL,
)


class Advice(msgspec.Struct, frozen=True):
    """One thing to do about one skill in one language.

    Args:
        why: what was found.
        skill: the intent whose examples need work.
        language: ISO 639-1 code.
        other: the intent it is confused with, "" if none.
        count: how many examples there are (`missing`, `few`) or are misread.
        out_of: how many examples the skill has in the language.
        kinds: what kind of sentence is misread more often than others.
        drawing: words that pull the sentences to the other intent.
        shown: misread sentences with their places.
    """

    why: Why
    skill: str
    language: str
    other: str = ""
    count: int = 0
    out_of: int = 0
    kinds: tuple[str, ...] = ()
    drawing: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()

    @property
    def task(self) -> str:
        """Return what to do, as a sentence."""
        lack = ENOUGH_EXAMPLES - self.count
        one = "example" if lack == 1 else "examples"
        language = language_name(self.language)
        kinds = f", most of all {' and '.join(self.kinds)}" if self.kinds else ""
        tasks: dict[Why, str] = {
            "missing": f"Write {ENOUGH_EXAMPLES} examples of {self.skill} in {language}.",
            "few": f"Write {lack} more {one} of {self.skill} in {language}.",
            "confused": f"Write examples of {self.skill} in {language} that cannot mean "
            f"{self.other}{kinds}.",
            "swallowed": f"Write more examples of {self.skill} in {language}, in other words "
            f"than so far{kinds}.",
            "let_in": f"Add sentences in {language} to data/out_of_scope.yml that use the "
            f"words of {self.other} for other things.",
        }
        return tasks[self.why]

    @property
    def reason(self) -> str:
        """Return what was found, as a sentence."""
        share = f"{self.count} of {self.out_of}"
        drawn = f" Typical of that: {', '.join(self.drawing)}." if self.drawing else ""
        reasons: dict[Why, str] = {
            "missing": "It has none; the other language carries it alone.",
            "few": f"It has {self.count}.",
            "confused": f"{share} are read as {self.other}.{drawn}",
            "swallowed": f"{share} are taken for no matter of the shop.",
            "let_in": f"{self.count} of {self.out_of} are read as {self.other}.{drawn}",
        }
        return reasons[self.why]


def language_name(code: str) -> str:
    """Return a language's name in English, or its code where it is unknown."""
    try:
        return Locale.parse(code).get_language_name("en") or code
    except (ValueError, UnknownLocaleError):
        return code


def advise(judged: Sequence[Judged], languages: Sequence[str]) -> list[Advice]:
    """Return what to write next, the most pressing first.

    Args:
        judged: all training examples with their cross-validated readings.
        languages: ISO 639-1 codes that every skill should have examples in.
    """
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.case.intents[0], one.case.language].append(one)
    words = {
        intent: Counter(_words(one for key, some in groups.items() if key[0] == intent
                               for one in some))
        for intent in {key[0] for key in groups}
    }  # fmt: skip
    found = [*_lacking(groups, languages), *_misread(groups, words)]
    return sorted(found, key=_pressing)


def _pressing(advice: Advice) -> tuple[float, str, str]:
    """Order by how many sentences it costs; a missing language costs as much as it could have."""
    cost = {"missing": ENOUGH_EXAMPLES, "few": (ENOUGH_EXAMPLES - advice.count) / 2}
    return -cost.get(advice.why, advice.count), advice.skill, advice.language


def _lacking(
    groups: Mapping[tuple[str, str], Sequence[Judged]], languages: Sequence[str]
) -> Iterator[Advice]:
    for intent in sorted({key[0] for key in groups} - {OUT_OF_SCOPE}):
        for language in languages:
            count = len(groups.get((intent, language), ()))
            if count < ENOUGH_EXAMPLES:
                yield Advice("few" if count else "missing", intent, language, count=count)


def _misread(
    groups: Mapping[tuple[str, str], Sequence[Judged]], words: Mapping[str, Counter[str]]
) -> Iterator[Advice]:
    for (intent, language), some in groups.items():
        wrong: dict[str, list[Judged]] = defaultdict(list)
        for one in some:
            if not one.right:
                wrong[one.found.name].append(one)
        for other, mistakes in wrong.items():
            if len(mistakes) < max(_LEAST_MISTAKES, _LEAST_SHARE * len(some)):
                continue
            why: Why = "confused"
            if OUT_OF_SCOPE in {intent, other}:
                why = "let_in" if intent == OUT_OF_SCOPE else "swallowed"
            surest = sorted(mistakes, key=lambda one: -one.found.confidence)
            yield Advice(
                why, intent, language, other, len(mistakes), len(some),
                kinds=_kinds(mistakes, some),
                drawing=_drawing(mistakes, words[intent], words.get(other, Counter())),
                shown=tuple((one.case.text, one.case.where) for one in surest[:_SHOWN]),
            )  # fmt: skip


def _kinds(mistakes: Sequence[Judged], some: Sequence[Judged]) -> tuple[str, ...]:
    """Return what most of the mistakes are and the other sentences are not."""
    found = []
    for name, holds in _KINDS.items():
        share = sum(holds(one.case.text) for one in mistakes) / len(mistakes)
        usual = sum(holds(one.case.text) for one in some) / len(some)
        if share >= _TYPICAL and share >= _MORE_THAN_USUAL * usual:
            found.append(name)
    return tuple(found)


def _is_short(text: str) -> bool:
    return len(text.split()) <= _SHORT_WORDS


def _is_long(text: str) -> bool:
    return len(text.split()) > _LONG_WORDS


def _asks(text: str) -> bool:
    return _ASKING.match(text) is not None


def _negates(text: str) -> bool:
    return _NEGATING.search(text) is not None


def _counts(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


_KINDS: Final[Mapping[str, Callable[[str], bool]]] = {
    f"short ones (up to {_SHORT_WORDS} words)": _is_short,
    f"long ones (over {_LONG_WORDS} words)": _is_long,
    "questions": _asks,
    "negated ones": _negates,
    "ones with numbers": _counts,
}


def _words(some: Iterator[Judged]) -> Iterator[str]:
    for one in some:
        spoken = (word.lower() for word in content_words(one.case.text))
        yield from {word for word in spoken if len(word) >= _TELLING_CHARS}


def _drawing(mistakes: Sequence[Judged], own: Counter[str], other: Counter[str]) -> tuple[str, ...]:
    """Return the words of the mistakes that the other intent uses more often than their own."""
    own_size, other_size = max(1, own.total()), max(1, other.total())
    strengths = {}
    for word, count in Counter(_words(iter(mistakes))).items():
        more = math.log(((other[word] + 0.5) / other_size) / ((own[word] + 0.5) / own_size))
        if more >= _DRAWS and other[word] >= 2:
            strengths[word] = more * count
    return tuple(sorted(strengths, key=lambda word: (-strengths[word], word))[:_SHOWN])
