"""What a clause says is not wanted: "I don't want to cancel", "it isn't broken"."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from bot.understanding.normalise import fold

_COMMA_OR_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?|,")
_MAX_CHARS = 1_000
_MOST_BETWEEN = 2


class Refusals:
    """Knows the words that refuse an operation.

    Args:
        lexicon: `negators`, `operations`, `fillers` between the two, `wished` nouns and
            `refused_people` that are refused only beside a word that is `wishing` ("I don't want
            a refund", but not "I got no refund"), `refused_infinitives`, `denials` ("I never said
            that I want to cancel"), `faults`, and `no_refusal`.
    """

    def __init__(self, lexicon: Mapping[str, Sequence[str]]) -> None:
        def listed(*names: str) -> frozenset[str]:
            return frozenset(fold(word) for name in names for word in lexicon.get(name, ()))

        self._negators = listed("negators")
        self._operations = listed("operations", "refused_infinitives")
        self._wished = listed("wished", "refused_people")
        self._wishing = listed("wishing")
        self._fillers = listed("fillers")
        self._denials = listed("denials")
        self._saying = listed("denials", "saying")
        self._faults = listed("faults")
        self._no_refusal = listed("no_refusal")

    def refuses(self, text: str) -> bool:
        """Tell whether a clause names an operation only to say that it is not wanted.

        "I don't want to cancel" refuses; "why can't I cancel" and "not the red one" do not.
        """
        tokens = _tokens(text)
        operations = self._operations
        if self._wishing.intersection(tokens):
            operations |= self._wished
        named = [place for place, token in enumerate(tokens) if token in operations]
        if not named or "?" in text:
            return False
        fillers = self._fillers
        if self._denies(tokens):
            fillers |= self._saying
        elif self._no_refusal.intersection(tokens):
            return False
        return all(self._is_refused(tokens, place, fillers) for place in named)

    def states_not(self, text: str) -> bool:
        """Tell whether a clause names a fault only to say that there is none."""
        tokens = _tokens(text)
        named = [place for place, token in enumerate(tokens) if token in self._faults]
        return bool(named) and all(
            self._negators.intersection(tokens[max(0, place - _MOST_BETWEEN) : place])
            for place in named
        )

    def _denies(self, tokens: Sequence[str]) -> bool:
        """Return whether somebody has not said a thing: "nie gesagt", "never asked"."""
        return any(
            token in self._denials and before in self._negators
            for before, token in pairwise(tokens)
        )

    def _is_refused(self, tokens: Sequence[str], place: int, fillers: frozenset[str]) -> bool:
        before = place - 1
        while before >= 0 and tokens[before] in fillers:
            before -= 1
        after = place + 1
        while after < len(tokens) and tokens[after] in fillers:
            after += 1
        follows = tokens[after] if after < len(tokens) else ""
        return (before >= 0 and tokens[before] in self._negators) or follows == "nicht"


def _tokens(text: str) -> list[str]:
    return [fold(token) for token in _COMMA_OR_WORD.findall(text[:_MAX_CHARS])]
