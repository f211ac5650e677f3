"""A conversation's events, folded into its transcript: pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from bot import events as ev
from bot.messages import Json
from bot.storage.channel_ports import SentPart
from bot.storage.ports import InboxEntry, OutboxEntry, StoredEvent
from desk.transcript_records import (
    Acted,
    Delivered,
    Handed,
    Learned,
    Message,
    Moved,
    Planned,
    Ran,
    Reading,
    Redaction,
    Rested,
    Transcript,
    Turn,
)

NOTED = "noted"
_RANKED = 3
_ORDER = ("failed", "sent", "delivered", "read")
_CHANGES: dict[type, str] = {
    ev.FlowStarted: "started",
    ev.FlowCompleted: "completed",
    ev.FlowCancelled: "cancelled",
    ev.FlowInterrupted: "interrupted",
    ev.FlowResumed: "resumed",
}
_CONSENT: dict[type, Any] = {
    ev.PlanShown: "shown",
    ev.ConsentGiven: "given",
    ev.ConsentRefused: "refused",
}


class Around(msgspec.Struct, frozen=True):
    """What the store knows of the messages beside the events: arrivals, deliveries, their news."""

    inbox: Sequence[InboxEntry] = ()
    outbox: Sequence[OutboxEntry] = ()
    parts: Mapping[int, Sequence[SentPart]] = msgspec.field(default_factory=dict)


def transcript_of(
    conversation_id: str, stored: Sequence[StoredEvent], around: Around | None = None
) -> Transcript:
    """Return the transcript of a conversation.

    Args:
        conversation_id: of which.
        stored: its events, all of them and in order.
        around: times of arrival and delivery; without it only the events speak.

    Raises:
        msgspec.ValidationError: an event is not one of this version.
    """
    fold = _Fold(conversation_id, stored, around or Around())
    for item in stored:
        fold.take(item)
    return fold.transcript()


class _OpenTurn:
    """A turn while its events are read."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.message_id = ""
        self.moves: list[Moved] = []
        self.slots: list[Learned] = []
        self.actions: list[Ran] = []
        self.plans: list[Planned] = []
        self.grounding: list[Rested] = []
        self.rules: dict[str, None] = {}
        self.intended: tuple[str, ...] = ()
        self.understood = True

    def closed(self) -> Turn:
        return msgspec.structs.replace(
            self.turn,
            moves=tuple(self.moves),
            slots=tuple(self.slots),
            actions=tuple(self.actions),
            plans=tuple(self.plans),
            grounding=tuple(self.grounding),
            rules=tuple(self.rules),
            understood=self.understood,
        )


