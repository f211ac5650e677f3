"""Finds in the stored conversations what had no good answer, and takes out what is personal."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from bot import events as ev
from bot.answered import said_in_slots, without
from bot.marks import marks
from bot.storage.ports import EventStore, StoredEvent
from knowledge.gaps import Gap, Question, Reason, find_gaps
from knowledge.gaps_products import ProductLack, lacking_products
from knowledge.gaps_texts import (
    Contradiction,
    StalePassage,
    contradictions,
    stale_passages,
)
from knowledge.ingest import Encode
from knowledge.library import Library

_PAGE = 200
_LONGEST_CHARS = 300
_ANSWERED = frozenset({"utter_faq_answer", "utter_perhaps_product"})
_SAID: dict[str, Reason] = {
    "utter_faq_nearby": "no_answer",
    "utter_no_faq_answer": "no_answer",
    "utter_search_near": "nothing_found",
    "utter_search_none": "nothing_found",
    "utter_search_unknown": "nothing_found",
    "utter_cannot_confirm": "withheld",
}


class GapReport(msgspec.Struct, frozen=True):
    """Everything the editor should look at; `conversations` were read, `since` when."""

    made_at: datetime
    since: datetime | None
    conversations: int
    questions: int
    gaps: tuple[Gap, ...]
    stale: tuple[StalePassage, ...]
    contradictions: tuple[Contradiction, ...]
    products: tuple[ProductLack, ...]


async def stored_questions(
    store: EventStore, masked: Callable[[str], str], since: datetime | None = None
) -> tuple[list[Question], int]:
    """Return the questions without a good answer, and how many conversations were read.

    Args:
        store: with the events.
        masked: takes what is personal out of a text; what slots know of the customer is cut too.
        since: leaves out what was asked before; None for nothing.
    """
    found: list[Question] = []
    count = 0
    async for conversation_id in _conversations(store, since):
        stored, _ = await store.load(conversation_id)
        count += 1
        secrets = said_in_slots(stored)
        for text, language, reason, at in unanswered(stored):
            if since is None or at >= since:
                shown = masked(without(text, secrets))
                found.append(Question(shown[:_LONGEST_CHARS], language, reason, at))
    return found, count


async def _conversations(store: EventStore, since: datetime | None) -> AsyncIterator[str]:
    after = ""
    while page := await store.conversations(after, _PAGE):
        for one in page:
            if since is None or one.updated_at >= since:
                yield one.conversation_id
        after = page[-1].conversation_id


def unanswered(stored: Iterable[StoredEvent]) -> Iterator[tuple[str, str, Reason, datetime]]:
    """Yield text, language, reason and time of each message that had no good answer, once.

    A wish for a person counts for the message before it, for that is what the bot could not do.
    What an operator marked wrong counts whatever the bot made of it.
    """
    reading = _Reading()
    known = list(stored)
    for item in known:
        reading.take(ev.from_wire(item.data), item.at)
    wrong = {mark.asked_seq for mark in marks(known) if mark.verdict == "wrong"}
    asked = [item.seq for item in known if item.data.get("event") == "user"]
    for (event, at), found, seq in zip(reading.asked, reading.reasons, asked, strict=True):
        reason: Reason | None = "marked_wrong" if seq in wrong else found
        if reason is not None and _says_something(event):
            told = event.parse_data.get("language")
            language = str(told.get("code", "")) if isinstance(told, dict) else str(told or "")
            yield event.text, language, reason, at


class _Reading:
    """What was asked so far in a conversation, and what became of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[ev.UserUttered, datetime]] = []
        self.reasons: list[Reason | None] = []
        self._clarified = 0

    def take(self, event: ev.Event, at: datetime) -> None:
        """Take in the next event."""
        if isinstance(event, ev.UserUttered):
            self.asked.append((event, at))
            self.reasons.append("out_of_scope" if _intent(event) == "out_of_scope" else None)
            return
        if isinstance(event, ev.FlowStarted):
            if event.flow_id == "pattern_clarify":
                self._clarified += 1
            elif not event.flow_id.startswith("pattern_"):
                self._clarified = 0
        if not self.asked:
            return
        if _response(event) in _ANSWERED and self.reasons[-1] == "out_of_scope":
            self.reasons[-1] = None
        if (reason := _reason(event, self._clarified)) is not None:
            self._note(reason)

    def _note(self, reason: Reason) -> None:
        place = len(self.asked) - 1
        if reason == "handed_over":
            said = (n for n in range(place, -1, -1) if _says_something(self.asked[n][0]))
            place = next(said, -1)
        if place >= 0 and (self.reasons[place] is None or reason == "handed_over"):
            self.reasons[place] = reason


def _reason(event: ev.Event, clarified: int) -> Reason | None:
    if isinstance(event, ev.NotUnderstood):
        return "not_understood"
    if isinstance(event, ev.FlowStarted) and event.flow_id == "pattern_clarify":
        return "clarified" if clarified > 1 else None
    if isinstance(event, ev.HandoffChanged) and event.state == "waiting_for_operator":
        return "handed_over"
    if isinstance(event, ev.SlotSet):
        if event.name == "search_state" and event.value in {"none", "unknown"}:
            return "nothing_found"
        return None
    return _SAID.get(_response(event))


def _response(event: ev.Event) -> str:
    return str(event.metadata.get("utter_action") or "") if isinstance(event, ev.BotUttered) else ""


def _intent(event: ev.UserUttered) -> str:
    return str((event.parse_data.get("intent") or {}).get("name") or "")


def _says_something(event: ev.UserUttered) -> bool:
    text = event.text.strip()
    worded = sum(letter.isalpha() for letter in text) > 2
    return worded and not text.startswith("/") and _intent(event) != "talk_to_human"


def make_report(
    library: Library, questions: Sequence[Question], encode: Encode | None, now: datetime
) -> GapReport:
    """Return what questions, help texts and products lack.

    Args:
        library: the help texts and products.
        questions: without a good answer.
        encode: texts to normalised vectors of what is meant; None puts only equal wordings
            together.
        now: the present, aware UTC.
    """
    usual = [passage.title for passage in library.passages if passage.kind == "faq"]
    return GapReport(
        made_at=now,
        since=None,
        conversations=0,
        questions=len(questions),
        gaps=tuple(find_gaps(questions, encode, library.rank_answers, usual)),
        stale=tuple(stale_passages(library.passages, now)),
        contradictions=tuple(contradictions(library.passages)),
        products=tuple(lacking_products(library.products)),
    )


def as_json(report: GapReport) -> dict[str, Any]:
    """Return the report as JSON types."""
    built: dict[str, Any] = msgspec.to_builtins(report)
    return built
