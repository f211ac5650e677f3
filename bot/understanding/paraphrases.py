"""Other words for what shops offer to choose from: "don't need it" for "no longer needed"."""

from functools import cache
from pathlib import Path

import yaml

from bot.understanding.normalise import fold, squeeze, words

_PATH = Path(__file__).resolve().parents[2] / "data" / "lexicons" / "paraphrases.yml"


def said_otherwise(text: str) -> list[str]:
    """Return the usual words for what a text says in other ones, in the order of the lexicon."""
    said = f" {_plain(text)} "
    return [usual for usual, others in _groups() if any(f" {other} " in said for other in others)]


@cache
def _groups() -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups = yaml.safe_load(_PATH.read_text(encoding="utf-8"))
    return tuple((str(group[0]), tuple(_plain(str(one)) for one in group)) for group in groups)


def _plain(text: str) -> str:
    return squeeze(" ".join(word for word, _, _ in words(fold(text).replace("’", "'"))))
