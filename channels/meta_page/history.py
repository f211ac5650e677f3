"""Looking for a message in doubt among those that Meta shows of a conversation.

Meta shows the details of the 20 latest messages, lets an account ask twice a second, and does not
say how soon a message is shown.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec
from aiolimiter import AsyncLimiter

from channels.base import Payload
from channels.meta_page.event import id_in, object_in, objects_in
from channels.meta_page.graph import Graph
from channels.push import Doubt, TryAgain

MOST_SHOWN = 20
SETTLES_AFTER = timedelta(seconds=30)
"""How long after it was sent a message may be shown at the latest."""
CLOCKS_DIFFER = timedelta(seconds=5)
SENT_WITHIN = timedelta(seconds=90)
"""How long after it was begun a message was sent at the latest; what comes later is another's."""
_FIELDS = "id,created_time,from,message"
_MOST_KNOWN = 10_000
_S_APART = 0.55


class Shown(msgspec.Struct, frozen=True):
    """One message of a conversation.

    `created_at` is in whole seconds; `is_ours` is None where Meta does not say whose it is.
    """

    message_id: str
    created_at: datetime
    is_ours: bool | None
    text: str


class History:
    """What Meta shows of one account's conversations."""

    def __init__(self, graph: Graph, platform: str) -> None:
        """Ask over `graph`; the platform is named as in the `platform` parameter."""
        self._graph = graph
        self._platform = platform
        self._limiter = AsyncLimiter(1, _S_APART)
        self._conversations: dict[str, str] = {}

    async def find(self, doubt: Doubt, now: datetime) -> str | None:
        """Return the id of the message in doubt.

        Args:
            doubt: what was sent, to whom and when.
            now: aware UTC.

        Returns:
            the id; empty if it never got there; None if Meta does not show the conversation, or
            not as far back as the message.

        Raises:
            TryAgain: Meta may show it later, or cannot be asked now.
            SendFailed: the account may not ask.
        """
        shown = await self._shown(doubt.recipient)
        if found := found_in(shown, doubt):
            return found
        if now - doubt.since < SETTLES_AFTER:
            raise TryAgain("not_shown_yet", "the platform may show the message a little later")
        return None if is_unclear(shown, doubt) else ""

    async def _shown(self, customer: str) -> list[Shown]:
        """Return the latest messages with a customer; none if Meta shows no conversation.

        Raises:
            SendFailed: Meta did not tell.
        """
        conversation = self._conversations.get(customer) or await self._conversation(customer)
        if not conversation:
            return []
        fields = f"messages.limit({MOST_SHOWN}){{{_FIELDS}}}"
        async with self._limiter:
            answer = await self._graph.get(quote(conversation, safe=""), fields=fields)
        listed = objects_in(object_in(answer, "messages"), "data")
        return [item for fields in listed if (item := _shown_of(fields, customer))]

    async def _conversation(self, customer: str) -> str:
        """Return the id of the conversation with a customer; empty if Meta shows none.

        Raises:
            SendFailed: Meta did not tell.
        """
        async with self._limiter:
            answer = await self._graph.get(
                "me/conversations", platform=self._platform, user_id=customer
            )
        found: Sequence[Mapping[str, object]] = objects_in(answer, "data")
        conversation = id_in(found[0], "id") if found else ""
        if conversation:
            if len(self._conversations) >= _MOST_KNOWN:
                self._conversations.clear()
            self._conversations[customer] = conversation
        return conversation


def found_in(shown: Sequence[Shown], doubt: Doubt) -> str:
    """Return the id of the message in doubt among those shown; empty if it is not there."""
    ours = [
        item
        for item in _late(shown, doubt)
        if item.is_ours
        and item.message_id not in doubt.known
        and item.created_at <= doubt.since + SENT_WITHIN
        and _is_of(item, doubt.payload)
    ]
    return min(ours, key=lambda item: item.created_at).message_id if ours else ""


def is_unclear(shown: Sequence[Shown], doubt: Doubt) -> bool:
    """Return whether a message that is not found may be there all the same."""
    late = _late(shown, doubt)
    return not shown or len(late) >= MOST_SHOWN or any(item.is_ours is None for item in late)


def _late(shown: Sequence[Shown], doubt: Doubt) -> list[Shown]:
    since = doubt.since.replace(microsecond=0) - CLOCKS_DIFFER
    return [item for item in shown if item.created_at >= since]


def _shown_of(fields: Mapping[str, object], customer: str) -> Shown | None:
    message_id, created_at = id_in(fields, "id"), _moment(fields.get("created_time"))
    sender = id_in(object_in(fields, "from"), "id")
    if not (message_id and created_at):
        return None
    text = fields.get("message")
    is_ours = sender != customer if sender else None
    return Shown(message_id, created_at, is_ours, text if isinstance(text, str) else "")


def _moment(value: object) -> datetime | None:
    """Return a time that is told in ISO's form or in seconds since 1970; None if it is neither."""
    try:
        if isinstance(value, str) and not value.isdecimal():
            at = datetime.fromisoformat(value)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        return datetime.fromtimestamp(int(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _is_of(shown: Shown, payload: Payload) -> bool:
    """Return whether a message is what a payload shows.

    Of pictures and cards Meta shows other addresses than were sent: they are known by having no
    words. An empty payload is not known any more.
    """
    message = payload.get("message")
    if not isinstance(message, dict):
        return not payload
    return _plain(shown.text) in {_plain(text) for text in _words_of(message)}


def _words_of(message: Mapping[str, object]) -> Iterator[str]:
    """Yield what Meta may show as the words of a message."""
    yield str(message.get("text", ""))
    shown = object_in(object_in(message, "attachment"), "payload")
    if isinstance(text := shown.get("text"), str):
        yield text


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
