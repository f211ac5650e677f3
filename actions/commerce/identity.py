"""What is asked of the ports that find out who somebody is, and what they answer."""

from datetime import timedelta
from typing import Literal

import msgspec

from actions.commerce.requests import Request

CODE_LIFETIME = timedelta(minutes=10)
SubjectKind = Literal["conversation", "order_number", "email", "phone", "name"]
CodeState = Literal["right", "wrong", "expired", "used_up", "limited"]


class Subject(msgspec.Struct, frozen=True):
    """Something that attempts are counted for: a conversation, or what was claimed in it."""

    kind: SubjectKind
    value: str


class TryIdentity(Request, frozen=True):
    """Compare claimed facts with the shop's customers once."""

    subjects: tuple[Subject, ...]


class Admission(msgspec.Struct, frozen=True):
    """Whether an attempt may be made."""

    allowed: bool


class IssueCode(Request, frozen=True):
    """Send a one-time code to whoever has this contact, if anybody does."""

    conversation_id: str
    contact: str
    channel: Literal["email", "sms"]
    language: str


class CodeReceipt(msgspec.Struct, frozen=True):
    """How a request for a code went; the same whether or not anybody has the contact."""

    sent: bool


class CheckCode(Request, frozen=True):
    """Compare what was typed with the code that the conversation asked for."""

    conversation_id: str
    contact: str
    code: str


class CodeVerdict(msgspec.Struct, frozen=True):
    """What a typed code is worth; `customer_id` only when it is right."""

    state: CodeState
    customer_id: str = ""


def mask(contact: str) -> str:
    """Return an e-mail address or phone number with all but its ends starred."""
    name, at, host = contact.partition("@")
    if at:
        return f"{name[:1]}***@{host}"
    return f"***{contact[-3:]}"
