"""The tables of signing in with a provider, in the desk's database."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlmodel import Field

from desk.tables import DeskTable


class IdentityRow(DeskTable, table=True):
    """Whose account it is that somebody at a provider signs in to; one for each at most."""

    __tablename__ = "desk_identities"
    __table_args__: ClassVar[tuple[Any, ...]] = (UniqueConstraint("issuer", "operator_id"),)

    issuer: str = Field(primary_key=True, sa_type=Text)
    subject: str = Field(primary_key=True, sa_type=Text)
    operator_id: str = Field(sa_type=Text)
    since_us: int = Field(sa_type=BigInteger)


class LinkPermitRow(DeskTable, table=True):
    """An administrator's word that an account may be linked once."""

    __tablename__ = "desk_link_permits"

    operator_id: str = Field(primary_key=True, sa_type=Text)
    until_us: int = Field(sa_type=BigInteger)


class ProviderSessionRow(DeskTable, table=True):
    """Which session at a provider one of ours began with; it ends with ours."""

    __tablename__ = "desk_provider_sessions"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index("desk_provider_sessions_subject", "issuer", "subject"),
    )

    token_hash: str = Field(primary_key=True, sa_type=Text)
    issuer: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    sid: str = Field(default="", sa_type=Text)
    id_token: str = Field(sa_type=Text)
