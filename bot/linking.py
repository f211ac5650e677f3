"""One customer, many channels: a sender joins a conversation that began elsewhere, after proof.

Proof is a one-time code that the conversation showed and the sender presents on the other channel,
typed, spoken, or with a link that types it for them. The sender is told what the code does and
joins only with their yes: whoever was talked into sending somebody else's code can still say no.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from actions.channel_links import ChannelLinks, End, LinkCode, Parted
from bot.messages import Contact, InboundMessage, OutboundMessage, Trigger, happened
from bot.recipients import JOINED_FLOW
from bot.storage.channel_ports import Contacts
from bot.storage.ports import Accepted

SHOWS_ALL = "webchat"
"""The channel that shows the whole conversation that its sender is in, and no other."""
CODE_MINUTES = 10
MAX_TRIES = 5
MOST_WRONG = 100
"""With more wrong codes on one channel within TRIES_WITHIN_S, somebody is guessing there."""
TRIES_WITHIN_S = 3600.0
KNOWN_SENDERS = 10_000
OFFERED_FLOW = "pattern_link_offered"
LINKED_FLOW = "pattern_linked"
PARTED_FLOW = "pattern_parted"
JOINING = "utter_joining"
"""What who agreed to join is told before the conversation that they joined goes on."""
_CODE = re.compile(
    r"\W*(?:/start\s+)?(?:link|code|verbinden|weiter|continue)?\W*(\d{4})[\s.,–-]{0,3}(\d{4})\W*",
    re.IGNORECASE,
)
log = structlog.get_logger(__name__)

Accept = Callable[[Sequence[InboundMessage]], Awaitable[list[Accepted]]]


async def _unknown(conversation_id: str) -> str:
    del conversation_id
    return ""


class Linking(ChannelLinks):
    """Makes codes, and takes them."""

    def __init__(
        self,
        contacts: Contacts,
        clock: Callable[[], datetime],
        addresses: Mapping[str, str] | None = None,
        new_code: Callable[[], str] = lambda: f"{secrets.randbelow(10**8):08}",
        language_of: Callable[[str], Awaitable[str]] = _unknown,
    ) -> None:
        """Keep codes and links in `contacts`.

        Args:
            contacts: who is in which conversation.
            clock: gives the present as an aware moment.
            addresses: by channel, an address that opens it with the text `{text}` written.
            new_code: makes a code of eight digits.
            language_of: returns the language of a conversation, empty while it is not known.
        """
        self._contacts = contacts
        self._clock = clock
        self._addresses = addresses or {}
        self._new_code = new_code
        self._language_of = language_of
        self._guesses = _Guesses()
        self._accept: list[Accept] = []

    def on_join(self, accept: Accept) -> None:
        """Have `accept`, the dispatcher's queue, take what is to be said when somebody joined."""
        self._accept.append(accept)

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
        """Return a message that presents a code as what asks its sender whether to join.

        Nothing is used up or changed yet. Any other message comes back as it is, and so does a
        wrong code, or one of the conversation that the sender is in: it is words like any.

        Raises:
            StorageError: it could not be looked up; it may be asked again.
        """
        match = _CODE.fullmatch(message.text) if len(message.text) < 40 else None
        if match is None or message.signal or message.trigger is not None:
            return message
        if not self._guesses.may_try(message.channel, message.sender_id):
            return message
        code = _hashed("".join(match.groups()))
        found = await self._contacts.opens(code, self._clock())
        if not found:
            self._guesses.wrong(message.channel)
            return message
        self._guesses.right(message.channel, message.sender_id)
        contact = await self._contacts.get(message.channel, message.sender_id)
        if found == (contact.conversation or message.conversation_id):
            return message
        slots = {
            "code": code,
            "began": found.partition(":")[0],
            "presenter": f"{message.channel}:{message.sender_id}",
        }
        language = await self._language_of(found)
        metadata = {**message.metadata, **({"language": language} if language else {})}
        trigger = Trigger(OFFERED_FLOW, slots)
        return msgspec.structs.replace(message, text="", trigger=trigger, metadata=metadata)

    async def join(self, code: str, end: End) -> bool:
        """Let the sender who presented a code join its conversation; False if it is not good.

        What is said there, at both ends, is put in the queue of that conversation. A turn that is
        run again comes to the same.

        Raises:
            StorageError: it could not be kept; it may be asked again.
        """
        now = self._clock()
        joined = await self._contacts.redeem(code, end.channel, end.sender_id, now)
        contact = await self._contacts.get(end.channel, end.sender_id)
        if not joined and contact.conversation != end.conversation_id:
            joined = contact.conversation  # an earlier try of this turn came as far
        if not joined:
            return False
        log.info("channel_linked", channel=end.channel)
        told = Trigger(JOINED_FLOW, {"to": end.channel})
        messages = [happened(joined, f"joined:{end.message_id}", told, now)]
        messages.append(_linked(contact, joined, end.message_id, now))
        await self._put(messages)
        return True

    async def followed(
        self, message: InboundMessage, said: Iterable[OutboundMessage]
    ) -> InboundMessage | None:
        """Return what a message that made its sender join left to be answered in the other queue.

        Args:
            message: as it came.
            said: what it was answered, which tells whether its sender joined.

        Raises:
            StorageError: it could not be looked up.
        """
        if not any(answer.response == JOINING for answer in said):
            return None
        contact = await self._contacts.get(message.channel, message.sender_id)
        if not contact.conversation or contact.linked_at is None:
            return None
        return _linked(contact, contact.conversation, message.message_id, contact.linked_at)

    async def part(self, end: End) -> Parted:
        """Give who joined a conversation their own again: the one who asks, or all others.

        Where the conversation began all others are parted, and its open code is no longer good.
        Who is shown nothing of it from then on is told so where they are then.

        Raises:
            StorageError: it could not be kept.
        """
        known = await self._contacts.of_conversation(end.conversation_id)
        joined = [contact for contact in known if contact.conversation]
        began_here = end.conversation_id == f"{end.channel}:{end.sender_id}"
        own = (c for c in joined if (c.channel, c.sender_id) == (end.channel, end.sender_id))
        leaving = joined if began_here else [next(own, Contact(end.channel, end.sender_id))]
        for contact in leaving:
            alone = msgspec.structs.replace(contact, conversation="", linked_at=None)
            await self._contacts.save(alone)
        shown = (contact for contact in leaving if contact.channel == SHOWS_ALL)
        await self._put([_parted(contact, end.message_id, self._clock()) for contact in shown])
        if not began_here:
            return "here"
        await self._contacts.offer(
            _hashed(secrets.token_hex()), end.conversation_id, self._clock() - timedelta(days=1)
        )
        return "others" if joined else ""

    async def _put(self, messages: Sequence[InboundMessage]) -> None:
        """Put what is to be said into the queues of its conversations."""
        for accept in self._accept:
            await accept(messages)


