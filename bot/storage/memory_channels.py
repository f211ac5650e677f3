"""Contacts, receipts and files on the way in memory: the ports, and what the inbox does with them.

Rows are kept as the columns of a database, so that what comes back is what one would give back.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from bot.messages import Contact, Receipt
from bot.storage.channel_ports import Contacts, MediaBook, MediaItem, Receipts, SentPart
from bot.storage.channel_rows import (
    NewsRow,
    contact_of,
    contact_row,
    in_order,
    informed,
    media_of,
    media_row,
    news_row,
    overrides,
    own_address,
    part_of,
    part_row,
    resent,
)
from bot.storage.codec import InboundRow, clean_id, from_us, to_us
from bot.storage.ports import REOPENED, WINDOW_CLOSED, OutboxEntry

Clock = Callable[[], datetime]
Address = tuple[str, str]


@dataclass
class ChannelTables:
    """What the ports of this module share with the inbox and the erasure."""

    contacts: dict[Address, Contact] = field(default_factory=dict)
    offers: dict[str, tuple[str, int]] = field(default_factory=dict)
    parts: dict[tuple[int, int], tuple[SentPart, int]] = field(default_factory=dict)
    early: dict[Address, tuple[NewsRow, int]] = field(default_factory=dict)
    media: dict[str, MediaItem] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        for table in (self.contacts, self.offers, self.parts, self.early, self.media):
            table.clear()


def _clean(contact: Contact) -> Contact:
    return contact_of(contact_row(contact))


class MemoryContacts(Contacts):
    """Contacts in a dict by channel and sender."""

    def __init__(self, tables: ChannelTables) -> None:
        """Work on tables shared with the inbox."""
        self._tables = tables

    async def get(self, channel: str, sender_id: str) -> Contact:
        """Return what is known of a sender."""
        address = clean_id(channel), clean_id(sender_id)
        return _clean(self._tables.contacts.get(address) or Contact(*address))

    async def save(self, contact: Contact) -> None:
        """Keep a contact."""
        clean = _clean(contact)
        address = clean.channel, clean.sender_id
        known = self._tables.contacts.get(address)
        times = [c.last_inbound_at for c in (known, clean) if c and c.last_inbound_at]
        last = max(times, default=None)
        if known and known.consent_order > clean.consent_order:
            said = known.opted_in, known.consent_order
        else:
            said = clean.opted_in, clean.consent_order
        self._tables.contacts[address] = msgspec.structs.replace(
            clean, last_inbound_at=last, opted_in=said[0], consent_order=said[1]
        )

    async def of_conversation(self, conversation_id: str) -> list[Contact]:
        """Return who is in a conversation."""
        return in_order(map(_clean, _members(self._tables, clean_id(conversation_id))))

    async def offer(self, code_hash: str, conversation_id: str, until: datetime) -> None:
        """Keep the hash of a one-time code."""
        self._tables.offers[clean_id(conversation_id)] = clean_id(code_hash), to_us(until)

    async def opens(self, code_hash: str, now: datetime) -> str:
        """Return the conversation that a code is good for now."""
        now_us, wanted = to_us(now), clean_id(code_hash)
        offers = self._tables.offers.items()
        found = [key for key, (code, until) in offers if code == wanted and now_us <= until]
        return found[0] if len(found) == 1 else ""

    async def redeem(self, code_hash: str, channel: str, sender_id: str, now: datetime) -> str:
        """Link a sender to the conversation of an open code and use the code up."""
        found = await self.opens(code_hash, now)
        if not found:
            return ""
        del self._tables.offers[found]
        known = await self.get(channel, sender_id)
        link = msgspec.structs.replace(known, conversation=found, linked_at=from_us(to_us(now)))
        await self.save(link)
        return found


def _members(tables: ChannelTables, key: str) -> list[Contact]:
    own = tables.contacts.get(own_address(key))
    linked = [c for c in tables.contacts.values() if c.conversation and c.conversation == key]
    return [own, *linked] if own and not own.conversation else linked


def arrived(tables: ChannelTables, row: InboundRow) -> str:
    """Note when a sender wrote, or what they agree to; return what they are linked to."""
    address = row.channel, row.sender_id
    known = tables.contacts.get(address)
    if row.written_us is not None:
        contact = known or Contact(*address)
        last, at = contact.last_inbound_at, from_us(row.written_us)
        last = max(last, at) if last else at
        tables.contacts[address] = msgspec.structs.replace(contact, last_inbound_at=last)
    if row.agreed is not None:
        contact = known or Contact(*address)
        if row.consent_order >= contact.consent_order:
            tables.contacts[address] = msgspec.structs.replace(
                contact, opted_in=bool(row.agreed), consent_order=row.consent_order
            )
    return known.conversation if known else ""


def reopen_held(outbox: MutableMapping[int, OutboxEntry], row: InboundRow, key: str) -> None:
    """Have what waited in a conversation for its sender to write sent now that they have."""
    if row.written_us is None:
        return
    for entry in list(outbox.values()):
        line = entry.channel, entry.conversation_id, entry.sender_id
        is_held = entry.state == "pending" and entry.error == WINDOW_CLOSED and not entry.begun_at
        if is_held and line == (row.channel, key, row.sender_id):
            outbox[entry.outbox_id] = msgspec.structs.replace(
                entry, next_attempt_at=None, error=REOPENED
            )


def erase_channels(
    tables: ChannelTables, key: str, outbox: Sequence[OutboxEntry]
) -> tuple[int, int]:
    """Remove what is known of a conversation's people, messages and files.

    Of who opted out only that remains.

    Returns:
        how many contacts and how many files were removed.
    """
    tables.offers.pop(key, None)
    own = own_address(key)
    people = {(c.channel, c.sender_id) for c in _members(tables, key)} | {own}
    contacts = sum(_erase_contact(tables, address) for address in people)
    people |= {(entry.channel, entry.sender_id) for entry in outbox}
    erased = {entry.outbox_id for entry in outbox}
    for place in [place for place in tables.parts if place[0] in erased]:
        del tables.parts[place]
    for name in [n for n, (news, _) in tables.early.items() if (news[0], news[4]) in people]:
        del tables.early[name]
    media = [item.key for item in tables.media.values() if item.conversation_id == key]
    for file in media:
        del tables.media[file]
    return contacts, len(media)


def _erase_contact(tables: ChannelTables, address: Address) -> bool:
    """Remove what is known of a sender but a refusal; return whether there was anything."""
    known = tables.contacts.pop(address, None)
    if known is None or known.opted_in is not False:
        return known is not None
    refusal = Contact(*address, opted_in=False, consent_order=known.consent_order)
    tables.contacts[address] = refusal
    return known != refusal


def prune_channels(tables: ChannelTables, limit_us: int, pending: Iterable[int]) -> None:
    """Forget old codes and news, and old payloads of messages that are not pending."""
    kept = set(pending)
    tables.offers = {k: offer for k, offer in tables.offers.items() if offer[1] >= limit_us}
    tables.early = {k: row for k, row in tables.early.items() if row[1] >= limit_us}
    tables.parts = {k: r for k, r in tables.parts.items() if r[1] >= limit_us or k[0] in kept}


class MemoryReceipts(Receipts):
    """Payloads in a dict by message and part, and the news that came before them."""

    def __init__(
        self, tables: ChannelTables, outbox: Mapping[int, OutboxEntry], clock: Clock
    ) -> None:
        """Work on tables shared with the outbox.

        Args:
            tables: the tables.
            outbox: the messages by id.
            clock: gives the present as an aware moment.
        """
        self._tables = tables
        self._outbox = outbox
        self._clock = clock

    async def sent(self, part: SentPart) -> None:
        """Keep the platform's id of a payload."""
        part = part_of(part_row(part))
        if part.outbox_id not in self._outbox:
            return
        place = part.outbox_id, part.part
        known = self._tables.parts.get(place)
        part = resent(known[0], part) if known else part
        early = self._tables.early.pop((part.channel, part.receipt_id), None)
        part = informed(part, early[0]) if early else part
        self._tables.parts[place] = part, to_us(self._clock())

    async def news(self, receipts: Sequence[Receipt]) -> list[SentPart | None]:
        """Keep what a platform tells."""
        rows = [news_row(receipt) for receipt in receipts]
        return [self._told(row) for row in rows]

    def _told(self, row: NewsRow) -> SentPart | None:
        name = row[0], row[1]
        if not row[1]:
            return None
        parts = self._tables.parts
        places = [k for k, (p, _) in parts.items() if (p.channel, p.receipt_id) == name]
        if places:
            part, kept_us = parts[max(places)]
            part = informed(part, row)
            parts[max(places)] = part, kept_us
            return part
        known = self._tables.early.get(name)
        if known is None or overrides(row[2], known[0][2]):
            self._tables.early[name] = row, to_us(self._clock())
        return None

    async def of_message(self, outbox_id: int) -> list[SentPart]:
        """Return the payloads of an outbox message."""
        own = (part for part, _ in self._tables.parts.values() if part.outbox_id == outbox_id)
        return sorted(own, key=lambda part: part.part)


