"""Signing in at the desk: passwords, second factors, sessions."""

import asyncio
import secrets
from datetime import timedelta

import msgspec

from desk import accounts_codes as codes
from desk.accounts_book import AccountBook, Secrets, Session, token_hash
from desk.accounts_passwords import Passwords
from desk.accounts_throttle import Throttle
from desk.books import AuditLog
from desk.database import Clock, DeskDatabase
from desk.errors import DeskError
from desk.records import Operator

IDLE = timedelta(minutes=60)
"""How long nothing may be done; what a page fetches by itself does not count."""
LONGEST = timedelta(hours=12)
FOR_THE_CODE = timedelta(minutes=5)
_NOTED_EVERY = timedelta(seconds=30)
_HASHING_AT_ONCE = 2
"""Each check of a password takes 64 MiB of memory."""
_BROWSER_CHARS = 200


class WrongSignIn(DeskError):
    """The e-mail address, the password or the code is wrong."""


class TooManyTries(DeskError):
    """Too many tries have failed; `wait_s` tells when the next one may be made."""

    def __init__(self, wait_s: float) -> None:
        """Keep the seconds to wait."""
        super().__init__()
        self.wait_s = wait_s


class Visitor(msgspec.Struct, frozen=True):
    """Where a request comes from: the address, and what the browser calls itself."""

    address: str
    browser: str


class NewSession(msgspec.Struct, frozen=True):
    """A session that was just opened, with the token that only its browser has."""

    token: str
    session: Session
    operator: Operator


class Current(msgspec.Struct, frozen=True):
    """Who is at the desk with a request."""

    operator: Operator
    session: Session


