"""Words that name a thing but no wish: "order" could be a parcel, a list or a purchase."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import yaml

from bot.understanding.normalise import fold

_WORD = re.compile(r"[^\W_]+")
_OR = re.compile(r"[\s,]+(?:or|oder)[\s,]+", re.IGNORECASE)
_MOST_WORDS = 6


class BareWords(msgspec.Struct, frozen=True):
    """The words of `data/lexicons/bare_words.yml`.

    Args:
        readings: folded words → the skills they may mean, likeliest first.
        polite: words beside them that change nothing.
    """

    readings: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    polite: frozenset[str] = frozenset()

    def skills(self, text: str) -> tuple[str, ...]:
        """Return the skills that a whole message may mean; none for all other messages."""
        words = [word for word in _WORD.findall(fold(text)) if word not in self.polite]
        return self.readings.get(" ".join(words), ())


def alternatives(text: str) -> list[str]:
    """Return what a short message puts before and behind its only "or"; nothing without one."""
    sides = _OR.split(text.strip(" ?!."))
    short = all(0 < len(_WORD.findall(side)) <= _MOST_WORDS for side in sides)
    return sides if len(sides) == 2 and short else []


def load_bare_words(path: Path) -> BareWords:
    """Read the words from `bare_words.yml`.

    Raises:
        OSError: The file is missing.
        yaml.YAMLError: The file is not YAML.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return BareWords(
        readings={
            fold(str(word)): tuple(group["skills"])
            for group in data["readings"]
            for word in group["words"]
        },
        polite=frozenset(fold(str(word)) for word in data["polite"]),
    )