class _Guesses:
    """Counts codes that are presented, in memory: of each sender all, of a channel the wrong."""

    def __init__(self) -> None:
        self._tries: dict[tuple[str, str], list[float]] = {}
        self._wrong: dict[str, list[float]] = {}

    def may_try(self, channel: str, sender_id: str) -> bool:
        """Return whether a code of a sender is looked at, and count it."""
        now = time.monotonic()
        wrong = self._wrong[channel] = _recent(self._wrong.get(channel, []), now)
        if len(wrong) >= MOST_WRONG:
            log.warning("link_codes_are_guessed", channel=channel, wrong=len(wrong))
            return False
        tries = _recent(self._tries.get((channel, sender_id), []), now)
        if len(tries) >= MAX_TRIES:
            log.warning("too_many_link_codes", channel=channel)
            return False
        self._tries[channel, sender_id] = [*tries, now]
        while len(self._tries) > KNOWN_SENDERS:
            self._tries.pop(next(iter(self._tries)))
        return True

    def wrong(self, channel: str) -> None:
        """Count a code that was not good."""
        self._wrong.setdefault(channel, []).append(time.monotonic())

    def right(self, channel: str, sender_id: str) -> None:
        """Forget the tries of a sender whose code was good."""
        self._tries.pop((channel, sender_id), None)


def _recent(moments: Sequence[float], now: float) -> list[float]:
    return [moment for moment in moments if now - moment < TRIES_WITHIN_S]


def _linked(contact: Contact, joined: str, message_id: str, at: datetime) -> InboundMessage:
    """Return what goes on in a conversation for who joined it by a message, at their own end."""
    trigger = Trigger(LINKED_FLOW, {"to": contact.channel, "began": joined.partition(":")[0]})
    return InboundMessage(
        contact.channel,
        contact.sender_id,
        f"{message_id}\x1flinked",
        "",
        at,
        trigger=trigger,
        conversation=joined,
    )


def _parted(contact: Contact, message_id: str, at: datetime) -> InboundMessage:
    """Return what is said in the own conversation of who was parted, which they see again."""
    own = f"{contact.channel}:{contact.sender_id}"
    name = f"parted:{contact.channel}:{contact.sender_id}:{message_id}"
    return happened(own, name, Trigger(PARTED_FLOW), at)


def _hashed(code: str) -> str:
    return hashlib.sha256(f"tresen link {code}".encode()).hexdigest()
