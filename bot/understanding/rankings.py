"""What the parts of one message mean; no words of it are looked at twice."""

from collections.abc import Sequence

from bot.understanding.normalise import MAX_TEXT_CHARS, spoken, squeeze
from bot.understanding.ports import IntentClassifier, Normaliser
from bot.understanding.result import Intent
from bot.understanding.small_talk import past_courtesy


class Rankings:
    """The intents of the parts of one message.

    Args:
        intents: ranks them.
        normaliser: puts mistyped words right before.
    """

    def __init__(self, intents: IntentClassifier, normaliser: Normaliser) -> None:
        self._intents = intents
        self._normaliser = normaliser
        self._seen: dict[str, str] = {}
        self._ranked: dict[str, tuple[Intent, ...]] = {}

    def of(self, masked: Sequence[str]) -> list[tuple[Intent, ...]]:
        """Return the intents of masked texts, read as their writers meant to spell them."""
        texts = [self.seen(text) for text in masked]
        fresh = [text for text in dict.fromkeys(texts) if text not in self._ranked]
        if fresh:
            found = map(past_courtesy, self._intents.rank(fresh))
            self._ranked.update(zip(fresh, found, strict=True))
        return [self._ranked[text] for text in texts]

    def seen(self, masked: str) -> str:
        """Return what the intents of a masked text are read from."""
        if masked not in self._seen:
            meant = self._normaliser.corrected(spoken(masked[:MAX_TEXT_CHARS]))
            self._seen[masked] = squeeze(meant)
        return self._seen[masked]
