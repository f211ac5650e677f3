"""One customer, many channels: a sender joins a conversation that began elsewhere, after proof.

Proof is a one-time code that the conversation showed and the sender presents on the other channel,
typed, spoken, or with a link that types it for them.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec
import structlog

from actions.channel_links import ChannelLinks, LinkCode
from bot.messages import InboundMessage, Trigger
from bot.storage.channel_ports import Contacts

CODE_MINUTES = 10
MAX_TRIES = 5
TRIES_WITHIN_S = 3600.0
KNOWN_SENDERS = 10_000
LINKED_FLOW = "pattern_linked"
_CODE = re.compile(
    r"\W*(?:/start\s+)?(?:link|code|verbinden|weiter|continue)?\W*(\d{4})[\s.,–-]{0,3}(\d{4})\W*",
    re.IGNORECASE,
)
log = structlog.get_logger(__name__)


class Linking(ChannelLinks):
    """Makes codes, and takes them."""

    def __init__(
        self,
        contacts: Contacts,
        clock: Callable[[], datetime],
        addresses: Mapping[str, str] | None = None,
        new_code: Callable[[], str] = lambda: f"{secrets.randbelow(10**8):08}",
    ) -> None:
        """Keep codes and links in `contacts`.

        Args:
            contacts: who is in which conversation.
            clock: gives the present as an aware moment.
            addresses: by channel, an address that opens it with the text `{text}` written.
            new_code: makes a code of eight digits.
        """
        self._contacts = contacts
        self._clock = clock
        self._addresses = addresses or {}
        self._new_code = new_code
        self._tries: dict[tuple[str, str], list[float]] = {}

    async def offer(self, conversation_id: str) -> LinkCode:
        """Return a new code for a conversation; an older one stops being good.

        Raises:
            StorageError: it could not be kept.
        """
        code = self._new_code()
        until = self._clock() + timedelta(minutes=CODE_MINUTES)
        await self._contacts.offer(_hashed(code), conversation_id, until)
        urls = {name: url.format(text=f"Code%20{code}") for name, url in self._addresses.items()}
        return LinkCode(f"{code[:4]} {code[4:]}", CODE_MINUTES, urls)

    async def claimed(self, message: InboundMessage) -> InboundMessage:
        """Return the message as it joins the conversation whose code it presents.

        Any other message comes back as it is, and so does a wrong code: it is words like any.

        Raises:
            StorageError: it could not be looked up; it may be asked again.
        """
        match = _CODE.fullmatch(message.text) if len(message.text) < 40 else None
        if match is None or message.signal or message.trigger is not None:
            return message
        if not self._may_try(message.channel, message.sender_id):
            log.warning("too_many_link_codes", channel=message.channel)
            return message
        contact = await self._contacts.get(message.channel, message.sender_id)
        before = contact.conversation
        code = "".join(match.groups())
        joined = await self._contacts.redeem(
            _hashed(code), message.channel, message.sender_id, self._clock()
        )
        if not joined:
            return message
        self._tries.pop((message.channel, message.sender_id), None)
        log.info("channel_linked", channel=message.channel, again=bool(before))
        trigger = Trigger(LINKED_FLOW, {"to": message.channel, "began": joined.partition(":")[0]})
        return msgspec.structs.replace(message, text="", conversation=joined, trigger=trigger)

    async def part(self, conversation_id: str, channel: str) -> bool:
        """Give who joined a conversation from a channel their own again; False if nobody had.

        Raises:
            StorageError: it could not be kept.
        """
        known = await self._contacts.of_conversation(conversation_id)
        joined = [item for item in known if item.channel == channel and item.conversation]
        for contact in joined:
            alone = msgspec.structs.replace(contact, conversation="", linked_at=None)
            await self._contacts.save(alone)
        return bool(joined)

    def _may_try(self, channel: str, sender_id: str) -> bool:
        now = time.monotonic()
        tries = [t for t in self._tries.get((channel, sender_id), []) if now - t < TRIES_WITHIN_S]
        if len(tries) >= MAX_TRIES:
            return False
        self._tries[channel, sender_id] = [*tries, now]
        while len(self._tries) > KNOWN_SENDERS:
            self._tries.pop(next(iter(self._tries)))
        return True


def _hashed(code: str) -> str:
    return hashlib.sha256(f"tresen link {code}".encode()).hexdigest()