class _Fold:
    def __init__(self, conversation_id: str, stored: Sequence[StoredEvent], around: Around) -> None:
        self._id = conversation_id
        self._version = stored[-1].seq if stored else 0
        self._arrivals = {(e.message.channel, e.message.message_id): e for e in around.inbox}
        self._sent = {entry.seq: entry for entry in around.outbox}
        self._parts = around.parts
        self._redactions = dict(_redactions(stored))
        self._flows: dict[str, str] = {}
        self._channel = conversation_id.partition(":")[0]
        self._said = 0
        self._turns: list[_OpenTurn] = []
        self._messages: list[Message] = []
        self._handoffs: list[Handed] = []
        self._acts: list[Acted] = []
        self._takes: dict[type, Callable[[StoredEvent, Any], None]] = {
            ev.UserUttered: self._user,
            ev.BotUttered: self._bot,
            ev.Triggered: self._triggered,
            ev.OperatorActed: self._acted,
            ev.HandoffChanged: self._handed,
            ev.SlotSet: self._slot,
            ev.StepReached: self._step,
            ev.ActionExecuted: self._ran,
            ev.ActionIntended: self._intended,
            ev.Grounding: self._grounded,
            ev.NotUnderstood: self._not_understood,
            **dict.fromkeys(_CHANGES, self._flow),
            **dict.fromkeys(_CONSENT, self._plan),
        }

    def take(self, item: StoredEvent) -> None:
        event = ev.from_wire(item.data)
        if (take := self._takes.get(type(event))) is not None:
            take(item, event)

    def transcript(self) -> Transcript:
        return Transcript(
            self._id,
            self._version,
            tuple(self._messages),
            tuple(turn.closed() for turn in self._turns),
            tuple(self._handoffs),
            tuple(act for act in self._acts if act.act != NOTED),
            tuple(act for act in self._acts if act.act == NOTED),
            self._redactions,
        )

    def _begin(self, item: StoredEvent, cause: Any, message_id: str = "") -> _OpenTurn:  # noqa: ANN401 - a Turn's cause
        turn = _OpenTurn(Turn(len(self._turns) + 1, item.seq, item.at, cause))
        turn.message_id = message_id
        self._turns.append(turn)
        return turn

    def _turn(self, item: StoredEvent) -> _OpenTurn:
        return self._turns[-1] if self._turns else self._begin(item, "start")

    def _user(self, item: StoredEvent, event: ev.UserUttered) -> None:
        turn = self._begin(item, "customer", event.message_id)
        turn.turn = msgspec.structs.replace(turn.turn, reading=_reading(event.parse_data))
        self._channel = event.input_channel or self._channel
        came = self._arrivals.get((event.input_channel, event.message_id))
        self._messages.append(
            Message(
                item.seq,
                came.message.received_at if came else item.at,
                "customer",
                event.text,
                turn.turn.number,
                channel=self._channel,
                sender_id=event.input_sender or self._id.partition(":")[2],
                message_id=event.message_id,
                attachments=event.attachments,
                redaction=self._redactions.get(item.seq),
            )
        )

    def _bot(self, item: StoredEvent, event: ev.BotUttered) -> None:
        self._said += 1
        sent = self._sent.get(self._said)
        told = event.metadata
        data = dict(event.data)
        files = tuple(data.pop("attachments", ()))
        self._messages.append(
            Message(
                item.seq,
                item.at,
                "operator" if told.get("operator") else "bot",
                event.text,
                self._turn(item).turn.number,
                channel=sent.channel if sent else self._channel,
                operator=str(told.get("operator") or ""),
                name=str(told.get("name") or ""),
                response=str(told.get("utter_action") or ""),
                attachments=files,
                data=data,
                delivery=_delivered(sent, self._parts.get(sent.outbox_id, ())) if sent else None,
                redaction=self._redactions.get(item.seq),
                original=str(told.get("original") or ""),
                original_language=str(told.get("original_language") or ""),
            )
        )

    def _triggered(self, item: StoredEvent, event: ev.Triggered) -> None:
        same = self._turns and event.message_id and self._turns[-1].message_id == event.message_id
        turn = self._turns[-1] if same else self._begin(item, "trigger", event.message_id)
        turn.turn = msgspec.structs.replace(turn.turn, flow=event.flow_id)
        turn.rules.update(dict.fromkeys(_rules(event.slots)))

    def _acted(self, item: StoredEvent, event: ev.OperatorActed) -> None:
        if event.act != NOTED:  # a note is no turn: an export without notes has the same turns
            self._begin(item, "operator", event.message_id)
        redaction = self._redactions.get(item.seq)
        told = item.seq, item.at, event.act, event.operator, event.refusal, event.data, redaction
        self._acts.append(Acted(*told))

    def _handed(self, item: StoredEvent, event: ev.HandoffChanged) -> None:
        who = event.operator, event.operator_name, event.team
        self._handoffs.append(Handed(item.seq, item.at, event.state, event.reason, *who))

    def _slot(self, item: StoredEvent, event: ev.SlotSet) -> None:
        turn, flow = self._turn(item), self._flows.get(event.frame_id, "")
        redaction = self._redactions.get(item.seq)
        turn.slots.append(Learned(item.seq, event.name, event.value, flow, event.step, redaction))
        turn.rules.update(dict.fromkeys(_rules(event.value)))

    def _flow(
        self,
        item: StoredEvent,
        event: ev.FlowStarted
        | ev.FlowCompleted
        | ev.FlowCancelled
        | ev.FlowInterrupted
        | ev.FlowResumed,
    ) -> None:
        self._flows[event.frame_id] = event.flow_id
        reason = event.reason if isinstance(event, ev.FlowCancelled) else ""
        moved = Moved(item.seq, event.flow_id, _CHANGES[type(event)], reason=reason)
        self._turn(item).moves.append(moved)

    def _step(self, item: StoredEvent, event: ev.StepReached) -> None:
        if event.step:
            flow = self._flows.get(event.frame_id, "")
            self._turn(item).moves.append(Moved(item.seq, flow, "step", event.step))

    def _intended(self, item: StoredEvent, event: ev.ActionIntended) -> None:
        self._turn(item).intended = event.keys

    def _ran(self, item: StoredEvent, event: ev.ActionExecuted) -> None:
        turn = self._turn(item)
        turn.actions.append(Ran(item.seq, event.name, event.error, turn.intended))
        turn.intended = ()

    def _plan(
        self, item: StoredEvent, event: ev.PlanShown | ev.ConsentGiven | ev.ConsentRefused
    ) -> None:
        flow = self._flows.get(event.frame_id, "")
        planned = Planned(item.seq, _CONSENT[type(event)], event.plan_hash, flow)
        self._turn(item).plans.append(planned)

    def _grounded(self, item: StoredEvent, event: ev.Grounding) -> None:
        turn = self._turn(item)
        passages = tuple(p for p in event.passages if "rule" not in p)
        redaction = self._redactions.get(item.seq)
        turn.grounding.append(
            Rested(item.seq, event.response, event.claims, passages, event.withheld, redaction)
        )
        turn.rules.update(dict.fromkeys(str(p["rule"]) for p in event.passages if "rule" in p))

    def _not_understood(self, item: StoredEvent, event: ev.NotUnderstood) -> None:
        self._turn(item).understood = False


def _reading(parsed: Mapping[str, Any]) -> Reading | None:
    if not parsed:
        return None
    intent = parsed.get("intent") or {}
    return Reading(
        str(intent.get("name") or ""),
        float(intent.get("confidence") or 0.0),
        tuple(parsed.get("intent_ranking") or ())[:_RANKED],
        tuple(parsed.get("entities") or ()),
        str(parsed.get("language") or ""),
        dict(parsed.get("sentiment") or {}),
        tuple(parsed.get("commands") or ()),
    )


def _delivered(entry: OutboxEntry, parts: Sequence[SentPart]) -> Delivered:
    if entry.state != "sent" or not parts:
        return Delivered(entry.state, None, entry.attempts, entry.error)
    least = min(parts, key=lambda part: _ORDER.index(part.state))
    return Delivered(least.state, least.at, entry.attempts, least.error)


def _rules(value: Json) -> Iterator[str]:
    """Yield the ids of the rules that a value names anywhere in it."""
    if isinstance(value, dict):
        yield from (str(rule) for rule in value.get("rule_ids") or ())
        for item in value.values():
            yield from _rules(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _rules(item)


def _redactions(stored: Iterable[StoredEvent]) -> Iterator[tuple[int, Redaction]]:
    for item in stored:
        if item.data.get("event") == "redacted":
            event = msgspec.convert(item.data, ev.Redacted)
            yield event.seq, Redaction(item.at, event.by, event.reason, event.parts)
