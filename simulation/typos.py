"""Mistakes of a hurried typist; what is marked as kept stays as it is."""

import random
import re

KEEP = "\N{SYMBOL FOR START OF TEXT}"
KEPT = "\N{SYMBOL FOR END OF TEXT}"
PER_WORD = 0.18
_NO_CAPITALS = 0.6
_NO_UMLAUTS = 0.5
_SHORTEST_CHARS = 4
_PARTS = re.compile(f"({KEEP}.*?{KEPT})", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")
_UMLAUTS = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue",
})  # fmt: skip


def keep(text: str) -> str:
    """Mark a part that nobody mistypes: it was copied, or is looked at twice."""
    return f"{KEEP}{text}{KEPT}" if text else ""


def bare(text: str) -> str:
    """Return a text without the marks."""
    return text.replace(KEEP, "").replace(KEPT, "")


def outside_kept(text: str) -> list[tuple[str, bool]]:
    """Return the parts of a text, each with whether it is kept."""
    return [(part, part.startswith(KEEP)) for part in _PARTS.split(text) if part]


def mistyped(text: str, dice: random.Random) -> str:
    """Return a text with typing mistakes outside the kept parts."""
    lower, plain = dice.random() < _NO_CAPITALS, dice.random() < _NO_UMLAUTS
    done = []
    for part, kept in outside_kept(text):
        if kept:
            done.append(part)
            continue
        typed = _WORD.sub(lambda match: _slip(match.group(), dice), part)
        typed = typed.lower() if lower else typed
        done.append(typed.translate(_UMLAUTS) if plain else typed)
    return "".join(done)


def _slip(word: str, dice: random.Random) -> str:
    """Return a word, sometimes with two letters swapped, one missing or one doubled."""
    if len(word) < _SHORTEST_CHARS or dice.random() >= PER_WORD:
        return word
    place = dice.randrange(1, len(word) - 1)
    kind = dice.choice(("swapped", "missing", "doubled"))
    if kind == "swapped":
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind == "missing":
        return word[:place] + word[place + 1 :]
    return word[:place] + word[place] + word[place:]
