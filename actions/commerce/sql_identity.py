"""One-time codes and the limits on guessing in the demo shop's tables."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import msgspec
from sqlmodel import Session, col, delete

from actions.commerce.identity import (
    CODE_LIFETIME,
    Admission,
    CheckCode,
    CodeReceipt,
    CodeVerdict,
    IssueCode,
    Subject,
    TryIdentity,
)
from actions.commerce.ports import Customers, IdentityGuard, OneTimeCodes
from actions.commerce.requests import CustomerFacts, SendMessage
from actions.commerce.spelling import plain_key
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_service import put_into_outbox
from actions.commerce.sql_tables import AttemptsRow, CodeRow

CODE_TRIES = 3
CODE_TEXTS = {
    "en": ("Your code", "Your code is {code}. It is valid for 10 minutes. Tell it to nobody else."),
    "de": (
        "Ihr Code",
        "Ihr Code lautet {code}. Er gilt 10 Minuten. Geben Sie ihn an niemanden weiter.",
    ),
}
_KEPT = timedelta(days=1)


class Limit(msgspec.Struct, frozen=True):
    """So many attempts within a time, then a pause after the last one."""

    name: str
    most: int
    within: timedelta
    pause: timedelta


GUESSES = Limit("guess", 5, timedelta(hours=1), timedelta(minutes=30))
CODES_TRIED = Limit("code_tried", 5, timedelta(hours=1), timedelta(hours=1))
CODES_SENT = Limit("code_sent", 3, timedelta(hours=1), timedelta(hours=1))
CODES_ASKED = Limit("code_asked", 6, timedelta(hours=1), timedelta(hours=1))
"""Codes of one conversation, over all contacts it names."""


class SqlIdentityGuard(IdentityGuard):
    """Attempts counted in a table, so that neither a new question nor a restart resets them."""

    def __init__(self, database: ShopDatabase) -> None:
        """Count in `database`."""
        self._database = database

    async def attempt(self, request: TryIdentity, key: str) -> bool:
        """Count an attempt for every subject unless one is locked; return if it may be made."""

        def work(session: Session) -> Admission:
            now = self._database.clock()
            limited = [(GUESSES, subject) for subject in request.subjects]
            return Admission(_admit(session, limited, now))

        return (await self._database.once(key, request, Admission, work)).allowed

    async def succeeded(self, request: TryIdentity, key: str) -> None:
        """Take the attempt back, and forget all those of the conversation."""

        def work(session: Session) -> Admission:
            for subject in request.subjects:
                row = session.get(AttemptsRow, _counted(GUESSES, subject))
                if row is not None:
                    row.count = 0 if subject.kind == "conversation" else max(0, row.count - 1)
                    session.add(row)
            return Admission(allowed=True)

        await self._database.once(key, request, Admission, work)

    async def locked_until(self, subjects: tuple[Subject, ...]) -> datetime | None:
        """Return when the last of the subjects' locks ends, None when none is locked."""

        def work(session: Session) -> datetime | None:
            now = self._database.clock()
            ends = [_closed_until(session, GUESSES, subject, now) for subject in subjects]
            return max((end for end in ends if end), default=None)

        return await self._database.read(work)


