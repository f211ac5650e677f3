"""How records become columns, the same way in every store.

Times are integers: microseconds since 1970-01-01 UTC. Payloads are JSON texts.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bot.messages import InboundMessage, OutboundMessage, trigger_id
from bot.storage.chain import HashedColumns, hashed
from bot.storage.chain_ports import Redaction
from bot.storage.effects import EffectOutcome, NewEffect
from bot.storage.errors import NaiveTime, RetentionTooShort, UnstorableData
from bot.storage.ports import (
    MINIMUM_RETENTION,
    Delivery,
    NewEvent,
    NewOutbound,
    OutboxEntry,
    TurnCommit,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSAFE_IN_ID = re.compile(r"[\x00\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NOT_WRITTEN = frozenset({"deleted", "handed_over", "handed_back", "opt_in", "opt_out"})
"""Signals in which the customer did not turn to the shop."""
_CONSENT = {"opt_in": 1, "opt_out": 0}
_encoder = msgspec.json.Encoder()
_data_decoder = msgspec.json.Decoder(dict[str, Any])
_inbound_decoder = msgspec.json.Decoder(InboundMessage)
_outbound_decoder = msgspec.json.Decoder(OutboundMessage)


def to_us(moment: datetime) -> int:
    """Return microseconds since 1970 UTC.

    Raises:
        NaiveTime: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise NaiveTime(moment.isoformat())
    return (moment - _EPOCH) // _MICROSECOND


def from_us(moment_us: int) -> datetime:
    """Return the aware UTC moment of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=moment_us)


def optional_from_us(moment_us: int | None) -> datetime | None:
    """Return the moment, or None for None."""
    return None if moment_us is None else from_us(moment_us)


def prune_limit_us(before: datetime, now: datetime) -> int:
    """Return the moment before which handled messages may be forgotten, in microseconds.

    Raises:
        RetentionTooShort: the moment is less than 8 days before now.
    """
    limit_us = to_us(before)
    if limit_us > to_us(now - MINIMUM_RETENTION):
        raise RetentionTooShort(f"(asked for {before.isoformat()})")
    return limit_us


def clean_id(value: str) -> str:
    """Escape what databases refuse in an id (NUL, lone surrogates), keeping ids distinct."""
    if value.isascii() and "\x00" not in value:
        return value
    return _UNSAFE_IN_ID.sub(lambda found: f"\\u{ord(found.group()):04x}", value)


def clean_text(value: str) -> str:
    """Replace NUL and lone surrogates by U+FFFD."""
    return _UNSAFE_IN_ID.sub("\ufffd", value)


def dump(value: object) -> str:
    """Return a value as JSON; lone surrogates become U+FFFD.

    Raises:
        UnstorableData: the value has something in it that is not JSON.
    """
    try:
        try:
            return _encoder.encode(value).decode()
        except UnicodeEncodeError:
            return _encoder.encode(_without_surrogates(msgspec.to_builtins(value))).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnstorableData(f"({type(error).__name__}: {error})") from error


def _without_surrogates(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value


def load_data(text: str) -> dict[str, Any]:
    """Return an event's payload."""
    return _data_decoder.decode(text)


def load_inbound(text: str) -> InboundMessage:
    """Return a stored inbound message."""
    return _inbound_decoder.decode(text)


def load_outbound(text: str) -> OutboundMessage:
    """Return a stored outbound message."""
    return _outbound_decoder.decode(text)


class InboundRow(msgspec.Struct, frozen=True):
    """An inbound message as columns.

    `conversation_id` is empty where the sender's link decides, that is, everywhere but in a
    trigger that names its conversation. `written_us` is when the customer wrote, None where it
    was not the customer who did something. `agreed` is 1 or 0 where the message says whether the
    customer wants to be written to; `consent_order` tells what was said later.
    """

    channel: str
    sender_id: str
    message_id: str
    conversation_id: str
    message: str
    written_us: int | None
    agreed: int | None = None
    consent_order: int = 0

    @property
    def address(self) -> tuple[str, str]:
        """Return the channel and the sender."""
        return self.channel, self.sender_id

    @property
    def own_id(self) -> str:
        """Return the id of the sender's own conversation."""
        return f"{self.channel}:{self.sender_id}"

    def placed(self, conversation_id: str) -> tuple[InboundMessage, str]:
        """Return the message as one of a conversation, and its JSON."""
        message = load_inbound(self.message)
        link = "" if conversation_id == self.own_id else conversation_id
        if link == message.conversation:
            return message, self.message
        message = msgspec.structs.replace(message, conversation=link)
        return message, dump(message)


