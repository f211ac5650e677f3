"""What the help texts do say where they say nothing about just what was asked."""

import functools
import re
from pathlib import Path

import msgspec
import yaml

_FILE = Path(__file__).resolve().parents[1] / "data" / "lexicons" / "help_nearby.yml"
_MOST_CHARS = 300


class Nearby(msgspec.Struct, frozen=True):
    """A matter of the help texts.

    Args:
        ask: the question that they answer, by language.
        said: patterns of questions about it that they may not answer.
    """

    ask: dict[str, str]
    said: tuple[str, ...]

    def fits(self, text: str) -> bool:
        """Return whether a question is about this matter."""
        return any(_pattern(one).search(text) for one in self.said)


def nearby_question(text: str, language: str) -> str:
    """Return the question of the same matter that help texts usually answer, "" for no matter."""
    found = next((one for one in _matters() if one.fits(text[:_MOST_CHARS])), None)
    if found is None:
        return ""
    return found.ask.get(language) or next(iter(found.ask.values()))


@functools.cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source, re.IGNORECASE)


@functools.cache
def _matters() -> tuple[Nearby, ...]:
    return msgspec.convert(yaml.safe_load(_FILE.read_text(encoding="utf-8")), tuple[Nearby, ...])
