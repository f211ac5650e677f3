"""Yes and no where it counts: only a plain yes is consent.

`data/lexicons/consent.yml` holds the words. A yes with a condition, a question or new facts is
not consent; the customer is shown the plan again.
"""

import re
from pathlib import Path
from typing import Literal

import msgspec
import yaml
from rapidfuzz.distance import OSA

from bot.understanding.normalise import seen

_SHORT_WORDS = 3
_MOST_MISTYPED = 8
_LEAST_CHARS = 3
_LONG_CHARS = 5
_WORD = re.compile(r"[\w'’]+", re.UNICODE)
_THUMBS_UP = re.compile(r"[\U0001f44d\u2705\U0001f44c]")
_THUMBS_DOWN = re.compile(r"[\U0001f44e\u274c]")


class ConsentWords(msgspec.Struct, frozen=True):
    """Words of consent in all configured languages together."""

    yes: frozenset[str]
    no: frozenset[str]
    filler: frozenset[str]
    phrases_yes: tuple[str, ...] = ()
    phrases_no: tuple[str, ...] = ()
    exact: frozenset[str] = frozenset()

    def judge(self, text: str, *, slips: bool = False) -> Literal["yes", "no", "unclear"]:
        """Return yes or no only if every word of the text belongs to that answer.

        Args:
            text: what the customer says.
            slips: whether a short text may be mistyped ("yes plaese"). What looks like a no is
                never part of a yes.
        """
        verdict = self._judged(text)
        if verdict != "unclear" or not slips:
            return verdict
        righted = self._righted(text)
        return self._judged(righted) if righted else "unclear"

    def _righted(self, text: str) -> str:
        """Return a short text without its slips of the fingers; "" if it holds other words."""
        words = _WORD.findall(text.casefold().replace("’", "'"))
        if "?" in text or not 0 < len(words) <= _MOST_MISTYPED:
            return ""
        known = self.yes | self.no | self.filler
        right = [word if word in known else self._meant(word) for word in words]
        return " ".join(right) if all(right) else ""

    def _meant(self, word: str) -> str:
        """Return the word that a mistyped one surely stands for; a no wins over all others."""
        if word in self.exact or not word.isalpha():
            return ""
        if any(len(no) >= _LEAST_CHARS and OSA.distance(word, no) <= 1 for no in self.no):
            return next((no for no in self.no if _slipped(word, no, _LEAST_CHARS)), "")
        if meant := [yes for yes in self.yes if _slipped(word, yes, _LEAST_CHARS)]:
            return min(meant)
        meant = [filler for filler in self.filler if _slipped(word, filler, _LONG_CHARS)]
        return min(meant, default="")

    def _judged(self, text: str) -> Literal["yes", "no", "unclear"]:
        plain = seen(text)[0].casefold().replace("’", "'").strip()
        if "?" in plain:
            return "unclear"
        if not _WORD.search(plain):
            up, down = bool(_THUMBS_UP.search(plain)), bool(_THUMBS_DOWN.search(plain))
            return "unclear" if up == down else ("yes" if up else "no")
        plain, noes = _without(plain, self.phrases_no)
        plain, yeses = _without(plain, self.phrases_yes)
        words = set(_WORD.findall(plain))
        if words - self.yes - self.no - self.filler:
            return "unclear"
        said_no = noes or bool(words & self.no)
        said_yes = yeses or bool(words & self.yes)
        if said_yes == said_no:
            return "unclear"
        return "yes" if said_yes else "no"

    def refuses(self, text: str) -> bool:
        """Return whether an optional question is declined: "no", "no reason", "kein Grund"."""
        words = _WORD.findall(text.casefold())
        short = 0 < len(words) <= _SHORT_WORDS
        return self.judge(text) == "no" or (short and words[0] in self.no)


def _slipped(typed: str, word: str, shortest_missing: int) -> bool:
    """Return whether fingers slipped once: two letters swapped, one doubled or one left out.

    Args:
        typed: what was typed.
        word: what may be meant.
        shortest_missing: the least length of a word that may lack a letter.
    """
    if OSA.distance(typed, word) != 1:
        return False
    if len(typed) == len(word):
        return sorted(typed) == sorted(word)
    if len(typed) > len(word):
        doubled = (at for at in range(1, len(typed)) if typed[at] == typed[at - 1])
        return any(typed[:at] + typed[at + 1 :] == word for at in doubled)
    return len(word) >= shortest_missing and typed[0] == word[0]


def _without(text: str, phrases: tuple[str, ...]) -> tuple[str, bool]:
    """Return the text with the phrases taken out, and whether any was there."""
    found = False
    for phrase in phrases:
        text, count = re.subn(rf"\b{re.escape(phrase)}\b", " ", text)
        found = found or count > 0
    return text, found


def load_consent_words(path: Path) -> ConsentWords:
    """Read the words of all languages from a YAML file.

    Raises:
        OSError: The file cannot be read.
        yaml.YAMLError: The file is not YAML.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    gathered = {
        key: [str(word).casefold() for language in data.values() for word in language.get(key, ())]
        for key in ("yes", "no", "filler", "phrases_yes", "phrases_no", "exact")
    }
    return ConsentWords(
        yes=frozenset(gathered["yes"]),
        no=frozenset(gathered["no"]),
        filler=frozenset(gathered["filler"]),
        exact=frozenset(gathered["exact"]),
        phrases_yes=tuple(sorted(gathered["phrases_yes"], key=len, reverse=True)),
        phrases_no=tuple(sorted(gathered["phrases_no"], key=len, reverse=True)),
    )
