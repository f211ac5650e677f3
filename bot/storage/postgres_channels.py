"""Contacts, receipts and files on the way in PostgreSQL: the ports, and what the inbox does.

Rows are locked in this order, so that nobody waits in a circle: codes, contacts by channel and
sender, conversations, the rest. Who joins news with payloads locks the platform's id.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

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
from bot.storage.ports import REOPENED, WINDOW_CLOSED, Accepted
from bot.storage.postgres_connection import PostgresConnection, row_count

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Clock = Callable[[], datetime]

_CONTACT = f"SELECT {CONTACT_COLUMNS} FROM contacts WHERE channel = $1 AND sender_id = $2"  # noqa: S608
_IS_MEMBER = """
conversation_id = $1 OR (channel = $2 AND sender_id = $3 AND conversation_id IS NULL)"""
_MEMBERS = f"SELECT {CONTACT_COLUMNS} FROM contacts WHERE {_IS_MEMBER}"  # noqa: S608 - constants
_IS_ERASED = "(conversation_id = $1 OR (channel = $2 AND sender_id = $3))"
_ERASE_CONTACTS = (
    f"DELETE FROM contacts WHERE opted_in IS DISTINCT FROM 0 AND {_IS_ERASED}",  # noqa: S608
    f"""UPDATE contacts SET last_inbound_us = NULL, conversation_id = NULL, linked_us = NULL,
    details = '{{}}' WHERE {_IS_ERASED} AND NOT (last_inbound_us IS NULL
    AND conversation_id IS NULL AND linked_us IS NULL AND details = '{{}}')""",  # noqa: S608
)
"""Who opted out stays known as that, and as nothing else."""
_LOCK_PEOPLE = f"""
SELECT channel, sender_id FROM contacts WHERE {_IS_ERASED}
ORDER BY channel, sender_id FOR UPDATE"""  # noqa: S608 - constants
_SAVE = f"""
INSERT INTO contacts ({CONTACT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (channel, sender_id) DO UPDATE SET
    opted_in = CASE WHEN excluded.consent_order >= contacts.consent_order
        THEN excluded.opted_in ELSE contacts.opted_in END,
    consent_order = greatest(contacts.consent_order, excluded.consent_order),
    conversation_id = excluded.conversation_id, linked_us = excluded.linked_us,
    details = excluded.details,
    last_inbound_us = greatest(contacts.last_inbound_us, excluded.last_inbound_us)
RETURNING 1"""  # noqa: S608 - constants
_ARRIVED = """
WITH incoming AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::int[])
        AS i (channel, sender_id, message_id, written_us, agreed)
), known AS (
    SELECT channel, message_id, inbox_id, conversation_id FROM inbox
    WHERE (channel, message_id) IN (SELECT channel, message_id FROM incoming)
), wrote AS (
    INSERT INTO contacts (channel, sender_id, last_inbound_us, details)
    SELECT channel, sender_id, max(written_us), '{}' FROM incoming
    WHERE (written_us IS NOT NULL OR agreed IS NOT NULL)
        AND (channel, message_id) NOT IN (SELECT channel, message_id FROM known)
    GROUP BY channel, sender_id ORDER BY channel, sender_id
    ON CONFLICT (channel, sender_id) DO UPDATE SET
        last_inbound_us = greatest(contacts.last_inbound_us, excluded.last_inbound_us)
    RETURNING channel, sender_id, conversation_id
)
SELECT i.channel, i.message_id, k.inbox_id, CASE WHEN k.inbox_id IS NOT NULL
    THEN k.conversation_id WHEN w.channel IS NOT NULL THEN w.conversation_id
    ELSE c.conversation_id END
