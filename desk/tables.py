"""The desk's tables. Times are microseconds since 1970-01-01 UTC; `record` is the whole as JSON."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Integer, MetaData, Text, UniqueConstraint
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

_ROW_ID: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


class DeskTable(SQLModel):
    """The base of the tables, with a metadata of its own."""

    metadata: ClassVar[MetaData] = MetaData()


class CaseRow(DeskTable, table=True):
    """One case, as folded from its conversation."""

    __tablename__ = "desk_cases"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("desk_cases_state", "state", "waiting_us"),
        Index("desk_cases_conversation", "conversation_id"),
        Index("desk_cases_customer", "customer_id"),
        Index("desk_cases_operator", "operator", "state"),
        Index("desk_cases_changed", "changed_us"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    conversation_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    operator: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    waiting_us: int | None = Field(default=None, sa_type=BigInteger)
    changed_us: int = Field(sa_type=BigInteger)
    record: str = Field(sa_type=Text)


class SeenRow(DeskTable, table=True):
    """Up to which version a conversation's events have been folded."""

    __tablename__ = "desk_seen"

    conversation_id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(sa_type=BigInteger)


class LinkRow(DeskTable, table=True):
    """That a case is one of two that were put together; the other has the same link."""

    __tablename__ = "desk_links"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("desk_links_conversation", "conversation_id"),
    )

    link: str = Field(primary_key=True, sa_type=Text)
    case_id: str = Field(primary_key=True, sa_type=Text)
    conversation_id: str = Field(sa_type=Text)
    leads: bool = False


class OperatorRow(DeskTable, table=True):
    """One operator; secrets stand in columns of their own and are never part of the record."""

    __tablename__ = "desk_operators"

    id: str = Field(primary_key=True, sa_type=Text)
    email: str = Field(sa_type=Text, unique=True)
    record: str = Field(sa_type=Text)
    password_hash: str = Field(sa_type=Text)
    totp_secret: str = Field(default="", sa_type=Text)
    totp_step: int = Field(default=0, sa_type=BigInteger)
    recovery_hashes: str = Field(default="[]", sa_type=Text)


class SessionRow(DeskTable, table=True):
    """One signed-in browser; only the hash of its token is kept."""

    __tablename__ = "desk_sessions"
    __table_args__: ClassVar[tuple[Any, ...]] = (Index("desk_sessions_operator", "operator_id"),)

    token_hash: str = Field(primary_key=True, sa_type=Text)
    operator_id: str = Field(sa_type=Text)
    csrf: str = Field(sa_type=Text)
    user_agent: str = Field(default="", sa_type=Text)
    is_verified: bool = True
    created_us: int = Field(sa_type=BigInteger)
    seen_us: int = Field(sa_type=BigInteger)
    expires_us: int = Field(sa_type=BigInteger)


class AuditRow(DeskTable, table=True):
    """Something that was done at the desk; rows are only ever added."""

    __tablename__ = "desk_audit"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("desk_audit_case", "case_id"),
        Index("desk_audit_at", "at_us"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ROW_ID)
    at_us: int = Field(sa_type=BigInteger)
    operator: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    case_id: str = Field(sa_type=Text)
    details: str = Field(sa_type=Text)


class CannedRow(DeskTable, table=True):
    """One prepared reply."""

    __tablename__ = "desk_canned"

    id: str = Field(primary_key=True, sa_type=Text)
    shortcut: str = Field(sa_type=Text, unique=True)
    record: str = Field(sa_type=Text)


class BridgeCaseRow(DeskTable, table=True):
    """A case at another desk, and up to which event it has been planned what goes there."""

    __tablename__ = "desk_bridge_cases"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("desk_bridge_cases_remote", "bridge", "remote_id"),
        Index("desk_bridge_cases_conversation", "conversation_id"),
        Index("desk_bridge_cases_over", "is_over"),
    )

    case_id: str = Field(primary_key=True, sa_type=Text)
    conversation_id: str = Field(sa_type=Text)
    number: int = Field(sa_type=BigInteger)
    bridge: str = Field(sa_type=Text)
    remote_id: str = Field(default="", sa_type=Text)
    planned: int = Field(default=0, sa_type=BigInteger)
    is_over: bool = False
    closed_us: int | None = Field(default=None, sa_type=BigInteger)


class BridgeOutRow(DeskTable, table=True):
    """Something that goes to another desk, once for each name; what was said stays in the events.

    `state` is due, done or refused.
    """

    __tablename__ = "desk_bridge_out"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        UniqueConstraint("case_id", "name"),
        Index("desk_bridge_out_due", "state", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ROW_ID)
    case_id: str = Field(sa_type=Text)
    bridge: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    state: str = Field(default="due", sa_type=Text)
    attempts: int = Field(default=0, sa_type=BigInteger)
    since_us: int = Field(sa_type=BigInteger)
    next_us: int = Field(default=0, sa_type=BigInteger)
    error: str = Field(default="", sa_type=Text)


class BridgeInRow(DeskTable, table=True):
    """What a person did at another desk, once for each id; `record` is emptied when it is done."""

    __tablename__ = "desk_bridge_in"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        UniqueConstraint("bridge", "event_id"),
        Index("desk_bridge_in_due", "state", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ROW_ID)
    bridge: str = Field(sa_type=Text)
    event_id: str = Field(sa_type=Text)
    remote_id: str = Field(sa_type=Text)
    record: str = Field(sa_type=Text)
    state: str = Field(default="due", sa_type=Text)
    attempts: int = Field(default=0, sa_type=BigInteger)
    at_us: int = Field(sa_type=BigInteger)
    next_us: int = Field(default=0, sa_type=BigInteger)
