"""What signs operators in, in the desk's database: password hashes, second factors, sessions."""

import hashlib
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session as Transaction
from sqlmodel import col, delete, select

from desk.database import DeskDatabase, from_us, to_us
from desk.errors import DeskError, UnknownOperator
from desk.oidc_tables import ProviderSessionRow
from desk.records import Operator
from desk.tables import OperatorRow, SessionRow


class Secrets(msgspec.Struct, frozen=True):
    """What an operator proves themselves with; `step` is the last used one of the codes."""

    operator: Operator
    password_hash: str
    totp_secret: str = ""
    step: int = 0
    recovery: tuple[str, ...] = ()


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser; `is_verified` is False while its code is asked for."""

    token_hash: str
    operator_id: str
    csrf: str
    browser: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_verified: bool = True


class NotTheFirst(DeskError):
    """There is an operator already."""


class AccountBook:
    """Secrets and sessions; sessions are kept under the hashes of their tokens."""

    def __init__(self, database: DeskDatabase) -> None:
        """Keep them in `database`."""
        self._database = database

    async def count(self) -> int:
        """Return how many operators there are."""

        def work(session: Transaction) -> int:
            return session.exec(select(func.count()).select_from(OperatorRow)).one()

        return await self._database.read(work)

    async def by_email(self, email: str) -> Secrets | None:
        """Return the secrets of whoever has an address; None if nobody has."""
        plain = email.strip().lower()

        def work(session: Transaction) -> Secrets | None:
            row = session.exec(select(OperatorRow).where(OperatorRow.email == plain)).first()
            return _secrets(row) if row else None

        return await self._database.read(work)

    async def by_id(self, operator_id: str) -> Secrets:
        """Return an operator's secrets.

        Raises:
            UnknownOperator: there is none with this id.
        """
        return await self._database.read(lambda session: _secrets(_row(session, operator_id)))

    async def add_first(self, operator: Operator, password_hash: str) -> None:
        """Keep the first operator.

        Raises:
            NotTheFirst: there is one already.
        """

        def work(session: Transaction) -> None:
            if session.exec(select(func.count()).select_from(OperatorRow)).one():
                raise NotTheFirst
            record = msgspec.json.encode(operator).decode()
            session.add(
                OperatorRow(
                    id=operator.id, email=operator.email, record=record, password_hash=password_hash
                )
            )

        await self._database.change(work)

    async def set_password(self, operator_id: str, password_hash: str) -> None:
        """Keep a new password's hash.

        Raises:
            UnknownOperator: there is none with this id.
        """

        def work(session: Transaction) -> None:
            row = _row(session, operator_id)
            row.password_hash = password_hash
            session.add(row)

        await self._database.change(work)

    async def set_totp(
        self, operator_id: str, secret: str, step: int, recovery: tuple[str, ...]
    ) -> None:
        """Keep a second factor, or none for an empty secret.

        Raises:
            UnknownOperator: there is none with this id.
        """

        def work(session: Transaction) -> None:
            row = _row(session, operator_id)
            row.totp_secret, row.totp_step = secret, step
            row.recovery_hashes = msgspec.json.encode(recovery).decode()
            session.add(row)

        await self._database.change(work)

    async def use(
        self, operator_id: str, step: int | None, recovery: tuple[str, ...] | None
    ) -> bool:
        """Note that a code was used; return whether nobody was faster.

        Args:
            operator_id: whose.
            step: of a code by time.
            recovery: the hashes that are left, of a recovery code.

        Raises:
            UnknownOperator: there is none with this id.
        """

        def work(session: Transaction) -> bool:
            row = _row(session, operator_id)
            if step is not None:
                if step <= row.totp_step:
                    return False
                row.totp_step = step
            if recovery is not None:
                if len(msgspec.json.decode(row.recovery_hashes)) <= len(recovery):
                    return False
                row.recovery_hashes = msgspec.json.encode(recovery).decode()
            session.add(row)
            return True

        return await self._database.change(work)

    async def open(self, session: Session, before: str = "") -> None:
        """Keep a new session, and forget those that have ended.

        Args:
            session: the new one.
            before: the token's hash of one that it takes the place of.
        """
        now_us = to_us(self._database.clock())
        row = SessionRow(
            token_hash=session.token_hash,
            operator_id=session.operator_id,
            csrf=session.csrf,
            user_agent=session.browser,
            is_verified=session.is_verified,
            created_us=to_us(session.created_at),
            seen_us=to_us(session.seen_at),
            expires_us=to_us(session.expires_at),
        )

        def work(transaction: Transaction) -> None:
            there = transaction.get(ProviderSessionRow, before) if before else None
            if there is not None:
                there.token_hash = session.token_hash
                transaction.add(there)
            is_over = or_(col(SessionRow.expires_us) < now_us, col(SessionRow.token_hash) == before)
            transaction.exec(delete(SessionRow).where(is_over))
            transaction.add(row)
            transaction.flush()
            _forget_there(transaction)

        await self._database.change(work)

    async def session(self, token_hash: str) -> tuple[Session, Secrets] | None:
        """Return a session and whose it is; None if there is none."""

        def work(transaction: Transaction) -> tuple[Session, Secrets] | None:
            row = transaction.get(SessionRow, token_hash)
            owner = transaction.get(OperatorRow, row.operator_id) if row else None
            return (_session(row), _secrets(owner)) if row and owner else None

        return await self._database.read(work)

    async def seen(self, token_hash: str, browser: str) -> None:
        """Keep that a session is used now, and by which browser."""

        def work(transaction: Transaction) -> None:
            row = transaction.get(SessionRow, token_hash)
            if row is not None:
                row.seen_us, row.user_agent = to_us(self._database.clock()), browser
                transaction.add(row)

        await self._database.change(work)

    async def sessions_of(self, operator_id: str) -> list[Session]:
        """Return an operator's sessions, the last used first."""

        def work(transaction: Transaction) -> list[Session]:
            mine = select(SessionRow).where(SessionRow.operator_id == operator_id)
            rows = transaction.exec(mine.order_by(col(SessionRow.seen_us).desc()))
            return [_session(row) for row in rows]

        return await self._database.read(work)

    async def end(self, token_hash: str) -> None:
        """Forget a session."""
        await self._forget(col(SessionRow.token_hash) == token_hash)

    async def end_token(self, token: str) -> None:
        """Forget the session of a browser's token, whatever it is."""
        if token:
            await self.end(token_hash(token))

    async def end_all(self, operator_id: str, except_hash: str = "") -> None:
        """Forget an operator's sessions but one."""
        await self._forget(
            col(SessionRow.operator_id) == operator_id, col(SessionRow.token_hash) != except_hash
        )

    async def _forget(self, *which: ColumnElement[bool]) -> None:
        def work(transaction: Transaction) -> None:
            transaction.exec(delete(SessionRow).where(*which))
            _forget_there(transaction)

        await self._database.change(work)


def token_hash(token: str) -> str:
    """Return the hash under which a token's session is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _forget_there(transaction: Transaction) -> None:
    """Forget what the provider said at the beginning of sessions that have ended."""
    left = select(SessionRow.token_hash)
    transaction.exec(
        delete(ProviderSessionRow).where(col(ProviderSessionRow.token_hash).not_in(left))
    )


def _row(session: Transaction, operator_id: str) -> OperatorRow:
    row = session.get(OperatorRow, operator_id)
    if row is None:
        raise UnknownOperator(operator_id)
    return row


def _secrets(row: OperatorRow) -> Secrets:
    operator = msgspec.json.decode(row.record, type=Operator)
    return Secrets(
        msgspec.structs.replace(operator, has_totp=bool(row.totp_secret)),
        row.password_hash,
        row.totp_secret,
        row.totp_step,
        msgspec.json.decode(row.recovery_hashes, type=tuple[str, ...]),
    )


def _session(row: SessionRow) -> Session:
    return Session(
        row.token_hash,
        row.operator_id,
        row.csrf,
        row.user_agent,
        from_us(row.created_us),
        from_us(row.seen_us),
        from_us(row.expires_us),
        row.is_verified,
    )
