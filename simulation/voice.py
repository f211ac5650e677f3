"""How a customer puts things: the language and manner of everything they write."""

import random
import re

from simulation.phrases import PLAIN, Phrases
from simulation.typos import KEEP, bare, mistyped, outside_kept

STYLES = ("plain", "terse", "chatty", "typos", "changes_mind", "german")
_OWN_PHRASES = frozenset({"terse", "chatty"})
_STORY = 0.35
_HEDGE = 0.4
_THANKS = 0.4
_ENDS = (".", "!", "?", "…")


class Voice:
    """Says acts in one language and style; marked parts (numbers, addresses) stay as they are."""

    def __init__(self, language: str, style: str, dice: random.Random) -> None:
        """Speak `language` in `style`, drawing from `dice`."""
        self.language = language
        self.style = style
        self.dice = dice
        self._manner = style if style in _OWN_PHRASES else PLAIN
        self._phrases = Phrases(language, dice)
        self._greeted = False

    def put(self, act: str, **values: str) -> str:
        """Return an act with its values filled in, to be part of what is said."""
        return self._phrases.draw(act, self._manner).format(**values)

    def plainly(self, act: str, **values: str) -> str:
        """Return an act in clear words, for somebody who was not understood."""
        return self._phrases.draw(act, PLAIN).format(**values)

    def knows(self, act: str) -> bool:
        """Return whether there are words for an act."""
        return self._phrases.known(act)

    def chance(self, probability: float) -> bool:
        """Return whether something happens."""
        return self.dice.random() < probability

    def said(self, text: str, *, opening: bool = False, bluntly: bool = False) -> str:
        """Return what is typed in the end: with the manner and the mistakes of the style.

        Args:
            text: what is meant, with marked parts.
            opening: it is the first message.
            bluntly: no more than that, as people answer when they were asked for a plain answer.
        """
        if bluntly:
            pass
        elif self.style == "terse":
            text = _terse(text)
        elif self.style == "chatty":
            text = self._wrapped(text, opening=opening)
        else:
            text = _capital(text)
        if self.style == "typos":
            text = mistyped(text, self.dice)
        return re.sub(r"\s+", " ", bare(text)).strip()

    def _wrapped(self, text: str, *, opening: bool) -> str:
        if opening:
            parts = [self.put("chatty.greeting")] if not self._greeted else []
            self._greeted = True
            if self.chance(_STORY):
                parts.append(self.put("chatty.story"))
            text = _capital(text)
            text = text if bare(text).endswith(_ENDS) else f"{text}."
            parts += [text, self.put("chatty.thanks")]
            return " ".join(part for part in parts if part)
        if self.chance(_HEDGE):
            hedge = self.put("chatty.hedge")
            text = hedge + (_small(text) if hedge.endswith(", ") else text)
        if not self.chance(_THANKS):
            return text
        stop = "" if bare(text).rstrip().endswith(_ENDS) else "."
        return f"{_capital(text)}{stop} {self.put('chatty.thanks')}"


def joined(parts: list[str], last: str) -> str:
    """Return `a, b and c`."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + last + parts[-1]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if not text.startswith(KEEP) else text


def _small(text: str) -> str:
    """Return a text with its first word small, unless that is "I" or a name."""
    first = text.split(" ", 1)[0]
    return text if first in {"I", "I'd", "I'm", "I'll"} else text[:1].lower() + text[1:]


def _terse(text: str) -> str:
    """Return a text without punctuation and capitals outside the kept parts."""
    done = []
    for part, kept in outside_kept(text):
        done.append(part if kept else re.sub(r"[,;:!?.()]+(?=\s|$)|[()]", "", part).lower())
    return "".join(done)
