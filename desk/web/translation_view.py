"""What an operator reads in their own language: which messages, from which language, into which."""

import re
from collections.abc import Mapping, Sequence
from operator import itemgetter

import msgspec
from babel import Locale
from msgspec import structs

from bot.events import REDACTED
from bot.operators import Doing
from desk.records import Case
from desk.transcript_records import Message, Transcript
from desk.translation_memory import Translated
from desk.translations import LANGUAGES, Translations, Wanted
from desk.web.guard import Visit
from desk.web.room import Room
from desk.web.timeline import Timeline

_SAMPLE = 10
"""So many of the customer's latest messages tell their language."""
_TAG = re.compile(r"[a-z]{2,3}")


class Below(msgspec.Struct, frozen=True):
    """What stands below a message; `found` is None while it is not there yet."""

    wanted: Wanted
    found: Translated | None = None


class TranslationView(msgspec.Struct, frozen=True):
    """How an operator reads a case.

    Args:
        is_offered: something translates here.
        is_on: they read it translated.
        mine: the language that they read.
        theirs: the customer's; empty where it is not known.
        below: what stands below messages, by their numbers.
        sources: the languages of messages, by their numbers.
    """

    is_offered: bool = False
    is_on: bool = False
    mine: str = ""
    theirs: str = ""
    below: Mapping[int, Below] = msgspec.field(default_factory=dict)
    sources: Mapping[int, str] = msgspec.field(default_factory=dict)

    @property
    def writes(self) -> bool:
        """Whether what they write has to be translated."""
        return self.is_on and bool(self.theirs) and self.theirs != self.mine

    @property
    def missing(self) -> dict[int, Wanted]:
        """The messages whose translation is not there yet, the latest first."""
        numbers = sorted(self.below, reverse=True)
        return {n: self.below[n].wanted for n in numbers if self.below[n].found is None}


async def translation_view(
    room: Room, visit: Visit, case: Case, transcript: Transcript, talk: Timeline
) -> TranslationView:
    """Return how an operator reads a case.

    Args:
        room: knows the translator.
        visit: of the operator.
        case: which one.
        transcript: of its conversation.
        talk: what the page shows of it.
    """
    translations = room.outside.translations
    if translations is None:
        return TranslationView()
    if transcript.redactions:
        texts = [message.text for message in transcript.messages]
        texts += [line.message.text for line in talk.lines if line.message is not None]
        translations.memory.keep_only(case.conversation_id, texts)
    view = await _settled(translations, visit, case, transcript)
    if not view.is_on:
        return view
    shown = [line.message for line in talk.lines if line.message is not None]
    below: dict[int, Below] = {}
    sources: dict[int, str] = {}
    chosen = translations.memory.choice(visit.operator.id, case.conversation_id).language
    for message in shown:
        if not message.text or message.redaction or message.text == REDACTED:
            continue
        source = await _source(translations, message, view.theirs, chosen)
        sources[message.seq] = source
        if view.mine in {source, message.original_language}:
            continue
        wanted = Wanted(message.text, source)
        found = translations.kept(case.conversation_id, wanted, view.mine)
        if found is None or found.text != message.text:
            below[message.seq] = Below(wanted, found)
    return structs.replace(view, below=below, sources=sources)


async def as_written(room: Room, visit: Visit, case: Case, doing: Doing) -> tuple[Doing, str]:
    """Return what is said with what the operator wrote, and why it must not go out, if it must not.

    Args:
        room: knows the translator.
        visit: what was sent.
        case: to whom.
        doing: what is said.
    """
    form = visit.form
    original = form.get("original", "").strip()
    language = form.get("original_language", "")
    if original and _TAG.fullmatch(language):
        into = form.get("text_language", "")
        said = structs.replace(doing, original=original, original_language=language)
        return (structs.replace(said, language=into) if _TAG.fullmatch(into) else said), ""
    if not doing.text or form.get("untranslated") == "1" or not _may_be_on(room, visit, case):
        return doing, ""
    view = await reading_of(room, visit, case)
    return doing, "untranslated" if view.writes else ""


async def reading_of(room: Room, visit: Visit, case: Case) -> TranslationView:
    """Return between which languages an operator works on a case, without its messages.

    Args:
        room: knows the translator.
        visit: of the operator.
        case: which one.

    Raises:
        StorageError: the conversation cannot be read.
    """
    translations = room.outside.translations
    if translations is None:
        return TranslationView()
    return await _settled(translations, visit, case, await room.transcript(case))


def language_names(page_language: str) -> list[tuple[str, str]]:
    """Return the languages that a customer may write, by their names."""
    names = Locale(page_language).languages
    return sorted(((code, names.get(code, code)) for code in LANGUAGES), key=itemgetter(1))


def language_name(code: str, page_language: str) -> str:
    """Return what a language is called in the page's language."""
    return str(Locale(page_language).languages.get(code, code)) if code else ""


def _may_be_on(room: Room, visit: Visit, case: Case) -> bool:
    translations = room.outside.translations
    if translations is None:
        return False
    chosen = translations.memory.choice(visit.operator.id, case.conversation_id).is_on
    return bool(visit.operator.languages) if chosen is None else chosen


async def _settled(
    translations: Translations, visit: Visit, case: Case, transcript: Transcript
) -> TranslationView:
    me = visit.operator
    choice = translations.memory.choice(me.id, case.conversation_id)
    theirs = choice.language or await translations.language(_said(transcript), case.language)
    known = me.languages
    mine = visit.language if not known or visit.language in known else known[0]
    is_foreign = bool(known and theirs) and theirs not in known
    is_on = is_foreign if choice.is_on is None else choice.is_on
    return TranslationView(is_offered=True, is_on=is_on, mine=mine, theirs=theirs)


def _said(transcript: Transcript) -> Sequence[str]:
    heard = [m for m in transcript.messages if m.speaker == "customer" and not m.redaction]
    return [message.text for message in heard[-_SAMPLE:]]


async def _source(translations: Translations, message: Message, theirs: str, chosen: str) -> str:
    """Return the language of a message."""
    if message.speaker == "customer":
        return chosen or await translations.language([message.text], theirs)
    told = str(message.data.get("language") or "")
    if message.speaker == "bot" or message.original:
        return told or theirs
    return await translations.language([message.text], told or theirs)
