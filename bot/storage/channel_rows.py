"""How contacts, receipts and files become columns and records, the same way in every store."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from bot.messages import Contact, Receipt
from bot.storage.channel_ports import MediaItem, SentPart
from bot.storage.codec import (
    clean_id,
    clean_text,
    dump,
    from_us,
    load_data,
    optional_from_us,
    to_us,
)

CONTACT_COLUMNS = (
    "channel, sender_id, last_inbound_us, opted_in, conversation_id, linked_us, details, "
    "consent_order"
)
PART_COLUMNS = "outbox_id, part, channel, receipt_id, state, at_us, code, error"
NEWS_COLUMNS = "channel, receipt_id, state, at_us, sender_id, code, error"
MEDIA_COLUMNS = (
    '"key", conversation_id, channel, reference, state, attempts, next_attempt_us, stored, '
    "mime_type, error"
)
_RANK = {"sent": 0, "failed": 1, "delivered": 2, "read": 3}
"""The states in the order in which they override each other, whatever came first."""

PartRow = tuple[int, int, str, str, str, int, str, str]
NewsRow = tuple[str, str, str, int, str, str, str]


def own_address(conversation_id: str) -> tuple[str, str]:
    """Return the channel and the sender that a conversation began with."""
    channel, _, sender_id = conversation_id.partition(":")
    return channel, sender_id


def contact_row(
    contact: Contact,
) -> tuple[str, str, int | None, int | None, str | None, int | None, str, int]:
    """Return a contact as columns; one linked to their own conversation is not linked.

    Raises:
        NaiveTime: a time has no time zone.
        UnstorableData: the metadata is not JSON.
    """
    channel, sender_id = clean_id(contact.channel), clean_id(contact.sender_id)
    link = clean_id(contact.conversation)
    return (
        channel,
        sender_id,
        _optional_us(contact.last_inbound_at),
        None if contact.opted_in is None else int(contact.opted_in),
        link if link not in {"", f"{channel}:{sender_id}"} else None,
        _optional_us(contact.linked_at),
        dump(contact.metadata),
        contact.consent_order,
    )


def contact_of(row: Sequence[Any]) -> Contact:
    """Return the record of a row with CONTACT_COLUMNS."""
    channel, sender_id, last_inbound_us, opted_in, link, linked_us, details, order = row
    return Contact(
        channel,
        sender_id,
        optional_from_us(last_inbound_us),
        None if opted_in is None else bool(opted_in),
        link or "",
        optional_from_us(linked_us),
        load_data(details),
        order,
    )


def in_order(contacts: Iterable[Contact]) -> list[Contact]:
    """Return the contacts of a conversation, the one that is not linked first, then by link."""
    return sorted(
        contacts,
        key=lambda c: (c.conversation, to_us(c.linked_at) if c.linked_at else 0, c.channel),
    )


def part_row(part: SentPart) -> PartRow:
    """Return a payload as columns, with ids made safe.

    Raises:
        NaiveTime: the time has no time zone.
    """
    return (
        part.outbox_id,
        part.part,
        clean_id(part.channel),
        clean_id(part.receipt_id),
        part.state,
        to_us(part.at),
        clean_text(part.code),
        clean_text(part.error),
    )


def part_of(row: Sequence[Any]) -> SentPart:
    """Return the record of a row with PART_COLUMNS."""
    outbox_id, part, channel, receipt_id, state, at_us, code, error = row
    return SentPart(outbox_id, part, channel, receipt_id, state, from_us(at_us), code, error)


def news_row(receipt: Receipt) -> NewsRow:
    """Return news as columns, with ids made safe.

    Raises:
        NaiveTime: the time has no time zone.
    """
    return (
        clean_id(receipt.channel),
        clean_id(receipt.receipt_id),
        receipt.state,
        to_us(receipt.at),
        clean_id(receipt.sender_id),
        clean_text(receipt.code),
        clean_text(receipt.error),
    )


def overrides(new: str, old: str) -> bool:
    """Tell whether news of a state changes what is known."""
    return _RANK[new] > _RANK[old]


def informed(part: SentPart, news: Sequence[Any]) -> SentPart:
    """Return a payload as it is after news, a row with NEWS_COLUMNS."""
    _, _, state, at_us, _, code, error = news
    if not overrides(state, part.state):
        return part
    return msgspec.structs.replace(part, state=state, at=from_us(at_us), code=code, error=error)


def resent(known: SentPart, part: SentPart) -> SentPart:
    """Return a payload that was told before: what is known of the same id is not forgotten."""
    same = known.receipt_id == part.receipt_id and known.channel == part.channel
    return known if same and not overrides(part.state, known.state) else part


def media_row(
    item: MediaItem,
) -> tuple[str, str, str, str, str, int, int, str, str, str]:
    """Return a file as columns, with ids made safe; no next attempt is 0.

    Raises:
        NaiveTime: the next attempt's time has no time zone.
    """
    return (
        clean_id(item.key),
        clean_id(item.conversation_id),
        clean_id(item.channel),
        clean_id(item.reference),
        item.state,
        item.attempts,
        _optional_us(item.next_attempt_at) or 0,
        clean_text(item.stored),
        clean_text(item.mime_type),
        clean_text(item.error),
    )


def media_of(row: Sequence[Any]) -> MediaItem:
    """Return the record of a row with MEDIA_COLUMNS."""
    key, conversation_id, channel, reference, state, attempts, next_us, *found = row
    stored, mime_type, error = found
    next_at = optional_from_us(next_us or None)
    return MediaItem(
        key,
        conversation_id,
        channel,
        reference,
        state,
        attempts,
        next_at,
        stored,
        mime_type,
        error,
    )


def _optional_us(moment: datetime | None) -> int | None:
    return None if moment is None else to_us(moment)
