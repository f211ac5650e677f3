"""The port that every translator fills, and how it fails."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from desk.errors import DeskError

OPEN, CLOSE = "⟦", "⟧"
"""What stands between them comes back from a translator as it is, with them around it."""
Reason = Literal[
    "busy", "quota", "credentials", "language", "too_long", "unavailable", "garbled"
]  # fmt: skip
"""Why there is no translation.

`busy`: it asks to come again. `quota`: what was paid for is used up. `credentials`: it does not
know us. `language`: it does not translate from or into this one. `too_long`: it takes no text of
that length. `unavailable`: it does not answer, or too slowly. `garbled`: it answered something else
than one translation for each text.
"""


class TranslationFailed(DeskError):
    """There is no translation.

    Args:
        reason: why.
        after_s: how long the translator asks to be left alone; 0 where it does not say.
    """

    def __init__(self, reason: Reason, after_s: float = 0.0) -> None:
        """Say why, and when to come again."""
        super().__init__(reason)
        self.reason: Reason = reason
        self.after_s = after_s


class Translator(ABC):
    """A service that translates texts.

    Languages are ISO 639-1 codes in small letters. Line breaks stay where they are.
    """

    @abstractmethod
    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations, as many and in the same order.

        Args:
            texts: what stands in them between `OPEN` and `CLOSE` is not translated.
            source: their language; empty where it is not known.
            target: the language that is wanted.

        Raises:
            TranslationFailed: there is none.
        """

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""
