"""The tables of the figures, in the desk's database."""

from datetime import date
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Date, Index, Text
from sqlmodel import Field

from desk.tables import DeskTable


class FactsRow(DeskTable, table=True):
    """One counted conversation, as folded from its events."""

    __tablename__ = "desk_insights"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("desk_insights_conversation", "conversation_id"),
        Index("desk_insights_started", "started_us"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    conversation_id: str = Field(sa_type=Text)
    started_us: int = Field(sa_type=BigInteger)
    record: str = Field(sa_type=Text)


class FactsSeenRow(DeskTable, table=True):
    """Up to which version a conversation's events have been counted, and by which fold."""

    __tablename__ = "desk_insights_seen"

    conversation_id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    fold: int = Field(default=0, sa_type=BigInteger)


class NumbersRow(DeskTable, table=True):
    """What the shop tells of itself; there is one row."""

    __tablename__ = "desk_insights_numbers"

    id: int = Field(default=1, primary_key=True)
    record: str = Field(sa_type=Text)


class VisitsRow(DeskTable, table=True):
    """What the visitors of one group did in the shop on one day, as the shop counted it."""

    __tablename__ = "desk_insights_visits"

    day: date = Field(primary_key=True, sa_type=Date)
    is_held_out: bool = Field(primary_key=True)
    visitors: int = Field(sa_type=BigInteger)
    buyers: int = Field(sa_type=BigInteger)
    orders: int = Field(sa_type=BigInteger)
    value_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(sa_type=Text)
