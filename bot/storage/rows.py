"""How rows of the inbox and the outbox become records, for the SQL stores."""

from collections.abc import Sequence
from typing import Any

from bot.storage.chain_ports import Chain, Link
from bot.storage.codec import from_us, load_data, load_inbound, load_outbound, optional_from_us
from bot.storage.ports import InboxEntry, OutboxEntry, StoredEvent

INBOX_COLUMNS = "inbox_id, conversation_id, message, accepted_us, handled_us"
OUTBOX_COLUMNS = (
    "outbox_id, conversation_id, seq, channel, sender_id, message, created_us, state, attempts, "
    "next_attempt_us, receipt, error, parts_sent, begun_us"
)


def inbox_entry(row: Sequence[Any]) -> InboxEntry:
    """Return the record of a row with INBOX_COLUMNS."""
    inbox_id, key, message, accepted_us, handled_us = row
    return InboxEntry(
        inbox_id, key, load_inbound(message), from_us(accepted_us), optional_from_us(handled_us)
    )


def outbox_entry(row: Sequence[Any]) -> OutboxEntry:
    """Return the record of a row with OUTBOX_COLUMNS."""
    outbox_id, key, seq, channel, sender_id, message, created_us, state, *delivery = row
    attempts, next_attempt_us, receipt, error, parts_sent, begun_us = delivery
    return OutboxEntry(
        outbox_id,
        key,
        seq,
        channel,
        sender_id,
        load_outbound(message),
        from_us(created_us),
        state,
        attempts,
        optional_from_us(next_attempt_us or None),
        receipt,
        error,
        parts_sent,
        optional_from_us(begun_us),
    )


def loaded(rows: Sequence[Sequence[Any]]) -> tuple[tuple[StoredEvent, ...], int]:
    """Return events and version from rows of (version, seq, type, data, at_us).

    A conversation without events has one row, with only the version in it.
    """
    events = tuple(
        StoredEvent(seq, kind, load_data(data), from_us(at_us))
        for _, seq, kind, data, at_us in rows
        if seq is not None
    )
    return events, rows[0][0] if rows else 0


CHAIN_COLUMNS = "c.version, c.chain, e.seq, e.type, e.data, e.at_us, e.salt, e.digest, e.chain"


def chain_of(conversation_id: str, rows: Sequence[Sequence[Any]]) -> Chain:
    """Return the chain of rows with CHAIN_COLUMNS: at least one, of which each half may be null."""
    links = tuple(
        Link(seq, kind, data, from_us(at_us), salt or b"", digest or b"", chain or b"")
        for _, _, seq, kind, data, at_us, salt, digest, chain in rows
        if seq is not None
    )
    version, head = rows[0][:2]
    return Chain(conversation_id, version or 0, head or b"", links)
