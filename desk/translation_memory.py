"""What was translated a short while ago, and who reads which conversation translated.

It lies in this process's memory only, with a bound and for an hour; what is erased or redacted is
gone from here as well.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

MOST_TEXTS = 3_000
MOST_CHOICES = 2_000
KEPT_FOR = timedelta(hours=1)
Key = tuple[str, str, str]


class Translated(msgspec.Struct, frozen=True):
    """A text in another language; not `is_sure` where numbers, names or links may differ."""

    text: str
    is_sure: bool = True


class Choice(msgspec.Struct, frozen=True):
    """What an operator chose for a conversation: `is_on` None and `language` empty leave it."""

    is_on: bool | None = None
    language: str = ""


class TranslationMemory:
    """Translations and choices by conversation."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Begin with nothing; `clock` gives the present as an aware moment.

        `dropped` counts how often texts had to go: what is under way then must not come back.
        """
        self._clock = clock
        self.dropped = 0
        self._texts: OrderedDict[tuple[str, Key], tuple[datetime, Translated]] = OrderedDict()
        self._choices: OrderedDict[tuple[str, str], Choice] = OrderedDict()

    def get(self, conversation_id: str, key: Key) -> Translated | None:
        """Return a translation that is kept; None if there is none."""
        found = self._texts.get((conversation_id, key))
        if found is None:
            return None
        until, translated = found
        if until < self._clock():
            del self._texts[conversation_id, key]
            return None
        self._texts.move_to_end((conversation_id, key))
        return translated

    def put(self, conversation_id: str, key: Key, translated: Translated) -> None:
        """Keep a translation; the one that was not needed for longest makes room."""
        self._texts[conversation_id, key] = (self._clock() + KEPT_FOR, translated)
        self._texts.move_to_end((conversation_id, key))
        while len(self._texts) > MOST_TEXTS:
            self._texts.popitem(last=False)

    def keep_only(self, conversation_id: str, texts: Collection[str]) -> None:
        """Drop the translations of texts that a conversation has no more."""
        known = {digest(text) for text in texts}
        if gone := [each for each in self._of(conversation_id) if each[1][0] not in known]:
            self._drop(gone)

    def choice(self, operator_id: str, conversation_id: str) -> Choice:
        """Return what an operator chose for a conversation."""
        return self._choices.get((operator_id, conversation_id), Choice())

    def choose(self, operator_id: str, conversation_id: str, choice: Choice) -> None:
        """Keep what an operator chose for a conversation."""
        self._choices[operator_id, conversation_id] = choice
        self._choices.move_to_end((operator_id, conversation_id))
        while len(self._choices) > MOST_CHOICES:
            self._choices.popitem(last=False)

    async def find(self, conversation_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return no records: the texts stand in the events, and translations soon go."""
        del conversation_id
        return {}

    async def erase(self, conversation_id: str) -> dict[str, int]:
        """Drop everything of a conversation and return how many translations there were.

        The translations of all others go as well: merged conversations are read as one.
        """
        count = len(self._of(conversation_id))
        self._drop(list(self._texts))
        for chosen in [each for each in self._choices if each[1] == conversation_id]:
            del self._choices[chosen]
        return {"translations": count}

    def _drop(self, gone: Collection[tuple[str, Key]]) -> None:
        self.dropped += 1
        for each in gone:
            del self._texts[each]

    def _of(self, conversation_id: str) -> list[tuple[str, Key]]:
        return [each for each in self._texts if each[0] == conversation_id]


def key_of(text: str, source: str, target: str) -> Key:
    """Return under what a translation is kept."""
    return digest(text), source, target


def digest(text: str) -> str:
    """Return the hash of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
