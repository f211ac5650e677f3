"""Channels whose platform is called to deliver: what they add to the port, and their limits."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from bot.messages import Contact, Incoming, OutboundMessage, utc_now
from channels.base import Channel, ChannelError, Payload, Reply, WebhookRequest

T = TypeVar("T")
Verdict: TypeAlias = Literal["hold", "retry", "give_up"]


class ChannelLimits(msgspec.Struct, frozen=True):
    """What a platform's message may hold; 0 where it cannot hold such a thing at all.

    Lengths are in characters as the platform counts them, rates in messages per second over all
    recipients. `window_h`: how many hours after a customer's last message free text is taken.
    `in_flight`: how many payloads may be on their way at the same moment; few where nobody tells
    what became of them, for each of these is sent again when the process is killed.
    """

    text_chars: int
    buttons: int = 0
    button_chars: int = 0
    cards: int = 0
    card_title_chars: int = 0
    card_subtitle_chars: int = 0
    caption_chars: int = 0
    per_second: float = 20.0
    window_h: int = 0
    in_flight: int = 50


class ChannelContext(msgspec.Struct, frozen=True):
    """What every channel is given beside its own settings.

    `public_url` is where the platform reaches this server, without a slash at the end.
    """

    public_url: str
    languages: Sequence[str] = ("de", "en")
    clock: Callable[[], datetime] = utc_now


class MediaFile(msgspec.Struct, frozen=True):
    """A file fetched from a platform: its bytes, and what the platform says it is."""

    body: bytes
    mime_type: str = ""
    name: str = ""


class Doubt(msgspec.Struct, frozen=True):
    """A payload of which nobody knows whether it arrived.

    `reference` and `payload` are those of `send`; the payload is empty where it cannot be rendered
    any more. `recipient` is the customer's sender id. `since`: when it was sent at the earliest.
    `known`: the platform's ids of other payloads to this customer, which it cannot be.
    """

    reference: str
    payload: Payload
    recipient: str
    since: datetime
    known: frozenset[str] = frozenset()


class SettingsInvalid(ValueError):
    """The channel's settings in endpoints.yml are wrong."""


class SendFailed(ChannelError):
    """The platform did not take the message."""

    status = 502

    def __init__(self, code: str = "", problem: str = "") -> None:
        """Say what the platform answered.

        Args:
            code: the platform's own error code, or the HTTP status.
            problem: what it means, without anything personal.
        """
        super().__init__(problem or code or str(self.__doc__))
        self.code = code


class TryAgain(SendFailed):
    """The platform cannot take the message now; nothing was delivered."""

    def __init__(self, code: str = "", problem: str = "", retry_after_s: float = 0) -> None:
        """Say what the platform answered, and how long it asks to wait (0: it does not say)."""
        super().__init__(code, problem)
        self.retry_after_s = retry_after_s


class InDoubt(SendFailed):
    """The platform may or may not have taken the message: no answer, or none that can be read."""


class Undeliverable(SendFailed):
    """The platform will never take this message for this recipient."""


class WindowClosed(Undeliverable):
    """The customer wrote too long ago for a free message; it waits until they write again."""


class PushChannel(Channel):
    """A channel whose platform is called to deliver, rather than answered.

    The four abstract methods are all that a new channel needs.
    """

    limits: ChannelLimits
    #: Whether `Receipt`s of this platform carry the reference we sent, so that doubt is settled.
    tells_reference = False

    @abstractmethod
    def parse(self, request: WebhookRequest) -> Sequence[Incoming]:
        """Return everything a verified request tells, in the platform's order; pure.

        What is not understood is returned as a message with the signal `unsupported`, or as a
        note when it is nobody's message: nothing is dropped.

        Raises:
            BadRequest: if the body is not what the platform documents; names the field.
        """

    @abstractmethod
    async def send(self, payload: Payload, reference: str) -> str:
        """Deliver one rendered payload and return the id that the platform gave it.

        Args:
            payload: one of the payloads that `render` returned.
            reference: names this payload of this message; handed to the platform where it takes
                such a thing, so that its receipts, echoes or lists tell whether it got there.

        Raises:
            TryAgain: nothing was delivered; the same payload may be sent later.
            InDoubt: it may have been delivered.
            Undeliverable: it never will be.
        """

    def reply(self, request: WebhookRequest) -> Reply:
        """Return what the platform is answered after the request was verified and taken; pure.

        A platform that checks the address with GET gets its challenge here.
        """
        del request
        return Reply()

    def admit(self, outbound: OutboundMessage, contact: Contact, now: datetime) -> OutboundMessage:
        """Return the message as it may be sent to this contact at this moment; pure.

        Args:
            outbound: what the bot wants to say.
            contact: what is known of the recipient: the last message, opt-out.
            now: aware UTC.

        Raises:
            WindowClosed: only a template may be sent now, and there is none for this message.
            Undeliverable: the recipient wants no messages.
        """
        del contact, now
        return outbound

    async def settle(self, doubt: Doubt) -> str | None:
        """Ask the platform whether a payload in doubt got there.

        Returns:
            the platform's id; an empty string if it never got there; None if the platform
            cannot be asked.

        Raises:
            TryAgain: it may tell later.
        """
        del doubt
        return None

    def verdict(self, code: str) -> Verdict:
        """Return what becomes of a message that was taken and then reported as failed; pure.

        Args:
            code: the platform's, of the receipt.

        Returns:
            `hold`: it waits until the customer writes; `retry`: it is sent again after a while;
            `give_up`: it is lost.
        """
        del code
        return "give_up"

    async def fetch_media(self, reference: str, limit_bytes: int) -> MediaFile:
        """Fetch a file that `parse` named in an attachment's url as `media:REFERENCE`.

        Raises:
            TryAgain: the platform cannot give it now.
            Undeliverable: it is gone, too large, or not this channel's.
        """
        del reference, limit_bytes
        raise Undeliverable("no_media", "this channel brings no files")

    async def show_typing(self, recipient: str, message_id: str) -> None:
        """Tell the customer that their message was seen and an answer is being written.

        Args:
            recipient: the sender id of the customer.
            message_id: the message that is being answered.

        Raises:
            SendFailed: the platform did not take it; nobody tries again.
        """
        del recipient, message_id

    async def register(self, url: str, *, dry_run: bool = False) -> list[str]:
        """Tell the platform where to deliver, and whatever else its API lets us set up.

        What is right already is left as it is, so it may be done again at any time.

        Args:
            url: the public address of the channel's webhook.
            dry_run: only look, and say what would be done.

        Returns:
            for a person, a line for each thing that was done, is right, or is left to do by hand.

        Raises:
            SendFailed: the platform did not take it, or cannot be asked.
        """
        del dry_run
        return [f"by hand: enter {url} as the webhook's address at the platform"]

    async def close(self) -> None:
        """Let go of connections."""


def read_settings(channel: str, settings: Mapping[str, Any], kind: type[T]) -> T:
    """Return a channel's settings as its own struct.

    Args:
        channel: its name in endpoints.yml, for the error text.
        settings: what stands there.
        kind: a frozen msgspec struct with `forbid_unknown_fields`.

    Raises:
        SettingsInvalid: naming the channel, the key and what is wrong with it.
    """
    try:
        return msgspec.convert(dict(settings), kind)
    except msgspec.ValidationError as error:
        message = f"channels.{channel}: {error}"
        raise SettingsInvalid(message) from error


def would(dry_run: bool) -> str:
    """Return how a line of `register` begins that tells of a change."""
    return "to do" if dry_run else "done"
