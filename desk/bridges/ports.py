"""The port that every other desk fills, and the words that go both ways.

What goes out may be sent again after a crash or a lost answer: each call has a `key` that stays the
same, and `again` says that it may have arrived already.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

import httpx
import msgspec

from bot.messages import Attachment
from desk.bridges.words import Language
from desk.errors import DeskError
from desk.records import Case
from desk.summary import Summary
from desk.transcript_records import Message, Transcript

Kind = Literal["reply", "assigned", "closed", "gave_back"]
Why = Literal["taken", "not_delivered", "file_left_out", "nothing_found"]
"""What the people there are told beside what the customer says."""
MOST_BYTES = 1_000_000
TOLERANCE_S = 300
"""How far the time that a webhook names may be from ours."""


class BridgeError(DeskError):
    """The other desk did not do it."""


class TryLater(BridgeError):
    """The other desk may do it later, and perhaps has done it already.

    Args:
        code: what it said, nothing personal.
        after_s: how long it asks to be left alone; 0 where it does not say.
    """

    def __init__(self, code: str, after_s: float = 0.0) -> None:
        """Say why, and when to come again."""
        super().__init__(code)
        self.code = code
        self.after_s = after_s


class RefusedThere(BridgeError):
    """The other desk will never do it."""

    def __init__(self, code: str) -> None:
        """Say what it said, nothing personal."""
        super().__init__(code)
        self.code = code


class Unverified(BridgeError):
    """The request does not prove that it comes from the other desk."""


class BadWebhook(BridgeError):
    """The request is not what the other desk documents."""


class BridgeContext(msgspec.Struct, frozen=True):
    """What every bridge is given beside its own settings.

    Args:
        language: of what people there read from us.
        shop_name: whose customers these are.
        desk_url: where our own desk shows cases; empty where no address is known.
        clock: gives the present as an aware moment.
        transport: how requests leave; None for the network.
    """

    language: Language
    shop_name: str
    desk_url: str
    clock: Callable[[], datetime]
    transport: httpx.AsyncBaseTransport | None = None


class Opening(msgspec.Struct, frozen=True):
    """A case that goes to the other desk, with the whole story.

    `said` is what the customer said last before; empty where that was nothing in words.
    """

    key: str
    again: bool
    case: Case
    summary: Summary
    transcript: Transcript
    said: str = ""


class Line(msgspec.Struct, frozen=True):
    """Something that was said after the case had gone there.

    What the customer says is theirs; what an operator of our own desk says is shown as a note.
    """

    key: str
    again: bool
    case: Case
    message: Message


class Remark(msgspec.Struct, frozen=True):
    """Something the people there should know; `name` is of an operator at our own desk."""

    key: str
    again: bool
    case: Case
    why: Why
    name: str = ""


class Ending(msgspec.Struct, frozen=True):
    """A case that ended without the other desk: `state` says who has the conversation now."""

    key: str
    again: bool
    case: Case
    state: Literal["bot", "closed"]


class Arrived(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that a person did at the other desk.

    `id` is its own id there: the same thing told twice has the same. `operator` and `name` are
    empty where it does not say who. `left_out` counts files that cannot be handed on, `is_empty`
    says that no words were found in what came. `order` is the other desk's own among what was said
    at the same time; 0 where it has none.
    """

    id: str
    kind: Kind
    remote_id: str
    operator: str = ""
    name: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    left_out: int = 0
    is_empty: bool = False
    at: datetime | None = None
    order: int = 0


class WebhookCall(msgspec.Struct, frozen=True):
    """A request from the other desk: header names in lower case, the body as it came."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


class Bridge(ABC):
    """Another desk at which people serve our customers."""

    name: str
    """What its operators' ids begin with: lower-case letters."""

    @abstractmethod
    async def open(self, opening: Opening) -> str:
        """Open a case there and return its id there.

        Raises:
            TryLater: not now; it may be open already.
            RefusedThere: never.
        """

    @abstractmethod
    async def tell(self, remote_id: str, told: Line | Remark) -> None:
        """Add what was said, or a remark that customers do not see.

        Raises:
            TryLater: not now; it may be there already.
            RefusedThere: never.
        """

    @abstractmethod
    async def end(self, remote_id: str, ending: Ending) -> None:
        """Say that nobody is needed there any more.

        Raises:
            TryLater: not now; it may be known already.
            RefusedThere: never.
        """

    @abstractmethod
    def parse(self, call: WebhookCall) -> Sequence[Arrived]:
        """Check a request's proof of origin on its raw body, and return what people did.

        What we did ourselves, and what customers must not see, is left out.

        Raises:
            Unverified: the proof is missing, wrong or too old.
            BadWebhook: it is not what the other desk documents.
        """

    async def missed(self, remote_id: str) -> Sequence[Arrived]:
        """Return people's latest replies in a case, in case that their webhooks got lost.

        Each has the id that its webhook would have had.

        Raises:
            TryLater: not now.
            RefusedThere: never.
        """
        del remote_id
        return ()

    def most_bytes(self, headers: Mapping[str, str]) -> int:
        """Return how long the body of a request with these headers may be."""
        del headers
        return MOST_BYTES

    async def close(self) -> None:  # noqa: B027 - not every bridge holds connections
        """Let go of connections."""


def reference(case_id: str) -> str:
    """Return what people call a case by; unlike its id it holds nothing of the customer."""
    return sha256(case_id.encode()).hexdigest()[:10].upper()


def is_fresh(stamp: float, now: datetime) -> bool:
    """Return whether a webhook's time, in seconds since 1970, is near enough to ours."""
    return abs(now.timestamp() - stamp) <= TOLERANCE_S


def moment(value: object) -> datetime | None:
    """Return a time as platforms write it, ISO 8601 or seconds since 1970; None for none."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and value:
            found = datetime.fromisoformat(value.replace(" UTC", "+00:00"))
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
