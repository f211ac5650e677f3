"""Respells texts as people type them: in dialect, without umlauts, with slips of the finger."""

import random
import re
from pathlib import Path

import msgspec
import yaml

TABLES = Path(__file__).with_name("dialect.yml")
DIALECT_SHARE = 0.35
_CLEAN = 0.6
_SMALL_LETTERS = 0.3
_CHARS_PER_SLIP = 15
_LEAST_CHARS = 4
_STRENGTHS = (0.4, 0.7, 0.95)
_RESPELLED = 0.95
_OWN_CAPITALS = 0.6
_LETTERS = "aeiourstnlmdgb"
_WORD = re.compile(r"[A-Za-zÄÖÜäöüß]+")
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_WITHOUT_DOTS = str.maketrans({"ä": "a", "ö": "o", "ü": "u"})


class Sound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sound that a dialect has otherwise.

    Args:
        find: regular expression.
        write: one of these is written instead.
        often: factor on how likely it is, 0–1.
        least_chars: words shorter than this keep theirs.
        once: whether only the first place changes.
    """

    find: str
    write: list[str]
    often: float = 1.0
    least_chars: int = 0
    once: bool = False


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How words are written in a dialect.

    Args:
        share: how often it is this dialect, 0–1.
        words: spellings of words in small letters.
        sounds: changes to other words, one after the other.
    """

    share: float
    words: dict[str, list[str]]
    sounds: list[Sound]


def load_dialects(path: Path = TABLES) -> list[Dialect]:
    """Read the dialects from their file.

    Raises:
        OSError: it cannot be read.
        msgspec.ValidationError: it is of another form.
    """
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return list(msgspec.convert(content, dict[str, Dialect]).values())


class Noise:
    """Respells some of the texts, the same ones for the same random numbers.

    Args:
        numbers: where chance comes from.
        dialects: what German texts are written in.
        dialect_share: share of the German texts that are, 0–1.
    """

    def __init__(
        self,
        numbers: random.Random,
        dialects: list[Dialect],
        dialect_share: float = DIALECT_SHARE,
    ) -> None:
        self._numbers = numbers
        self._dialects = dialects
        self._dialect_share = dialect_share

    def respell(self, text: str, language: str) -> str:
        """Return a text as somebody might have typed it, often as it is."""
        chance = self._numbers.random
        if language == "de" and chance() < self._dialect_share:
            text = self.in_dialect(text)
        if chance() < _CLEAN:
            return text
        if chance() < _SMALL_LETTERS:
            return text.lower().translate(_WRITTEN_OUT if chance() < 0.5 else _WITHOUT_DOTS)
        return self.with_slips(text)

    def with_slips(self, text: str) -> str:
        """Return a text with letters swapped, left out, doubled or wrong."""
        numbers = self._numbers
        chars = list(text)
        for _ in range(numbers.randint(1, max(1, len(text) // _CHARS_PER_SLIP))):
            if len(chars) < _LEAST_CHARS:
                break
            place, kind = numbers.randrange(len(chars) - 1), numbers.random()
            if kind < 0.3:
                chars[place], chars[place + 1] = chars[place + 1], chars[place]
            elif kind < 0.55:
                del chars[place]
            elif kind < 0.75:
                chars.insert(place, chars[place])
            elif chars[place].isalpha():
                chars[place] = numbers.choice(_LETTERS)
        return "".join(chars)

    def in_dialect(self, text: str) -> str:
        """Return a German text in one of the dialects, stronger or weaker."""
        numbers = self._numbers
        (dialect,) = numbers.choices(self._dialects, [one.share for one in self._dialects])
        strength = numbers.choice(_STRENGTHS)

        def respelled(match: re.Match[str]) -> str:
            word = match.group()
            return self._word(word, dialect, strength) if numbers.random() < _RESPELLED else word

        spoken = _WORD.sub(respelled, text)
        return spoken if numbers.random() < _OWN_CAPITALS else spoken.lower()

    def _word(self, word: str, dialect: Dialect, strength: float) -> str:
        numbers = self._numbers
        spoken = word.lower()
        if spoken in dialect.words:
            spoken = numbers.choice(dialect.words[spoken])
        else:
            for sound in dialect.sounds:
                likely = numbers.random() < strength * sound.often
                if likely and len(spoken) >= sound.least_chars:
                    written = numbers.choice(sound.write)
                    spoken = re.sub(sound.find, written, spoken, count=int(sound.once))
        return spoken.capitalize() if word[:1].isupper() else spoken
