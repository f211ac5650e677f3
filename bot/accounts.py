"""Linked accounts: which of the requests under way bring proof of a customer's account.

The proof, a token, stays in memory and only while its request is answered; it is looked up when an
action needs to know who the customer is, and not before.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from actions.accounts import LinkedAccounts
from actions.channel_links import End
from bot.messages import InboundMessage

LookUp: TypeAlias = Callable[[], Awaitable[str]]


class Accounts(LinkedAccounts):
    """The accounts of the requests under way."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lookups: dict[tuple[str, str], LookUp] = {}

    def heard(self, messages: Iterable[InboundMessage], look_up: LookUp) -> None:
        """Take note that these messages came with an account, whose e-mail `look_up` returns."""
        for message in messages:
            self._lookups[message.channel, message.message_id] = look_up

    def answered(self, messages: Iterable[InboundMessage]) -> None:
        """Forget what came with these messages."""
        for message in messages:
            self._lookups.pop((message.channel, message.message_id), None)

    async def email_of(self, end: End) -> str:
        """Return the verified e-mail address of the account behind a message, empty if none."""
        look_up = self._lookups.get((end.channel, end.message_id))
        return await look_up() if look_up is not None else ""
