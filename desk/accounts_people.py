"""Accounts of operators: making and changing them, their passwords and their second factors."""

import re
import secrets
from typing import get_args

import msgspec

from desk import accounts_codes as codes
from desk.accounts import Accounts, Current, TooManyTries, WrongSignIn
from desk.accounts_passwords import check_strength, new_password
from desk.books import AuditLog, OperatorBook
from desk.database import Clock
from desk.errors import DeskError, UnknownOperator
from desk.records import Operator, Role

MOST_CHARS = 80
_EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}")


class BadOperator(DeskError):
    """An operator needs an e-mail address, a name of at most 80 characters and a known role."""


class LastAdmin(DeskError):
    """The desk needs at least one active administrator."""


class People:
    """Makes and changes accounts."""

    def __init__(
        self, accounts: Accounts, operators: OperatorBook, audit: AuditLog, clock: Clock
    ) -> None:
        """Change accounts in their books."""
        self._accounts = accounts
        self._operators = operators
        self._audit = audit
        self._clock = clock

    async def add(self, operator: Operator, password: str, by: str = "") -> Operator:
        """Make an account.

        Args:
            operator: with an empty id.
            password: of their choice.
            by: who makes it; empty for the command line.

        Raises:
            BadOperator: the address, the name or the role is none.
            WeakPassword: the password is easy to guess.
            EmailTaken: another operator has the address.
        """
        made = checked(operator)
        check_strength(password, made.email, made.name)
        await self._operators.add(made, await self._accounts.hashed(password))
        await self._audit.add(by, "operator_added", added=made.id, role=made.role)
        return made

    async def add_first(self, email: str, name: str, password: str, language: str) -> Operator:
        """Make the first account, an administrator's.

        Raises:
            BadOperator: the address or the name is none.
            WeakPassword: the password is easy to guess.
            NotTheFirst: there is an account already.
        """
        made = checked(Operator("", email, name, "admin", language=language))
        check_strength(password, made.email, made.name)
        await self._accounts.book.add_first(made, await self._accounts.hashed(password))
        await self._audit.add(made.id, "operator_added", added=made.id, role="admin")
        return made

    async def change(self, operator: Operator, by: str) -> Operator:
        """Keep a changed record; who is no longer active, or has another role, is signed out.

        Raises:
            BadOperator: the address, the name or the role is none.
            LastAdmin: no active administrator would be left.
            UnknownOperator: there is none with this id.
            EmailTaken: another operator has the address.
        """
        changed = checked(operator)
        before = await self._operators.get(operator.id)
        rights = (changed.role, changed.is_active, changed.areas)
        if rights != (before.role, before.is_active, before.areas):
            if before.role == "admin" and not (changed.role == "admin" and changed.is_active):
                await self._keep_an_admin(operator.id)
            await self._accounts.book.end_all(operator.id)
        await self._operators.save(changed)
        await self._audit.add(
            by, "operator_changed", changed=changed.id, role=changed.role, active=changed.is_active
        )
        return changed

    async def change_password(self, current: Current, old: str, new: str) -> None:
        """Take another password and end the other sessions.

        Raises:
            WrongSignIn: the old password is wrong.
            TooManyTries: too many were wrong.
            WeakPassword: the new one is easy to guess.
        """
        await self._reprove(current, old)
        check_strength(new, current.operator.email, current.operator.name)
        await self._accounts.book.set_password(
            current.operator.id, await self._accounts.hashed(new)
        )
        await self._accounts.book.end_all(current.operator.id, current.session.token_hash)
        await self._audit.add(current.operator.id, "password_changed")

    async def reset(self, operator_id: str, by: str) -> str:
        """Give an operator a new password and no second factor; sign them out; return it.

        Raises:
            UnknownOperator: there is none with this id.
        """
        password = new_password()
        await self._accounts.book.set_password(operator_id, await self._accounts.hashed(password))
        await self._accounts.book.set_totp(operator_id, "", 0, ())
        await self._accounts.book.end_all(operator_id)
        await self._audit.add(by, "password_reset", of=operator_id)
        return password

    async def reset_by_email(self, email: str) -> str:
        """Do the same from the command line, for whoever has an address.

        Raises:
            UnknownOperator: nobody has it.
        """
        known = await self._accounts.book.by_email(email)
        if known is None:
            raise UnknownOperator(email)
        return await self.reset(known.operator.id, "")

    async def set_up_codes(
        self, current: Current, password: str, secret: str, code: str
    ) -> tuple[str, ...]:
        """Begin to ask for codes; return the recovery codes, which are never shown again.

        Raises:
            WrongSignIn: the password, the secret or the code is wrong.
            TooManyTries: too many passwords were wrong.
        """
        await self._reprove(current, password)
        step = codes.step_of(secret, code, self._clock()) if codes.is_secret(secret) else None
        if step is None:
            raise WrongSignIn
        recovery = codes.new_recovery_codes()
        hashes = tuple(codes.recovery_hash(each) for each in recovery)
        await self._accounts.book.set_totp(current.operator.id, secret, step, hashes)
        await self._accounts.book.end_all(current.operator.id, current.session.token_hash)
        await self._audit.add(current.operator.id, "codes_set_up")
        return recovery

    async def drop_codes(self, current: Current, password: str) -> None:
        """Ask for no codes any more.

        Raises:
            WrongSignIn: the password is wrong.
            TooManyTries: too many were wrong.
        """
        await self._reprove(current, password)
        await self._accounts.book.set_totp(current.operator.id, "", 0, ())
        await self._audit.add(current.operator.id, "codes_dropped")

    async def _reprove(self, current: Current, password: str) -> None:
        """Ask for the password again; wrong ones count as tries.

        Raises:
            WrongSignIn: it is wrong.
            TooManyTries: too many were.
        """
        name = f"again {current.operator.id}"
        if wait_s := self._accounts.throttle.begin(name, name):
            raise TooManyTries(wait_s)
        known = await self._accounts.book.by_id(current.operator.id)
        if not await self._accounts.is_password(known.password_hash, password):
            raise WrongSignIn
        self._accounts.throttle.succeeded(name, name)

    async def _keep_an_admin(self, besides: str) -> None:
        everybody = await self._operators.all()
        if not any(o.role == "admin" and o.is_active and o.id != besides for o in everybody):
            raise LastAdmin


def checked(operator: Operator) -> Operator:
    """Return the record as it is kept.

    Raises:
        BadOperator: the address, the name or the role is none.
    """
    email, name = operator.email.strip().lower(), " ".join(operator.name.split())
    is_shown = name.isprintable() and 0 < len(name) <= MOST_CHARS
    if not _EMAIL.fullmatch(email) or not is_shown or operator.role not in get_args(Role):
        raise BadOperator
    made_up = f"op-{secrets.token_hex(6)}"
    return msgspec.structs.replace(operator, id=operator.id or made_up, email=email, name=name)
