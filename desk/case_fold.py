"""Cases as the fold of a conversation's events; nothing else changes them."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from bot import events as ev
from bot.conversation import LENT, MERGED, SKILL_DONE, Conversation
from bot.storage.ports import StoredEvent
from desk.insights.facts import SMALL_TALK
from desk.records import Case
from desk.sla import CaseTimes

FEEDBACK = "case_feedback"
"""The slot with what the customer thought of how a case was handled."""
MOST_COMMENT_CHARS = 2_000
MOST_CHARS = 300
"""How much of a text the list of cases shows."""
_OPEN = frozenset({"waiting_for_operator", "with_operator"})
_BY_WORDS = ("vulnerable", "threat")
"""Reasons where what was said last is what it is about, whatever was wished before."""


class CaseFold:
    """Folds the events of one conversation into its cases."""

    def __init__(self, conversation_id: str) -> None:
        """Begin before the first event."""
        self._conversation = Conversation(conversation_id)
        self._cases: list[Case] = []
        self._last_operator = ""
        self._last_channel = conversation_id.partition(":")[0]
        self._skill = ""
        self._wish = ""
        self.version = 0
        self.last: StoredEvent | None = None

    @property
    def conversation(self) -> Conversation:
        """The conversation as the events tell it."""
        return self._conversation

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases so far, the oldest first."""
        return tuple(self._cases)

    def apply_all(self, stored: Iterable[StoredEvent]) -> None:
        """Fold further events in order.

        Raises:
            KeyError: an event names a frame that is not on the stack.
            msgspec.ValidationError: an event is not one of this version.
        """
        for item in stored:
            self._apply(ev.from_wire(item.data), item.at, item.seq)
            self.last = item

    def _apply(self, event: ev.Event, at: datetime, seq: int) -> None:
        self._conversation.apply(event)
        self.version = seq
        if isinstance(event, ev.UserUttered):
            self._last_channel = event.input_channel or self._last_channel
            self._heard(event, at)
        elif isinstance(event, ev.FlowStarted):
            is_skill = not event.flow_id.startswith("pattern_")
            if is_skill and not event.parent_id and event.flow_id not in SMALL_TALK:
                if event.flow_id != self._skill or not self._wish:
                    self._wish = _words(self._conversation.last_user)
                self._skill = event.flow_id
        elif isinstance(event, ev.HandoffChanged):
            self._changed_hands(event, at)
        elif isinstance(event, ev.OperatorActed) and not event.refusal and self._cases:
            self._acted(event, at)
        elif isinstance(event, ev.SlotSet) and event.name == FEEDBACK:
            self._rated(event, at)
        elif isinstance(event, ev.BotUttered) and event.metadata.get("operator"):
            self._replied(at)
        if self._cases and self._cases[-1].is_live:
            self._renew(at)

    def _heard(self, event: ev.UserUttered, at: datetime) -> None:
        if not self._cases or not self._cases[-1].is_live:
            return
        case = self._cases[-1]
        sentiment = event.parse_data.get("sentiment") or {}
        said = event.text.strip()[:MOST_CHARS]
        self._put(
            last_customer_at=at,
            wrote_here_at=at,
            times=case.times.customer_wrote(at) if case.times else None,
            last_text=said or case.last_text,
            messages=case.messages + 1,
            urgent=case.urgent or bool(sentiment.get("urgency")),
        )

    def _replied(self, at: datetime) -> None:
        if self._cases:
            case = self._cases[-1]
            first = case.first_reply_at or at
            self._put(first_reply_at=first, last_reply_at=at, replies=case.replies + 1)
            self._put(times=case.times.operator_wrote(at) if case.times else None)

    def _acted(self, event: ev.OperatorActed, at: datetime) -> None:
        """Take in what was done to one of two cases that were put together, or how it ended."""
        case, link = self._cases[-1], str(event.data.get("link") or "")
        if event.act == "heard":
            times = case.times.customer_wrote(at) if case.times else None
            self._put(last_customer_at=at, messages=case.messages + 1, times=times)
        elif event.act == "replied":
            self._replied(at)
        elif event.act == "led":
            self._put(leads=(*case.leads, link))
        elif event.act == "parted":
            self._put(leads=tuple(each for each in case.leads if each != link))
        elif event.act == MERGED:
            self._put(merged_at=at)
        elif event.act in {"closed", "gave_back"}:
            self._put(told_in=link)

    def _rated(self, event: ev.SlotSet, at: datetime) -> None:
        told = event.value if isinstance(event.value, dict) else {}
        if self._cases and isinstance(told.get("score"), int):
            self._put(
                survey=str(told.get("kind") or ""),
                survey_score=told["score"],
                survey_comment=str(told.get("comment") or "")[:MOST_COMMENT_CHARS],
                changed_at=at,
                version=self.version,
            )

    def _changed_hands(self, event: ev.HandoffChanged, at: datetime) -> None:
        if event.state == "bot" and event.reason == LENT and self._cases:
            self._put(lent=self._conversation.lent_skill or "?")
            return  # the operator has it again in a moment
        is_new = not self._cases or not self._cases[-1].is_live
        if event.state in _OPEN and is_new:
            self._open(event, at)
        if not self._cases or (event.state not in _OPEN and is_new):
            return
        if event.state == "waiting_for_operator":
            self._waits(event, at, is_new=is_new)
        elif event.state == "with_operator" and self._conversation.merged:
            self._merged(event, at)
        elif event.state == "with_operator":
            self._taken(event, at)
        else:
            self._put(state=event.state, ended_at=at, end_reason=event.reason, operator="", lent="")
            times = self._cases[-1].times
            self._put(times=times.closed(at) if times else None)
            self._put(changed_at=at, version=self.version)

    def _waits(self, event: ev.HandoffChanged, at: datetime, *, is_new: bool) -> None:
        case = self._cases[-1]
        self._put(
            state=event.state,
            waiting_since=at if case.state != event.state or is_new else case.waiting_since,
            operator="",
            operator_name="",
            lent="",
            team=event.team or case.team,
            transfers=case.transfers + (0 if is_new or case.link else 1),
            link="",
        )

    def _merged(self, event: ev.HandoffChanged, at: datetime) -> None:
        """Leave the case to another one; `operator` is who has that."""
        self._put(
            state="merged",
            link=self._conversation.merged,
            waiting_since=None,
            lent="",
            operator=event.operator,
            operator_name=event.operator_name,
            changed_at=at,
            version=self.version,
        )

    def _taken(self, event: ev.HandoffChanged, at: datetime) -> None:
        case = self._cases[-1]
        changed = bool(case.operator) and case.operator != event.operator
        self._last_operator = event.operator or self._last_operator
        self._put(
            state=event.state,
            assigned_at=case.assigned_at if event.reason == SKILL_DONE else at,
            waiting_since=None,
            lent="",
            operator=event.operator,
            operator_name=event.operator_name,
            last_operator=self._last_operator,
            transfers=case.transfers + changed,
        )

    def _open(self, event: ev.HandoffChanged, at: datetime) -> None:
        known = self._conversation
        number = len(self._cases) + 1
        sentiment = (known.last_user.parse_data.get("sentiment") if known.last_user else {}) or {}
        self._cases.append(
            Case(
                id=f"{known.id}#{number}",
                conversation_id=known.id,
                number=number,
                state=event.state,
                reason=event.reason,
                opened_at=at,
                changed_at=at,
                version=self.version,
                times=CaseTimes(at),
                last_customer_at=at,
                wrote_here_at=at,
                last_operator=self._last_operator,
                skill=self._skill,
                wish=self._wish_of(event.reason),
                last_text=_words(known.last_user),
                urgent=bool(sentiment.get("urgency")),
                messages=1,
            )
        )
        self._wish = ""

    def _wish_of(self, reason: str) -> str:
        """Return what a case that opens is about, in the customer's words."""
        said = _words(self._conversation.last_user)
        is_said = bool(said) and reason.startswith(_BY_WORDS)
        return said if is_said else self._wish or said

    def _renew(self, at: datetime) -> None:
        """Take over what the conversation knows of its customer by now."""
        known = self._conversation
        slots = known.slots
        case = self._cases[-1]
        self._put(
            changed_at=at,
            version=self.version,
            language=str(slots.get("language") or ""),
            channel=self._last_channel,
            customer_id=str(slots.get("customer_id") or ""),
            customer_name=str(slots.get("customer_name") or slots.get("name") or ""),
            order_number=str(slots.get("focus_order") or case.order_number),
            score=known.mood.score,
            anger=known.mood.anger,
            threat=known.mood.threat,
            vulnerable=known.mood.vulnerable,
            country=str(slots.get("customer_country") or ""),
            tier=str(slots.get("customer_tier") or ""),
        )

    def _put(self, **changes: object) -> None:
        self._cases[-1] = msgspec.structs.replace(self._cases[-1], **changes)


def _words(said: ev.UserUttered | None) -> str:
    """Return the beginning of what was said; nothing of a pressed button."""
    text = said.text.strip() if said else ""
    return "" if text.startswith("/") else text[:MOST_CHARS]