FROM incoming AS i LEFT JOIN known AS k USING (channel, message_id)
LEFT JOIN wrote AS w ON w.channel = i.channel AND w.sender_id = i.sender_id
LEFT JOIN contacts AS c ON c.channel = i.channel AND c.sender_id = i.sender_id"""
_CONSENT = """
UPDATE contacts SET opted_in = $3, consent_order = $4
WHERE channel = $1 AND sender_id = $2 AND consent_order <= $4"""
_REOPEN_HELD = f"""
UPDATE outbox SET next_attempt_us = $4, error = '{REOPENED}'
FROM unnest($1::text[], $2::text[], $3::text[]) AS wrote (channel, conversation_id, sender_id)
WHERE outbox.channel = wrote.channel AND outbox.conversation_id = wrote.conversation_id
    AND outbox.sender_id = wrote.sender_id AND state = 'pending' AND error = '{WINDOW_CLOSED}'
    AND begun_us IS NULL"""  # noqa: S608 - constants
_LINK = """
INSERT INTO contacts (channel, sender_id, conversation_id, linked_us, details)
VALUES ($1, $2, $3, $4, '{}')
ON CONFLICT (channel, sender_id) DO UPDATE SET conversation_id = excluded.conversation_id,
    linked_us = excluded.linked_us"""
_OFFER = """
INSERT INTO link_offers (conversation_id, code_hash, until_us) VALUES ($1, $2, $3)
ON CONFLICT (conversation_id) DO UPDATE SET code_hash = excluded.code_hash,
    until_us = excluded.until_us RETURNING 1"""
_OPENS = "SELECT conversation_id FROM link_offers WHERE code_hash = $1 AND until_us >= $2"
_OPEN = f"{_OPENS} ORDER BY conversation_id FOR UPDATE"
_LOCK_NAMES = """
SELECT pg_advisory_xact_lock(lock) FROM (
    SELECT DISTINCT hashtextextended(name, 0) AS lock FROM unnest($1::text[]) AS name
    ORDER BY lock) AS locks"""
_PARTS = f"SELECT {PART_COLUMNS} FROM sent_parts WHERE outbox_id = $1 ORDER BY part"  # noqa: S608
_PART = f"""
SELECT {PART_COLUMNS} FROM sent_parts WHERE outbox_id = $1 AND part = $2 FOR UPDATE"""  # noqa: S608
_NAMED = f"""
SELECT {PART_COLUMNS} FROM sent_parts WHERE channel = $1 AND receipt_id = $2
ORDER BY outbox_id DESC, part DESC LIMIT 1 FOR UPDATE"""  # noqa: S608 - constants
_KEEP_PART = f"""
INSERT INTO sent_parts ({PART_COLUMNS}, kept_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (outbox_id, part) DO UPDATE SET channel = excluded.channel,
    receipt_id = excluded.receipt_id, state = excluded.state, at_us = excluded.at_us,
    code = excluded.code, error = excluded.error, kept_us = excluded.kept_us"""  # noqa: S608
_TELL = """
UPDATE sent_parts SET state = $1, at_us = $2, code = $3, error = $4
WHERE outbox_id = $5 AND part = $6"""
_EARLY = f"SELECT {NEWS_COLUMNS} FROM early_news WHERE channel = $1 AND receipt_id = $2"  # noqa: S608
_TAKE_EARLY = f"""
DELETE FROM early_news WHERE channel = $1 AND receipt_id = $2
RETURNING {NEWS_COLUMNS}"""  # noqa: S608 - constants
_KEEP_EARLY = f"""
INSERT INTO early_news ({NEWS_COLUMNS}, kept_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (channel, receipt_id) DO UPDATE SET state = excluded.state, at_us = excluded.at_us,
    sender_id = excluded.sender_id, code = excluded.code, error = excluded.error,
    kept_us = excluded.kept_us"""  # noqa: S608 - constants
_ERASE_EARLY = """
DELETE FROM early_news
WHERE (channel, sender_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"""
_ADD_MEDIA = f"""
INSERT INTO media ({MEDIA_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT ("key") DO NOTHING"""  # noqa: S608 - constants
_DUE_MEDIA = f"""
SELECT {MEDIA_COLUMNS} FROM media WHERE state = 'due' AND next_attempt_us <= $1
ORDER BY media_id LIMIT $2"""  # noqa: S608 - constants
_MEDIA = f'SELECT {MEDIA_COLUMNS} FROM media WHERE "key" = $1'  # noqa: S608 - constants
_SAVE_MEDIA = """
UPDATE media SET state = $1, attempts = $2, next_attempt_us = $3, stored = $4, mime_type = $5,
    error = $6
WHERE "key" = $7 RETURNING 1"""
_PRUNE_PARTS = """
DELETE FROM sent_parts WHERE kept_us < $1 AND NOT EXISTS (
    SELECT 1 FROM outbox AS o WHERE o.outbox_id = sent_parts.outbox_id AND o.state = 'pending')"""


class PostgresContacts(Contacts):
    """Contacts in the table `contacts`, codes in `link_offers`."""

    def __init__(self, database: PostgresConnection) -> None:
        """Work on connections shared with the other ports."""
        self._database = database

    async def get(self, channel: str, sender_id: str) -> Contact:
        """Return what is known of a sender."""
        address = codec.clean_id(channel), codec.clean_id(sender_id)
        rows = await self._database.rows(_CONTACT, *address)
        return contact_of(rows[0]) if rows else Contact(*address)

    async def save(self, contact: Contact) -> None:
        """Keep a contact."""
        await self._database.rows(_SAVE, *contact_row(contact))

    async def of_conversation(self, conversation_id: str) -> list[Contact]:
        """Return who is in a conversation."""
        key = codec.clean_id(conversation_id)
        rows = await self._database.rows(_MEMBERS, key, *own_address(key))
        return in_order(map(contact_of, rows))

    async def offer(self, code_hash: str, conversation_id: str, until: datetime) -> None:
        """Keep the hash of a one-time code."""
        row = codec.clean_id(conversation_id), codec.clean_id(code_hash), codec.to_us(until)
        await self._database.rows(_OFFER, *row)

    async def opens(self, code_hash: str, now: datetime) -> str:
        """Return the conversation that a code is good for now."""
        values = codec.clean_id(code_hash), codec.to_us(now)
        found = await self._database.rows(_OPENS, *values)
        return str(found[0][0]) if len(found) == 1 else ""

    async def redeem(self, code_hash: str, channel: str, sender_id: str, now: datetime) -> str:
        """Link a sender to the conversation of an open code and use the code up."""
        address = codec.clean_id(channel), codec.clean_id(sender_id)
        now_us = codec.to_us(now)
        async with self._database.transaction() as connection:
            found = await connection.fetch(_OPEN, codec.clean_id(code_hash), now_us)
            if len(found) != 1:
                return ""
            key = str(found[0][0])
            await connection.execute("DELETE FROM link_offers WHERE conversation_id = $1", key)
            link = key if key != ":".join(address) else None
            await connection.execute(_LINK, *address, link, now_us)
            return key


async def arrived(
    connection: "PoolConnectionProxy", rows: Sequence[codec.InboundRow]
) -> dict[tuple[str, str], tuple[int | None, str]]:
    """Note when senders wrote and what they agree to, and look up what is known of their messages.

    Returns:
        by channel and message id: the inbox id if it was accepted before, and the conversation
        it was accepted in, or else the one that its sender is linked to, or nothing.
    """
    first = {(row.channel, row.message_id): row for row in reversed(rows)}
    columns = [
        [getattr(row, name) for row in first.values()]
        for name in ("channel", "sender_id", "message_id", "written_us", "agreed")
    ]
    found = await connection.fetch(_ARRIVED, *columns)
    places = {(channel, name): (inbox_id, key or "") for channel, name, inbox_id, key in found}
    for row in rows:
        name = row.channel, row.message_id
        if row.agreed is not None and first[name] is row and places[name][0] is None:
            await connection.execute(_CONSENT, *row.address, row.agreed, row.consent_order)
    return places


async def reopen_held(
    database: PostgresConnection,
    rows: Sequence[codec.InboundRow],
    accepted: Sequence[Accepted],
    now_us: int,
) -> None:
    """Have what waited for customers to write sent now that they have.

    Args:
        database: outside of the transaction that kept what they wrote.
        rows: what came.
        accepted: what became of it.
        now_us: the present.
    """
    wrote = {
        (row.channel, item.message.conversation_id, row.sender_id)
        for row, item in zip(rows, accepted, strict=True)
        if row.written_us is not None and not item.duplicate
    }
    if wrote:
        columns = [list(column) for column in zip(*sorted(wrote), strict=True)]
        async with database.transaction() as connection:
            await connection.execute(_REOPEN_HELD, *columns, now_us)


async def lock_people(connection: "PoolConnectionProxy", key: str) -> set[tuple[str, str]]:
    """Remove a conversation's code, lock its contacts and return their addresses."""
    await connection.execute("DELETE FROM link_offers WHERE conversation_id = $1", key)
    own = own_address(key)
    rows = await connection.fetch(_LOCK_PEOPLE, key, *own)
    return {own, *((channel, sender_id) for channel, sender_id in rows)}


async def erase_channels(
    connection: "PoolConnectionProxy",
    key: str,
    people: set[tuple[str, str]],
    outbox: Sequence[Sequence[Any]],
) -> tuple[int, int]:
    """Remove what is known of a conversation's people, messages and files.

    Of who opted out only that remains.

    Args:
        connection: inside the transaction that has locked the people.
        key: the conversation.
        people: what `lock_people` returned.
        outbox: the id, the channel and the sender of every message that was erased.

    Returns:
        how many contacts and how many files were removed.
    """
    everyone = people | {(channel, sender_id) for _, channel, sender_id in outbox}
    columns = [[address[i] for address in everyone] for i in (0, 1)]
    await connection.execute(_ERASE_EARLY, *columns)
    ids = [outbox_id for outbox_id, _, _ in outbox]
    await connection.execute("DELETE FROM sent_parts WHERE outbox_id = ANY($1::bigint[])", ids)
    contacts = 0
    for query in _ERASE_CONTACTS:
        contacts += row_count(await connection.execute(query, key, *own_address(key)))
    media = await connection.execute("DELETE FROM media WHERE conversation_id = $1", key)
    return contacts, row_count(media)


async def prune_channels(connection: "PoolConnectionProxy", limit_us: int) -> None:
    """Forget old codes and news, and old payloads of messages that are not pending."""
    await connection.execute("DELETE FROM link_offers WHERE until_us < $1", limit_us)
    await connection.execute("DELETE FROM early_news WHERE kept_us < $1", limit_us)
    await connection.execute(_PRUNE_PARTS, limit_us)


class PostgresReceipts(Receipts):
    """Payloads in the table `sent_parts`, news that came before them in `early_news`."""

    def __init__(self, database: PostgresConnection, clock: Clock) -> None:
        """Work on connections shared with the other ports.

        Args:
            database: the connections.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def sent(self, part: SentPart) -> None:
        """Keep the platform's id of a payload."""
        clean, now_us = part_of(part_row(part)), codec.to_us(self._clock())
        query = "SELECT 1 FROM outbox WHERE outbox_id = $1 FOR KEY SHARE"
        async with self._database.transaction() as connection:
            if await connection.fetchval(query, clean.outbox_id) is not None:
                await _keep_part(connection, clean, now_us)

    async def news(self, receipts: Sequence[Receipt]) -> list[SentPart | None]:
        """Keep what a platform tells."""
        rows, now_us = [news_row(receipt) for receipt in receipts], codec.to_us(self._clock())
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK_NAMES, [_lock_name(row[0], row[1]) for row in rows])
            return [await _told(connection, row, now_us) for row in rows]

    async def of_message(self, outbox_id: int) -> list[SentPart]:
        """Return the payloads of an outbox message."""
        return [part_of(row) for row in await self._database.rows(_PARTS, outbox_id)]


def _lock_name(channel: str, receipt_id: str) -> str:
    return f"{channel}:{receipt_id}"


async def _keep_part(connection: "PoolConnectionProxy", part: SentPart, now_us: int) -> None:
    name = part.channel, part.receipt_id
    await connection.execute(_LOCK_NAMES, [_lock_name(*name)])
    known = await connection.fetchrow(_PART, part.outbox_id, part.part)
    part = resent(part_of(known), part) if known else part
    early = await connection.fetchrow(_TAKE_EARLY, *name)
    part = informed(part, tuple(early)) if early else part
    await connection.execute(_KEEP_PART, *part_row(part), now_us)


async def _told(connection: "PoolConnectionProxy", row: NewsRow, now_us: int) -> SentPart | None:
    if not row[1]:
        return None
    found = await connection.fetchrow(_NAMED, *row[:2])
    if found:
        known = part_of(found)
        part = informed(known, row)
        if part is not known:
            outbox_id, number, _, _, *columns = part_row(part)
            await connection.execute(_TELL, *columns, outbox_id, number)
        return part
    early = await connection.fetchrow(_EARLY, *row[:2])
    if early is None or overrides(row[2], early[2]):
        await connection.execute(_KEEP_EARLY, *row, now_us)
    return None


class PostgresMedia(MediaBook):
    """Files in the table `media`."""

    def __init__(self, database: PostgresConnection, clock: Clock) -> None:
        """Work on connections shared with the other ports.

        Args:
            database: the connections.
            clock: gives the present as an aware moment.
        """
        self._database = database
        self._clock = clock

    async def add(self, items: Sequence[MediaItem]) -> None:
        """Keep files to fetch."""
        rows = [media_row(item) for item in items]
        async with self._database.transaction() as connection:
            await connection.executemany(_ADD_MEDIA, rows)

    async def due(self, limit: int = 20) -> list[MediaItem]:
        """Return files whose next attempt is due."""
        now_us = codec.to_us(self._clock())
        return [media_of(row) for row in await self._database.rows(_DUE_MEDIA, now_us, limit)]

    async def save(self, item: MediaItem) -> None:
        """Keep a file's new state."""
        key, _, _, _, *columns = media_row(item)
        await self._database.rows(_SAVE_MEDIA, *columns, key)

    async def get(self, key: str) -> MediaItem | None:
        """Return a file by its key."""
        rows = await self._database.rows(_MEDIA, codec.clean_id(key))
        return media_of(rows[0]) if rows else None
