"""The tables, described once; migrations are compared with this in the tests.

Nothing in the turn's path imports this module: the stores speak SQL, and SQLModel costs more
than a second to import. Times are microseconds since 1970-01-01 UTC, payloads are JSON texts.
"""

from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

_ROW_ID: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
_KEY: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")


class StorageTable(SQLModel):
    """The base of the tables, with a metadata of its own."""

    metadata: ClassVar[MetaData] = MetaData()


class ConversationRow(StorageTable, table=True):
    """One conversation: its version, the `seq` of its last outbound message, its chain's head."""

    __tablename__ = "conversations"

    conversation_id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    outbound_seq: int = Field(sa_type=BigInteger)
    updated_us: int = Field(sa_type=BigInteger)
    chain: bytes | None = Field(default=None, sa_type=LargeBinary)


class EventRow(StorageTable, table=True):
    """One event of a conversation, and its place in the hash chain."""

    __tablename__ = "conversation_events"
    __table_args__: ClassVar[dict[str, Any]] = {"sqlite_with_rowid": False}

    conversation_id: str = Field(primary_key=True, sa_type=Text)
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    type: str = Field(sa_type=Text)
    data: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    salt: bytes | None = Field(default=None, sa_type=LargeBinary)
    digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    chain: bytes | None = Field(default=None, sa_type=LargeBinary)


class InboxRow(StorageTable, table=True):
    """One accepted message; `handled_us` is null until its turn is committed."""

    __tablename__ = "inbox"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        UniqueConstraint("channel", "message_id", name="inbox_message"),
        Index("inbox_conversation", "conversation_id", "inbox_id"),
        Index(
            "inbox_unhandled",
            "conversation_id",
            "inbox_id",
            sqlite_where=text("handled_us IS NULL"),
            postgresql_where=text("handled_us IS NULL"),
        ),
        Index("inbox_accepted", "accepted_us"),
        {"sqlite_autoincrement": True},
    )

    inbox_id: int | None = Field(default=None, primary_key=True, sa_type=_ROW_ID)
    channel: str = Field(sa_type=Text)
    message_id: str = Field(sa_type=Text)
    conversation_id: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    accepted_us: int = Field(sa_type=BigInteger)
    handled_us: int | None = Field(default=None, sa_type=BigInteger)


class OutboxRow(StorageTable, table=True):
    """One message to a customer and the state of its delivery."""

    __tablename__ = "outbox"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        UniqueConstraint("conversation_id", "seq", name="outbox_seq"),
        Index(
            "outbox_pending",
            "channel",
            "outbox_id",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "outbox_line",
            "channel",
            "conversation_id",
            "sender_id",
            "seq",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        {"sqlite_autoincrement": True},
    )

    outbox_id: int | None = Field(default=None, primary_key=True, sa_type=_ROW_ID)
    conversation_id: str = Field(sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    channel: str = Field(sa_type=Text)
    sender_id: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    created_us: int = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    attempts: int = Field(sa_type=Integer)
    next_attempt_us: int = Field(sa_type=BigInteger)
    receipt: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    parts_sent: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    begun_us: int | None = Field(default=None, sa_type=BigInteger)


class ContactRow(StorageTable, table=True):
    """One sender of a channel; `conversation_id` is null while they are not linked."""

    __tablename__ = "contacts"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index(
            "contacts_conversation",
            "conversation_id",
            sqlite_where=text("conversation_id IS NOT NULL"),
            postgresql_where=text("conversation_id IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    channel: str = Field(primary_key=True, sa_type=Text)
    sender_id: str = Field(primary_key=True, sa_type=Text)
    last_inbound_us: int | None = Field(default=None, sa_type=BigInteger)
    opted_in: int | None = Field(default=None, sa_type=Integer)
    conversation_id: str | None = Field(default=None, sa_type=Text)
    linked_us: int | None = Field(default=None, sa_type=BigInteger)
    details: str = Field(sa_type=Text)
    consent_order: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class LinkOfferRow(StorageTable, table=True):
    """The hash of the code that links to a conversation."""

    __tablename__ = "link_offers"
    __table_args__: ClassVar[tuple[Any, ...]] = (Index("link_offers_code", "code_hash"),)

    conversation_id: str = Field(primary_key=True, sa_type=Text)
    code_hash: str = Field(sa_type=Text)
    until_us: int = Field(sa_type=BigInteger)


class SentPartRow(StorageTable, table=True):
    """One payload of an outbox message; `kept_us` is when we wrote it down."""

    __tablename__ = "sent_parts"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("sent_parts_receipt", "channel", "receipt_id"),
        Index("sent_parts_kept", "kept_us"),
        {"sqlite_with_rowid": False},
    )

    outbox_id: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    part: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    channel: str = Field(sa_type=Text)
    receipt_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    code: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    kept_us: int = Field(sa_type=BigInteger)


class EarlyNewsRow(StorageTable, table=True):
    """News of a payload whose id we do not know yet."""

    __tablename__ = "early_news"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("early_news_sender", "channel", "sender_id"),
        Index("early_news_kept", "kept_us"),
        {"sqlite_with_rowid": False},
    )

    channel: str = Field(primary_key=True, sa_type=Text)
    receipt_id: str = Field(primary_key=True, sa_type=Text)
    state: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    sender_id: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    kept_us: int = Field(sa_type=BigInteger)


class MediaRow(StorageTable, table=True):
    """One file that a customer sent."""

    __tablename__ = "media"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        UniqueConstraint("key", name="media_key"),
        Index("media_conversation", "conversation_id"),
        Index(
            "media_due",
            "media_id",
            sqlite_where=text("state = 'due'"),
            postgresql_where=text("state = 'due'"),
        ),
    )

    media_id: int | None = Field(default=None, primary_key=True, sa_type=_ROW_ID)
    key: str = Field(sa_type=Text)
    conversation_id: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    attempts: int = Field(sa_type=Integer)
    next_attempt_us: int = Field(sa_type=BigInteger)
    stored: str = Field(sa_type=Text)
    mime_type: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)


class EffectRow(StorageTable, table=True):
    """One effect; `erased` is 1 when its conversation was erased before it was settled."""

    __tablename__ = "effects"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("effects_conversation", "conversation_id", "intended_us"),
        Index("effects_state", "state", "intended_us"),
        Index("effects_intended", "intended_us", "key"),
    )

    key: str = Field(primary_key=True, sa_type=_KEY)
    conversation_id: str = Field(sa_type=Text)
    step: str = Field(sa_type=Text)
    operation: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    data: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    intended_us: int = Field(sa_type=BigInteger)
    attempts: int = Field(sa_type=Integer)
    sent_us: int | None = Field(default=None, sa_type=BigInteger)
    settled_us: int | None = Field(default=None, sa_type=BigInteger)
    result: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    erased: int = Field(sa_type=Integer)