class Accounts:
    """Signs operators in and out, and knows who a token belongs to."""

    def __init__(
        self, database: DeskDatabase, passwords: Passwords, audit: AuditLog, clock: Clock
    ) -> None:
        """Keep sessions in `database`.

        Args:
            database: the desk's.
            passwords: checks them.
            audit: is told who came and who failed.
            clock: gives the present as an aware moment.
        """
        self.book = AccountBook(database)
        self.passwords = passwords
        self.throttle = Throttle(clock)
        self.clock = clock
        self._audit = audit
        self._room = asyncio.Semaphore(_HASHING_AT_ONCE)

    async def sign_in(self, email: str, password: str, visitor: Visitor) -> NewSession:
        """Open a session; it is not verified yet where a code is needed as well.

        Raises:
            TooManyTries: too many have failed for this account or from this address.
            WrongSignIn: address or password is wrong, or the account is not active.
        """
        if wait_s := self.throttle.begin(email, visitor.address):
            raise TooManyTries(wait_s)
        known = await self.book.by_email(email)
        right = await self.is_password(known.password_hash if known else "", password)
        if known is None or not right or not known.operator.is_active:
            who = known.operator.id if known else ""
            await self._audit.add(who, "sign_in_failed", address=visitor.address)
            raise WrongSignIn
        self.throttle.succeeded(email, visitor.address)
        if self.passwords.is_outdated(known.password_hash):
            await self.book.set_password(known.operator.id, await self.hashed(password))
        return await self._open(known.operator, visitor, is_verified=not known.totp_secret)

    async def confirm(self, token: str, code: str, visitor: Visitor) -> NewSession:
        """Exchange a session that waits for its code for one that is verified.

        Raises:
            TooManyTries: too many codes were wrong.
            WrongSignIn: the code is wrong, was used, or the session has ended.
        """
        found = await self.book.session(token_hash(token))
        if found is None or found[0].expires_at <= self.clock() or found[0].is_verified:
            raise WrongSignIn
        session, known = found
        if wait_s := self.throttle.begin(f"code {known.operator.id}", visitor.address):
            raise TooManyTries(wait_s)
        if not known.operator.is_active or not await self.is_code(known, code):
            await self._audit.add(known.operator.id, "code_failed", address=visitor.address)
            raise WrongSignIn
        self.throttle.succeeded(f"code {known.operator.id}", visitor.address)
        return await self._open(
            known.operator, visitor, is_verified=True, before=session.token_hash
        )

    async def vouched(self, operator_id: str, visitor: Visitor, via: str) -> NewSession:
        """Open a session for whom a provider vouches; their own code is asked for as well.

        Args:
            operator_id: whose account it is.
            visitor: where they come from.
            via: the provider.

        Raises:
            UnknownOperator: there is none with this id.
            WrongSignIn: the account is not active.
        """
        known = await self.book.by_id(operator_id)
        if not known.operator.is_active:
            raise WrongSignIn
        return await self._open(known.operator, visitor, is_verified=not known.totp_secret, via=via)

    async def who(self, token: str, visitor: Visitor, *, is_quiet: bool = False) -> Current | None:
        """Return who a token belongs to; None if nobody is signed in with it.

        Args:
            token: of the browser.
            visitor: whose other browser is noted.
            is_quiet: the page asks by itself; the session does not live longer for it.
        """
        now = self.clock()
        found = await self.book.session(token_hash(token)) if token else None
        if found is None:
            return None
        session, known = found
        is_over = session.expires_at <= now or now - session.seen_at >= IDLE
        if is_over or not session.is_verified or not known.operator.is_active:
            return None
        browser = visitor.browser[:_BROWSER_CHARS]
        if browser != session.browser:
            await self._audit.add(
                known.operator.id, "session_browser_changed",
                address=visitor.address, was=session.browser, now=browser,
            )  # fmt: skip
        is_late = now - session.seen_at >= _NOTED_EVERY and not is_quiet
        if is_late or browser != session.browser:
            await self.book.seen(session.token_hash, browser)
        return Current(known.operator, session)

    async def sign_out(self, current: Current) -> None:
        """End a session."""
        await self.book.end(current.session.token_hash)
        await self._audit.add(current.operator.id, "signed_out")

    async def sign_out_everywhere(self, operator_id: str, except_hash: str = "") -> None:
        """End all sessions of an operator but one."""
        await self.book.end_all(operator_id, except_hash)
        await self._audit.add(operator_id, "signed_out_everywhere")

    async def is_code(self, known: Secrets, code: str) -> bool:
        """Return whether a code by time or a recovery code is right, and use it up."""
        step = codes.step_of(known.totp_secret, code, self.clock(), known.step)
        left = None if step is not None else codes.without(known.recovery, code)
        if step is None and left is None:
            return False
        is_first = await self.book.use(known.operator.id, step, left)
        if is_first and left is not None:
            await self._audit.add(known.operator.id, "recovery_code_used", left=len(left))
        return is_first

    async def is_password(self, kept: str, password: str) -> bool:
        """Return whether a password is the kept one, in a thread."""
        async with self._room:
            return await asyncio.to_thread(self.passwords.is_right, kept, password)

    async def hashed(self, password: str) -> str:
        """Return a password's hash, made in a thread."""
        async with self._room:
            return await asyncio.to_thread(self.passwords.hash, password)

    async def _open(
        self,
        operator: Operator,
        visitor: Visitor,
        *,
        is_verified: bool,
        via: str = "",
        before: str = "",
    ) -> NewSession:
        token = secrets.token_urlsafe(32)
        now = self.clock()
        session = Session(
            token_hash=token_hash(token),
            operator_id=operator.id,
            csrf=secrets.token_urlsafe(24),
            browser=visitor.browser[:_BROWSER_CHARS],
            created_at=now,
            seen_at=now,
            expires_at=now + (LONGEST if is_verified else FOR_THE_CODE),
            is_verified=is_verified,
        )
        await self.book.open(session, before)
        if is_verified:
            await self._audit.add(operator.id, "signed_in", address=visitor.address, via=via)
        return NewSession(token, session, operator)
