"""Yes and no where it counts: only a plain yes is consent.

`data/lexicons/consent.yml` holds the words. A yes with a condition, a question or new facts is
not consent; the customer is shown the plan again.
"""

import re
from pathlib import Path
from typing import Literal

import msgspec
import yaml

_SHORT_WORDS = 3
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

    def judge(self, text: str) -> Literal["yes", "no", "unclear"]:
        """Return yes or no only if every word of the text belongs to that answer."""
        plain = text.casefold().replace("’", "'").strip()
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
        for key in ("yes", "no", "filler", "phrases_yes", "phrases_no")
    }
    return ConsentWords(
        yes=frozenset(gathered["yes"]),
        no=frozenset(gathered["no"]),
        filler=frozenset(gathered["filler"]),
        phrases_yes=tuple(sorted(gathered["phrases_yes"], key=len, reverse=True)),
        phrases_no=tuple(sorted(gathered["phrases_no"], key=len, reverse=True)),
    )
