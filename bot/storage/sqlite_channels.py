"""Contacts, receipts and files on the way in SQLite: the ports, and what the inbox does."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from bot.messages import Contact, Receipt
from bot.storage import codec
from bot.storage.channel_ports import Contacts, MediaBook, MediaItem, Receipts, SentPart
from bot.storage.channel_rows import (
    CONTACT_COLUMNS,
    MEDIA_COLUMNS,
    NEWS_COLUMNS,
    PART_COLUMNS,
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
from bot.storage.ports import REOPENED, WINDOW_CLOSED
from bot.storage.sqlite_connection import SqliteConnection

Clock = Callable[[], datetime]

_CONTACT = f"SELECT {CONTACT_COLUMNS} FROM contacts WHERE channel = ? AND sender_id = ?"  # noqa: S608
_MEMBERS = f"""
SELECT {CONTACT_COLUMNS} FROM contacts WHERE conversation_id = ?
    OR (channel = ? AND sender_id = ? AND conversation_id IS NULL)"""  # noqa: S608 - constants
_SAVE = f"""
INSERT INTO contacts ({CONTACT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (channel, sender_id) DO UPDATE SET
    opted_in = iif(excluded.consent_order >= consent_order, excluded.opted_in, opted_in),
    consent_order = max(consent_order, excluded.consent_order),
    conversation_id = excluded.conversation_id, linked_us = excluded.linked_us,
    details = excluded.details, last_inbound_us = coalesce(
        max(last_inbound_us, excluded.last_inbound_us),
        last_inbound_us, excluded.last_inbound_us)"""  # noqa: S608 - constants
_WROTE = """
INSERT INTO contacts (channel, sender_id, last_inbound_us, details) VALUES (?, ?, ?, '{}')
ON CONFLICT (channel, sender_id) DO UPDATE SET last_inbound_us =
    max(coalesce(last_inbound_us, excluded.last_inbound_us), excluded.last_inbound_us)
RETURNING conversation_id"""
_CONSENT = """
INSERT INTO contacts (channel, sender_id, opted_in, consent_order, details)
VALUES (?, ?, ?, ?, '{}')
ON CONFLICT (channel, sender_id) DO UPDATE SET opted_in = excluded.opted_in,
    consent_order = excluded.consent_order WHERE excluded.consent_order >= consent_order"""
_REOPEN_HELD = f"""
UPDATE outbox SET next_attempt_us = ?, error = '{REOPENED}' WHERE channel = ?
    AND conversation_id = ? AND sender_id = ? AND state = 'pending' AND error = '{WINDOW_CLOSED}'
    AND begun_us IS NULL"""  # noqa: S608 - constants
_LINK_OF = "SELECT conversation_id FROM contacts WHERE channel = ? AND sender_id = ?"
_LINK = """
INSERT INTO contacts (channel, sender_id, conversation_id, linked_us, details)
VALUES (?, ?, ?, ?, '{}')
ON CONFLICT (channel, sender_id) DO UPDATE SET conversation_id = excluded.conversation_id,
    linked_us = excluded.linked_us"""
_OFFER = """
INSERT INTO link_offers (conversation_id, code_hash, until_us) VALUES (?, ?, ?)
ON CONFLICT (conversation_id) DO UPDATE SET code_hash = excluded.code_hash,
    until_us = excluded.until_us"""
_OPEN = "SELECT conversation_id FROM link_offers WHERE code_hash = ? AND until_us >= ?"
_IS_ERASED = "(conversation_id = ? OR (channel = ? AND sender_id = ?))"
_ERASE_CONTACTS = (
    f"DELETE FROM contacts WHERE opted_in IS NOT 0 AND {_IS_ERASED}",  # noqa: S608
    f"""UPDATE contacts SET last_inbound_us = NULL, conversation_id = NULL, linked_us = NULL,
    details = '{{}}' WHERE {_IS_ERASED} AND NOT (last_inbound_us IS NULL
    AND conversation_id IS NULL AND linked_us IS NULL AND details = '{{}}')""",  # noqa: S608
)
"""Who opted out stays known as that, and as nothing else."""
_PART = f"SELECT {PART_COLUMNS} FROM sent_parts WHERE outbox_id = ? AND part = ?"  # noqa: S608
_PARTS = f"SELECT {PART_COLUMNS} FROM sent_parts WHERE outbox_id = ? ORDER BY part"  # noqa: S608
_NAMED = f"""
SELECT {PART_COLUMNS} FROM sent_parts WHERE channel = ? AND receipt_id = ?
ORDER BY outbox_id DESC, part DESC LIMIT 1"""  # noqa: S608 - constants
_KEEP_PART = f"""
INSERT OR REPLACE INTO sent_parts ({PART_COLUMNS}, kept_us)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""  # noqa: S608 - constants
_TELL = """
UPDATE sent_parts SET state = ?, at_us = ?, code = ?, error = ? WHERE outbox_id = ? AND part = ?"""
_EARLY = f"SELECT {NEWS_COLUMNS} FROM early_news WHERE channel = ? AND receipt_id = ?"  # noqa: S608
_KEEP_EARLY = f"""
INSERT OR REPLACE INTO early_news ({NEWS_COLUMNS}, kept_us)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""  # noqa: S608 - constants
_ADD_MEDIA = f"""
INSERT INTO media ({MEDIA_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT ("key") DO NOTHING"""  # noqa: S608 - constants
_DUE_MEDIA = f"""
SELECT {MEDIA_COLUMNS} FROM media WHERE state = 'due' AND next_attempt_us <= ?
ORDER BY media_id LIMIT ?"""  # noqa: S608 - constants
_SAVE_MEDIA = """
UPDATE media SET state = ?, attempts = ?, next_attempt_us = ?, stored = ?, mime_type = ?, error = ?
WHERE "key" = ?"""
_PRUNE_PARTS = """
DELETE FROM sent_parts WHERE kept_us < ? AND NOT EXISTS (
    SELECT 1 FROM outbox AS o WHERE o.outbox_id = sent_parts.outbox_id AND o.state = 'pending')"""


class SqliteContacts(Contacts):
    """Contacts in the table `contacts`, codes in `link_offers`."""

    def __init__(self, database: SqliteConnection) -> None:
        """Work on a connection shared with the other ports."""
        self._database = database

    async def get(self, channel: str, sender_id: str) -> Contact:
        """Return what is known of a sender."""
        address = codec.clean_id(channel), codec.clean_id(sender_id)
        row = await self._database.read(lambda c: c.execute(_CONTACT, address).fetchone())
        return contact_of(row) if row else Contact(*address)

    async def save(self, contact: Contact) -> None:
        """Keep a contact."""
        row = contact_row(contact)
        await self._database.write(lambda c: c.execute(_SAVE, row).rowcount)

    async def of_conversation(self, conversation_id: str) -> list[Contact]:
        """Return who is in a conversation."""
        key = codec.clean_id(conversation_id)
        values = key, *own_address(key)
        rows = await self._database.read(lambda c: c.execute(_MEMBERS, values).fetchall())
        return in_order(map(contact_of, rows))

    async def offer(self, code_hash: str, conversation_id: str, until: datetime) -> None:
        """Keep the hash of a one-time code."""
        row = codec.clean_id(conversation_id), codec.clean_id(code_hash), codec.to_us(until)
        await self._database.write(lambda c: c.execute(_OFFER, row).rowcount)

    async def opens(self, code_hash: str, now: datetime) -> str:
        """Return the conversation that a code is good for now."""
        values = codec.clean_id(code_hash), codec.to_us(now)
        found = await self._database.read(lambda c: c.execute(_OPEN, values).fetchall())
        return str(found[0][0]) if len(found) == 1 else ""

    async def redeem(self, code_hash: str, channel: str, sender_id: str, now: datetime) -> str:
        """Link a sender to the conversation of an open code and use the code up."""
        address = codec.clean_id(channel), codec.clean_id(sender_id)
        work = partial(
            _redeem, code=codec.clean_id(code_hash), address=address, now_us=codec.to_us(now)
        )
        return await self._database.write(work)


def _redeem(
    connection: sqlite3.Connection, code: str, address: tuple[str, str], now_us: int
) -> str:
    found = connection.execute(_OPEN, (code, now_us)).fetchall()
    if len(found) != 1:
        return ""
    key = str(found[0][0])
    connection.execute("DELETE FROM link_offers WHERE conversation_id = ?", (key,))
    link = key if key != ":".join(address) else None
    connection.execute(_LINK, (*address, link, now_us))
    return key


def arrived(connection: sqlite3.Connection, row: codec.InboundRow) -> str:
    """Note when a sender wrote, or what they agree to; return what they are linked to."""
    if row.agreed is not None:
        connection.execute(_CONSENT, (*row.address, row.agreed, row.consent_order))
    if row.written_us is None:
        found = connection.execute(_LINK_OF, row.address).fetchall()
    else:
        found = connection.execute(_WROTE, (*row.address, row.written_us)).fetchall()
    return found[0][0] or "" if found else ""


def reopen_held(
    connection: sqlite3.Connection, row: codec.InboundRow, key: str, now_us: int
) -> None:
    """Have what waited in a conversation for its sender to write sent now that they have."""
    if row.written_us is not None:
        connection.execute(_REOPEN_HELD, (now_us, row.channel, key, row.sender_id))


def erase_channels(connection: sqlite3.Connection, key: str) -> tuple[int, int]:
    """Remove what is known of a conversation's people, messages and files, before its outbox.

    Of who opted out only that remains.

    Returns:
        how many contacts and how many files were removed.
    """
    own = own_address(key)
    connection.execute("DELETE FROM link_offers WHERE conversation_id = ?", (key,))
    members = connection.execute(_MEMBERS, (key, *own)).fetchall()
    sent = connection.execute(
        "SELECT DISTINCT channel, sender_id FROM outbox WHERE conversation_id = ?", (key,)
    )
    people = {own, *((row[0], row[1]) for row in members), *map(tuple, sent.fetchall())}
    connection.executemany(
        "DELETE FROM early_news WHERE channel = ? AND sender_id = ?", sorted(people)
    )
    connection.execute(
        "DELETE FROM sent_parts WHERE outbox_id IN "
        "(SELECT outbox_id FROM outbox WHERE conversation_id = ?)",
        (key,),
    )
    contacts = sum(connection.execute(query, (key, *own)).rowcount for query in _ERASE_CONTACTS)
    media = connection.execute("DELETE FROM media WHERE conversation_id = ?", (key,)).rowcount
    return contacts, media


def prune_channels(connection: sqlite3.Connection, limit_us: int) -> None:
    """Forget old codes and news, and old payloads of messages that are not pending."""
    connection.execute("DELETE FROM link_offers WHERE until_us < ?", (limit_us,))
    connection.execute("DELETE FROM early_news WHERE kept_us < ?", (limit_us,))
    connection.execute(_PRUNE_PARTS, (limit_us,))


class SqliteReceipts(Receipts):
    """Payloads in the table `sent_parts`, news that came before them in `early_news`."""

    def __init__(self, database: SqliteConnection, clock: Clock) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connection.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def sent(self, part: SentPart) -> None:
        """Keep the platform's id of a payload."""
        clean, now_us = part_of(part_row(part)), codec.to_us(self._clock())
        await self._database.write(lambda c: _keep_part(c, clean, now_us))

    async def news(self, receipts: Sequence[Receipt]) -> list[SentPart | None]:
        """Keep what a platform tells."""
        rows, now_us = [news_row(receipt) for receipt in receipts], codec.to_us(self._clock())
        return await self._database.write(
            lambda c: [_told(c, row, now_us) for row in rows], urgent=True
        )

    async def of_message(self, outbox_id: int) -> list[SentPart]:
        """Return the payloads of an outbox message."""
        rows = await self._database.read(lambda c: c.execute(_PARTS, (outbox_id,)).fetchall())
        return [part_of(row) for row in rows]


def _keep_part(connection: sqlite3.Connection, part: SentPart, now_us: int) -> None:
    query = "SELECT 1 FROM outbox WHERE outbox_id = ?"
    if connection.execute(query, (part.outbox_id,)).fetchone() is None:
        return
    known = connection.execute(_PART, (part.outbox_id, part.part)).fetchone()
    part = resent(part_of(known), part) if known else part
    name = part.channel, part.receipt_id
    early = connection.execute(_EARLY, name).fetchone()
    if early:
        part = informed(part, early)
        connection.execute("DELETE FROM early_news WHERE channel = ? AND receipt_id = ?", name)
    connection.execute(_KEEP_PART, (*part_row(part), now_us))


def _told(connection: sqlite3.Connection, row: NewsRow, now_us: int) -> SentPart | None:
    name = row[:2]
    if not row[1]:
        return None
    found = connection.execute(_NAMED, name).fetchone()
    if found:
        known = part_of(found)
        part = informed(known, row)
        if part is not known:
            outbox_id, number, _, _, *columns = part_row(part)
            connection.execute(_TELL, (*columns, outbox_id, number))
        return part
    early = connection.execute(_EARLY, name).fetchone()
    if early is None or overrides(row[2], early[2]):
        connection.execute(_KEEP_EARLY, (*row, now_us))
    return None


class SqliteMedia(MediaBook):
    """Files in the table `media`."""

    def __init__(self, database: SqliteConnection, clock: Clock) -> None:
        """Work on a connection shared with the other ports.

        Args:
            database: the connection.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def add(self, items: Sequence[MediaItem]) -> None:
        """Keep files to fetch."""
        rows = [media_row(item) for item in items]
        await self._database.write(lambda c: c.executemany(_ADD_MEDIA, rows).rowcount, urgent=True)

    async def due(self, limit: int = 20) -> list[MediaItem]:
        """Return files whose next attempt is due."""
        values = codec.to_us(self._clock()), limit
        rows = await self._database.read(lambda c: c.execute(_DUE_MEDIA, values).fetchall())
        return [media_of(row) for row in rows]

    async def save(self, item: MediaItem) -> None:
        """Keep a file's new state."""
        key, _, _, _, *columns = media_row(item)
        await self._database.write(lambda c: c.execute(_SAVE_MEDIA, (*columns, key)).rowcount)

    async def get(self, key: str) -> MediaItem | None:
        """Return a file by its key."""
        query = f'SELECT {MEDIA_COLUMNS} FROM media WHERE "key" = ?'  # noqa: S608 - constants
        values = (codec.clean_id(key),)
        row = await self._database.read(lambda c: c.execute(query, values).fetchone())
        return media_of(row) if row else None