class SqlOneTimeCodes(OneTimeCodes):
    """Codes whose hashes are kept for ten minutes, one per conversation and contact."""

    def __init__(self, database: ShopDatabase, customers: Customers) -> None:
        """Keep codes in `database`, send them through its outbox to `customers`."""
        self._database = database
        self._customers = customers

    async def issue(self, request: IssueCode, key: str) -> CodeReceipt:
        """Send a fresh code if somebody has the contact; keep one that nobody knows if not."""
        wanted = _facts(request)
        found = await self._customers.find(wanted)
        customer = found[0] if len(found) == 1 else None

        def work(session: Session) -> CodeReceipt:
            now = self._database.clock()
            contact = _subject(request)
            asking = Subject("conversation", request.conversation_id)
            if not _admit(session, [(CODES_SENT, contact), (CODES_ASKED, asking)], now):
                return CodeReceipt(sent=False)
            _tidy(session, now)
            code = f"{secrets.randbelow(1_000_000):06d}"
            row_id = _row_id(request)
            row = session.get(CodeRow, row_id) or CodeRow(
                id=row_id, customer_id="", digest="", expires_at="", tries_left=0
            )
            row.customer_id = customer.id if customer else ""
            row.digest = _digest(row_id, code)
            row.expires_at = (now + CODE_LIFETIME).isoformat()
            row.tries_left = CODE_TRIES
            session.add(row)
            if customer is not None:
                to = customer.email if request.channel == "email" else customer.phone
                subject, body = CODE_TEXTS.get(request.language, CODE_TEXTS["en"])
                message = SendMessage(request.channel, to, subject, body.format(code=code))
                put_into_outbox(self._database, session, message)
            return CodeReceipt(sent=True)

        return await self._database.once(key, request, CodeReceipt, work)

    async def check(self, request: CheckCode, key: str) -> CodeVerdict:
        """Accept the code once, from the conversation that asked for it."""

        def work(session: Session) -> CodeVerdict:
            now = self._database.clock()
            row = session.get(CodeRow, _row_id(request))
            if row is None or now > datetime.fromisoformat(row.expires_at):
                return CodeVerdict("expired")
            if row.tries_left <= 0:
                return CodeVerdict("used_up")
            contact = _subject(request)
            if not _admit(session, [(CODES_TRIED, contact)], now):
                return CodeVerdict("limited")
            digest = _digest(row.id, request.code.strip())
            if hmac.compare_digest(row.digest, digest) and row.customer_id:
                session.delete(row)
                _forget(session, CODES_TRIED, contact)
                return CodeVerdict("right", row.customer_id)
            row.tries_left -= 1
            session.add(row)
            return CodeVerdict("wrong" if row.tries_left else "used_up")

        return await self._database.once(key, request, CodeVerdict, work)


def _admit(session: Session, limited: list[tuple[Limit, Subject]], now: datetime) -> bool:
    """Count one attempt under each limit unless one of them is reached."""
    if any(_closed_until(session, limit, subject, now) for limit, subject in limited):
        return False
    for limit, subject in limited:
        counted = _counted(limit, subject)
        row = session.get(AttemptsRow, counted)
        if row is None:
            row = AttemptsRow(id=counted, count=0, first_at=now.isoformat(), last_at="")
        elif row.count >= limit.most or now - datetime.fromisoformat(row.first_at) > limit.within:
            row.count, row.first_at = 0, now.isoformat()
        row.count += 1
        row.last_at = now.isoformat()
        session.add(row)
    return True


def _closed_until(
    session: Session, limit: Limit, subject: Subject, now: datetime
) -> datetime | None:
    row = session.get(AttemptsRow, _counted(limit, subject))
    if row is None or row.count < limit.most:
        return None
    end = datetime.fromisoformat(row.last_at) + limit.pause
    return end if end > now else None


def _forget(session: Session, limit: Limit, subject: Subject) -> None:
    row = session.get(AttemptsRow, _counted(limit, subject))
    if row is not None:
        session.delete(row)


def _tidy(session: Session, now: datetime) -> None:
    """Drop codes and counts that no longer matter."""
    old = (now - _KEPT).isoformat()
    session.exec(delete(CodeRow).where(col(CodeRow.expires_at) < old))
    session.exec(delete(AttemptsRow).where(col(AttemptsRow.last_at) < old))


def _counted(limit: Limit, subject: Subject) -> str:
    """Return the hash that a subject is counted under, however it was written."""
    value = subject.value.strip().casefold()
    if subject.kind in {"order_number", "name", "phone"}:
        value = plain_key(value) or value
    return hashlib.sha256(f"{limit.name}:{subject.kind}:{value}".encode()).hexdigest()


def _subject(request: IssueCode | CheckCode) -> Subject:
    return Subject("email" if "@" in request.contact else "phone", request.contact)


def _facts(request: IssueCode) -> CustomerFacts:
    if request.channel == "email":
        return CustomerFacts(email=request.contact)
    return CustomerFacts(phone=request.contact)


def _row_id(request: IssueCode | CheckCode) -> str:
    asked = msgspec.json.encode([request.conversation_id, request.contact.strip().casefold()])
    return hashlib.sha256(asked).hexdigest()


def _digest(row_id: str, code: str) -> str:
    return hashlib.sha256(f"{row_id}:{code}".encode()).hexdigest()
