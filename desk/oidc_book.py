"""Who is who at the provider, in the desk's database."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session as Transaction
from sqlmodel import col, delete, select

from desk.database import DeskDatabase, to_us
from desk.errors import DeskError, UnknownOperator
from desk.oidc_tables import IdentityRow, LinkPermitRow, ProviderSessionRow
from desk.records import Operator, Role
from desk.tables import OperatorRow

PERMIT_LASTS = timedelta(days=7)


class IdentityTaken(DeskError):
    """The account, the address or the provider's subject is linked already."""


class ProviderSession(msgspec.Struct, frozen=True):
    """A session at the provider; `sid` is its name there, empty where it has none."""

    subject: str
    sid: str
    id_token: str


class IdentityBook:
    """Identities at one provider; an account has one at most."""

    def __init__(self, database: DeskDatabase, issuer: str) -> None:
        """Keep identities at `issuer` in `database`."""
        self._database = database
        self._issuer = issuer

    async def owner(self, subject: str) -> str:
        """Return the id of whose account a subject signs in to; empty if there is none."""

        def work(session: Transaction) -> str:
            row = session.get(IdentityRow, (self._issuer, subject))
            return row.operator_id if row else ""

        return await self._database.read(work)

    async def linked(self) -> frozenset[str]:
        """Return the ids of all accounts with an identity."""

        def work(session: Transaction) -> frozenset[str]:
            mine = select(IdentityRow.operator_id).where(IdentityRow.issuer == self._issuer)
            return frozenset(session.exec(mine))

        return await self._database.read(work)

    async def permitted(self) -> frozenset[str]:
        """Return the ids of all accounts that may be linked once."""
        now_us = to_us(self._database.clock())

        def work(session: Transaction) -> frozenset[str]:
            valid = select(LinkPermitRow.operator_id).where(LinkPermitRow.until_us > now_us)
            return frozenset(session.exec(valid))

        return await self._database.read(work)

    async def permit(self, operator_id: str) -> None:
        """Let an account be linked once, within a week."""
        until_us = to_us(self._database.clock() + PERMIT_LASTS)
        row = LinkPermitRow(operator_id=operator_id, until_us=until_us)
        await self._database.change(lambda session: session.merge(row))

    async def part(self, operator_id: str) -> None:
        """Take away an account's identity and the word that it may have one."""

        def work(session: Transaction) -> None:
            session.exec(
                delete(IdentityRow).where(
                    col(IdentityRow.issuer) == self._issuer,
                    col(IdentityRow.operator_id) == operator_id,
                )
            )
            session.exec(delete(LinkPermitRow).where(col(LinkPermitRow.operator_id) == operator_id))

        await self._database.change(work)

    async def link(self, subject: str, operator_id: str, *, needs_permit: bool) -> bool:
        """Link an account that has no identity yet; return False where the permit is missing.

        Raises:
            IdentityTaken: the account or the subject is linked already.
        """
        now_us = to_us(self._database.clock())

        def work(session: Transaction) -> bool:
            permit = session.get(LinkPermitRow, operator_id)
            if needs_permit and (permit is None or permit.until_us <= now_us):
                return False
            if permit is not None:
                session.delete(permit)
            session.add(self._row(subject, operator_id, now_us))
            return True

        return await self._once(work)

    async def create(self, operator: Operator, subject: str) -> None:
        """Keep a new account, which has no password, with its identity.

        Raises:
            IdentityTaken: the address or the subject has an account already.
        """
        now_us = to_us(self._database.clock())
        record = msgspec.json.encode(operator).decode()

        def work(session: Transaction) -> bool:
            session.add(
                OperatorRow(id=operator.id, email=operator.email, record=record, password_hash="")
            )
            session.add(self._row(subject, operator.id, now_us))
            return True

        await self._once(work)

    async def renew(
        self, operator_id: str, role: Role | None, areas: tuple[str, ...] | None
    ) -> tuple[Operator, bool]:
        """Give an account the role and areas that the provider tells; return whether they differ.

        Args:
            operator_id: whose.
            role: None to leave it.
            areas: None to leave them.

        Raises:
            UnknownOperator: there is none with this id.
        """

        def work(session: Transaction) -> tuple[Operator, bool]:
            row = session.get(OperatorRow, operator_id, with_for_update=True)
            if row is None:
                raise UnknownOperator(operator_id)
            before = msgspec.json.decode(row.record, type=Operator)
            after = msgspec.structs.replace(
                before,
                role=before.role if role is None else role,
                areas=before.areas if areas is None else areas,
            )
            if after != before:
                row.record = msgspec.json.encode(after).decode()
                session.add(row)
            return after, after != before

        return await self._database.change(work)

    async def began(self, token_hash: str, there: ProviderSession) -> None:
        """Keep which session at the provider one of ours began with."""
        row = ProviderSessionRow(
            token_hash=token_hash,
            issuer=self._issuer,
            subject=there.subject,
            sid=there.sid,
            id_token=there.id_token,
        )
        await self._database.change(lambda session: session.merge(row))

    async def id_token(self, token_hash: str) -> str:
        """Return the ID token that one of our sessions began with; empty for none."""

        def work(session: Transaction) -> str:
            row = session.get(ProviderSessionRow, token_hash)
            return row.id_token if row and row.issuer == self._issuer else ""

        return await self._database.read(work)

    async def sessions(self, subject: str, sid: str) -> Sequence[str]:
        """Return the hashes of our sessions that began with one at the provider.

        Args:
            subject: whose; empty for whosever `sid` is.
            sid: the session's name there; empty for all of the subject.
        """

        def work(session: Transaction) -> Sequence[str]:
            found = select(ProviderSessionRow.token_hash)
            found = found.where(ProviderSessionRow.issuer == self._issuer)
            if subject:
                found = found.where(ProviderSessionRow.subject == subject)
            if sid:
                found = found.where(ProviderSessionRow.sid == sid)
            return session.exec(found).all()

        return await self._database.read(work)

    def _row(self, subject: str, operator_id: str, now_us: int) -> IdentityRow:
        return IdentityRow(
            issuer=self._issuer, subject=subject, operator_id=operator_id, since_us=now_us
        )

    async def _once(self, work: Callable[[Transaction], bool]) -> bool:
        try:
            return await self._database.change(work)
        except IntegrityError as error:
            raise IdentityTaken from error