def inbound_row(message: InboundMessage) -> InboundRow:
    """Return a message as columns, with ids made safe.

    Raises:
        NaiveTime: `received_at` has no time zone.
    """
    if message.received_at.tzinfo is None:
        raise NaiveTime("(received_at of an inbound message)")
    safe = msgspec.structs.replace(
        message,
        channel=clean_id(message.channel),
        sender_id=clean_id(message.sender_id),
        message_id=clean_id(message.message_id),
        conversation=clean_id(message.conversation) if message.trigger else "",
    )
    return InboundRow(
        safe.channel,
        safe.sender_id,
        safe.message_id,
        safe.conversation,
        dump(safe),
        to_us(safe.received_at) if by_customer(safe) else None,
        _CONSENT.get(safe.signal),
        safe.sequence or to_us(safe.received_at),
    )


def by_customer(message: InboundMessage) -> bool:
    """Return whether the customer turned to the shop with this message."""
    return not message.message_id.startswith(trigger_id("")) and (
        message.signal not in _NOT_WRITTEN
    )


def event_columns(events: Sequence[NewEvent]) -> list[tuple[str, str, int]]:
    """Return (type, JSON, microseconds) of each event."""
    return [(clean_id(event.type), dump(event.data), to_us(event.at)) for event in events]


def outbound_columns(outbound: Sequence[NewOutbound]) -> list[tuple[str, str, str]]:
    """Return (channel, sender id, JSON) of each message."""
    return [
        (clean_id(item.channel), clean_id(item.sender_id), dump(item.message)) for item in outbound
    ]


def effect_columns(effects: Sequence[NewEffect]) -> list[tuple[str, str, str, str, str]]:
    """Return (key, step, operation, subject, JSON) of each effect, of equal keys the first.

    They are in the order of their keys, so that no two turns wait for each other's rows.
    """
    columns = {
        clean_id(effect.key): (
            clean_id(effect.key),
            clean_id(effect.step),
            clean_id(effect.operation),
            clean_id(effect.subject),
            dump(effect.data),
        )
        for effect in reversed(effects)
    }
    return [columns[key] for key in sorted(columns)]


def clean_outcome(outcome: EffectOutcome) -> EffectOutcome:
    """Return an outcome as a database gives it back."""
    return EffectOutcome(
        clean_id(outcome.key),
        outcome.state,
        load_data(dump(outcome.result)),
        clean_text(outcome.error),
    )


def clean_outcomes(outcomes: Sequence[EffectOutcome]) -> list[EffectOutcome]:
    """Return outcomes in the order of their keys; those of one effect keep their order."""
    return sorted(map(clean_outcome, outcomes), key=lambda outcome: outcome.key)


class TurnColumns(msgspec.Struct, frozen=True):
    """A turn as columns: made before the transaction, so that bad data never reaches it."""

    conversation_id: str
    expected_version: int
    handled_inbox_id: int | None
    events: list[HashedColumns]
    outbound: list[tuple[str, str, str]]
    effects: list[tuple[str, str, str, str, str]]
    outcomes: list[EffectOutcome]

    def queued(
        self, outbox_id: int, seq: int, columns: tuple[str, str, str], now_us: int
    ) -> OutboxEntry:
        """Return the outbox entry of one of the turn's messages."""
        channel, sender_id, message = columns
        return OutboxEntry(
            outbox_id,
            self.conversation_id,
            seq,
            channel,
            sender_id,
            load_outbound(message),
            from_us(now_us),
        )


def turn_columns(turn: TurnCommit) -> TurnColumns:
    """Return a turn as columns, with ids made safe."""
    return TurnColumns(
        clean_id(turn.conversation_id),
        turn.expected_version,
        turn.handled_inbox_id,
        hashed(event_columns(turn.events), turn.expected_version),
        outbound_columns(turn.outbound),
        effect_columns(turn.effects),
        clean_outcomes(turn.outcomes),
    )


class RedactionColumns(msgspec.Struct, frozen=True):
    """A redaction as columns; those of a rewritten row end with what tells which row it is."""

    conversation_id: str
    expected_version: int
    rewritten: list[tuple[str, bytes, int]]
    marks: list[HashedColumns]
    inbox: list[tuple[str, int]]
    outbox: list[tuple[str, int]]


def redaction_columns(redaction: Redaction) -> RedactionColumns:
    """Return a redaction as columns, with ids made safe."""
    return RedactionColumns(
        clean_id(redaction.conversation_id),
        redaction.expected_version,
        [(dump(one.data), one.salt, one.seq) for one in redaction.rewritten],
        hashed(event_columns(redaction.marks), redaction.expected_version),
        [(dump(message), inbox_id) for inbox_id, message in redaction.inbox],
        [(dump(message), outbox_id) for outbox_id, message in redaction.outbox],
    )


def delivery_columns(delivery: Delivery) -> tuple[str, int, str, str]:
    """Return (state, next attempt in microseconds or 0, receipt, error) of an attempt's end."""
    failed = delivery.state == "failed"
    retry_us = to_us(delivery.next_attempt_at) if delivery.next_attempt_at else 0
    state = "pending" if failed and retry_us else delivery.state
    return (
        state,
        retry_us if failed else 0,
        clean_text(delivery.receipt),
        clean_text(delivery.error),
    )
