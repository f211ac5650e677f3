"""Translates what is said at the desk: remembered, guarded, and quiet while the service fails."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import msgspec
import structlog

from desk.translation import Reason, TranslationFailed, Translator
from desk.translation_guard import NO_NAMES, Names, guarded, restored
from desk.translation_memory import Translated, TranslationMemory, key_of

LANGUAGES: tuple[str, ...] = (
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "ga", "he", "hi", "hr",
    "hu", "it", "ja", "ko", "lt", "lv", "mt", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq",
    "sr", "sv", "tr", "uk", "zh",
)  # fmt: skip
"""Languages that customers may be found to write; a translator may know fewer."""
NAMES_FOR = timedelta(minutes=10)
LEAST_LETTERS = 15
SAMPLE_CHARS = 600
_REST_S: dict[Reason, float] = {
    "busy": 20.0,
    "unavailable": 20.0,
    "garbled": 20.0,
    "language": 300.0,
    "quota": 600.0,
    "credentials": 60.0,
}
"""How long pages do not ask again by themselves; a text that is too long says nothing of others."""
_ALL = ("", "")
"""Stands for all pairs of languages."""
_LETTERS = re.compile(r"[^\W\d_]")
log = structlog.get_logger(__name__)

NamesOf = Callable[[], Awaitable[Sequence[str]]]
Identify = Callable[[str], Awaitable[str]]
"""Returns the language of a text; empty where it does not tell."""


class Wanted(msgspec.Struct, frozen=True):
    """A text to translate; `source` is its language, empty where it is not known."""

    text: str
    source: str = ""


class _Rest(msgspec.Struct, frozen=True):
    until: datetime
    reason: Reason


async def no_names() -> Sequence[str]:
    """Know no names."""
    return ()


async def no_language(text: str) -> str:
    """Find out no language."""
    del text
    return ""


class Translations:
    """Translates texts of conversations."""

    def __init__(
        self,
        translator: Translator,
        memory: TranslationMemory,
        clock: Callable[[], datetime],
        names: NamesOf = no_names,
        identify: Identify = no_language,
    ) -> None:
        """Translate with `translator`.

        Args:
            translator: the service.
            memory: keeps translations for a while.
            clock: gives the present as an aware moment.
            names: of products and the like, that stay as they are.
            identify: tells the language of a text.
        """
        self.memory = memory
        self._translator = translator
        self._clock = clock
        self._names_of = names
        self._identify = identify
        self._names: tuple[datetime, Names] | None = None
        self._rests: dict[tuple[str, str], _Rest] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def language(self, texts: Sequence[str], otherwise: str) -> str:
        """Return the language that somebody writes.

        Args:
            texts: what they wrote, the latest last.
            otherwise: what counts where that does not tell.
        """
        said = " ".join(reversed(texts))[:SAMPLE_CHARS]
        words = re.sub(r"⟦[^⟧]*⟧", " ", guarded(said).text)
        if len(_LETTERS.findall(words)) < LEAST_LETTERS:
            return otherwise
        return await self._identify(words) or otherwise

    def kept(self, conversation_id: str, wanted: Wanted, target: str) -> Translated | None:
        """Return a translation that is there already; None if there is none."""
        if not guarded(wanted.text).has_words:
            return Translated(wanted.text)
        return self.memory.get(conversation_id, key_of(wanted.text, wanted.source, target))

    async def translate(
        self, conversation_id: str, wanted: Sequence[Wanted], target: str, *, eager: bool = False
    ) -> list[Translated]:
        """Return translations in the same order.

        Args:
            conversation_id: where this was said.
            wanted: what.
            target: the language that is wanted.
            eager: somebody waits for it: the service is asked even if it failed just now.

        Raises:
            TranslationFailed: there is none of those that were not kept already.
        """
        lock = self._locks.setdefault(conversation_id, asyncio.Lock())
        async with nullcontext() if eager else lock:
            known = {each: self.kept(conversation_id, each, target) for each in wanted}
            missing: dict[str, list[str]] = {}
            for each in (each for each, found in known.items() if found is None):
                missing.setdefault(each.source, []).append(each.text)
            for source, texts in missing.items():
                dropped = self.memory.dropped
                for text, found in (await self._ask(texts, source, target, eager=eager)).items():
                    known[Wanted(text, source)] = found
                    if dropped == self.memory.dropped:  # else it may be erased meanwhile
                        self.memory.put(conversation_id, key_of(text, source, target), found)
        return [there for each in wanted if (there := known[each]) is not None]

    async def _ask(
        self, texts: Sequence[str], source: str, target: str, *, eager: bool
    ) -> dict[str, Translated]:
        pair = source, target
        resting = self._rests.get(_ALL) or self._rests.get(pair)
        if resting and not eager and self._clock() < resting.until:
            raise TranslationFailed(resting.reason)
        names = await self._known_names()
        sources = [guarded(text, names) for text in texts]
        told = [each.text for each in sources if each.has_words]
        try:
            answers = iter(await self._answers(told, source, target))
        except TranslationFailed as error:
            self._rest(pair, error)
            raise
        self._rests.pop(pair, None)
        self._rests.pop(_ALL, None)
        found = [restored(next(answers) if s.has_words else s.text, s) for s in sources]
        return {text: Translated(*each) for text, each in zip(texts, found, strict=True)}

    async def _answers(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return what the service answers; whatever it breaks with is a failure of it.

        Raises:
            TranslationFailed: it has no translation for each of them.
        """
        if not texts:
            return []
        try:
            answers = await self._translator.translate(texts, source, target)
        except TranslationFailed:
            raise
        except Exception as error:
            log.exception("translator_broke", error=type(error).__name__)
            raise TranslationFailed("unavailable") from error
        if len(answers) != len(texts):
            raise TranslationFailed("garbled")
        return answers

    def _rest(self, pair: tuple[str, str], error: TranslationFailed) -> None:
        log.warning("not_translated", reason=error.reason, source=pair[0], target=pair[1])
        rest_s = max(_REST_S.get(error.reason, 0.0), error.after_s)
        if rest_s:
            about = pair if error.reason == "language" else _ALL
            self._rests[about] = _Rest(self._clock() + timedelta(seconds=rest_s), error.reason)

    async def _known_names(self) -> Names:
        """Return the names that stay; a shop that does not answer leaves the last known ones."""
        now = self._clock()
        if self._names is None or self._names[0] < now:
            known = self._names[1] if self._names else NO_NAMES
            try:
                known = Names(await self._names_of())
            except Exception as error:  # noqa: BLE001 - whatever a shop raises
                log.warning("names_not_read", error=type(error).__name__)
            self._names = now + NAMES_FOR, known
        return self._names[1]
