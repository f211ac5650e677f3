"""Dialect, put into the standard language word by word before an intent is read.

"wo isch mis Päckli" becomes "wo ist mein Paket". The customer's own text stays as it is. Words that
the standard language has, too ("des", "mi"), are put right only where others give the dialect away.
"""

from collections.abc import Mapping
from typing import Self

import msgspec

from bot.understanding.normalise import words

_LEAST_SURE = 2
_SHORT_WORDS = 6


class DialectLexicon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `dialects.yml`: spellings by what they mean.

    Args:
        sure: spellings that no standard text has.
        maybe: spellings that mean something else in a standard text.
    """

    sure: dict[str, str] = msgspec.field(default_factory=dict)
    maybe: dict[str, str] = msgspec.field(default_factory=dict)


class Dialects:
    """Knows what dialect words mean.

    Args:
        sure: standard words by spelling.
        maybe: likewise, for those that count only beside others.
    """

    def __init__(self, sure: Mapping[str, str], maybe: Mapping[str, str]) -> None:
        self._sure = dict(sure)
        self._maybe = dict(maybe)

    @classmethod
    def of(cls, lexicon: DialectLexicon) -> Self:
        """Return the dialects of a word list."""
        return cls(_by_spelling(lexicon.sure), _by_spelling(lexicon.maybe))

    def standard(self, text: str) -> str:
        """Return a text with its dialect words in the standard language."""
        found = words(text)
        sure = sum(word.lower() in self._sure for word, _, _ in found)
        if not sure:
            return text
        plain = sure >= _LEAST_SURE or len(found) <= _SHORT_WORDS
        parts, at = [], 0
        for word, start, end in found:
            low = word.lower()
            meant = self._sure.get(low) or (self._maybe.get(low) if plain else None)
            if meant is not None and not (word.isupper() and len(word) > 1):
                parts += [text[at:start], meant]
                at = end
        return "".join([*parts, text[at:]])


def _by_spelling(listed: Mapping[str, str]) -> dict[str, str]:
    return {word: meant for meant, spellings in listed.items() for word in spellings.split()}