class MemoryMedia(MediaBook):
    """Files in a dict in the order in which they came."""

    def __init__(self, tables: ChannelTables, clock: Clock) -> None:
        """Work on tables shared with the erasure.

        Args:
            tables: the tables.
            clock: gives the present as an aware moment.
        """
        self._tables = tables
        self._clock = clock

    async def add(self, items: Sequence[MediaItem]) -> None:
        """Keep files to fetch."""
        for item in [media_of(media_row(item)) for item in items]:
            self._tables.media.setdefault(item.key, item)

    async def due(self, limit: int = 20) -> list[MediaItem]:
        """Return files whose next attempt is due."""
        now = self._clock()
        due = [
            item
            for item in self._tables.media.values()
            if item.state == "due" and (not item.next_attempt_at or item.next_attempt_at <= now)
        ]
        return due[:limit]

    async def save(self, item: MediaItem) -> None:
        """Keep a file's new state."""
        clean = media_of(media_row(item))
        known = self._tables.media.get(clean.key)
        if known is None:
            return
        self._tables.media[clean.key] = msgspec.structs.replace(
            clean,
            conversation_id=known.conversation_id,
            channel=known.channel,
            reference=known.reference,
        )

    async def get(self, key: str) -> MediaItem | None:
        """Return a file by its key."""
        return self._tables.media.get(clean_id(key))
