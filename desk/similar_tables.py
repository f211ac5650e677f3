"""The tables of what operators answered in solved cases, in the desk's database."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine
from sqlmodel import Field

from desk.tables import DeskTable

_ROW_ID: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


class SolvedRow(DeskTable, table=True):
    """One answer of an operator and what it answered; `vector` are 16-bit floats.

    An id is never used again, so that whoever knows the rows up to one finds all newer ones.
    """

    __tablename__ = "desk_solved"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("desk_solved_conversation", "conversation_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_ROW_ID)
    conversation_id: str = Field(sa_type=Text)
    case_id: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    team: str = Field(sa_type=Text)
    record: str = Field(sa_type=Text)
    vector: bytes = Field(sa_type=LargeBinary)


class SolvedSeenRow(DeskTable, table=True):
    """Up to which version a conversation has been read, and by which reader."""

    __tablename__ = "desk_solved_seen"

    conversation_id: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    reader: str = Field(sa_type=Text)
