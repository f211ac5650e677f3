"""The port that every channel fills, and the framework-free request it reads.

A channel turns a platform's webhook into messages and messages into the platform's
payloads. It never calls the engine: the composition root stands between them.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec
from starlette.routing import BaseRoute

from bot.messages import InboundMessage, Incoming, OutboundMessage

Payload: TypeAlias = dict[str, object]
"""What goes over the wire to a platform: a JSON object."""


class WebhookRequest(msgspec.Struct, frozen=True):
    """An HTTP request or a socket frame as the channel sees it: names in lower case, body raw."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    client_host: str = ""


class ChannelError(Exception):
    """The channel could not handle the request."""

    status = 500

    def as_payload(self) -> Payload:
        """Return the error as the JSON object that the caller gets."""
        return {
            "status": "failure",
            "code": self.status,
            "reason": type(self).__name__,
            "message": str(self),
        }


class Unverified(ChannelError):
    """The request does not prove who sent it."""

    status = 401

    def __init__(self, problem: str = "") -> None:
        """Say what proof is missing, without echoing what was presented."""
        super().__init__(problem or str(self.__doc__))


class Forbidden(Unverified):
    """The request comes from a place that may not use this channel."""

    status = 403


class BadRequest(ChannelError):
    """A field of the request is wrong."""

    status = 400

    def __init__(self, field: str, problem: str) -> None:
        """Name the field that is wrong and what is wrong with it."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def as_payload(self) -> Payload:
        """Return the error with the name of the field."""
        return {**super().as_payload(), "field": self.field}


class TooLarge(BadRequest):
    """The request, or a field of it, is larger than the channel takes."""

    status = 413


class TooMany(BadRequest):
    """The sender asks for more than the channel gives in this time."""

    status = 429


class Reply(msgspec.Struct, frozen=True):
    """What the platform is answered once its request is taken: 200 with an empty body."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


class Channel(ABC):
    """A messaging surface: checks, reads and writes one platform's messages.

    `parse` and `render` are pure: same input, same output, no I/O.
    """

    name: str

    @abstractmethod
    def verify(self, request: WebhookRequest) -> None:
        """Check the proof of origin in constant time, on the raw body.

        Args:
            request: the request as received, before anything was decoded.

        Raises:
            Unverified: if the proof is missing or wrong.
        """

    @abstractmethod
    def parse(self, request: WebhookRequest) -> Sequence[Incoming]:
        """Return everything the request tells, in the platform's order.

        Args:
            request: a verified request.

        Raises:
            BadRequest: if the body is not what the platform documents; names the field.
        """

    @abstractmethod
    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the payloads that show the message, as richly as the platform can.

        Args:
            outbound: the message to show.
            recipient: the sender id of the customer within this channel.
        """


Exchange: TypeAlias = Callable[[InboundMessage], Awaitable[Sequence[OutboundMessage]]]
"""Gives the bot a message and waits for its answers; a repeated message gets the same answers."""


class ExchangeChannel(Channel):
    """A channel whose platform waits for the answer in the response, as an assistant that speaks.

    Channels whose platform is called to deliver are in push.py.
    """

    #: How long the platform waits; with less time left it is told that the answer comes later.
    answer_within_s: float = 8.0

    @abstractmethod
    def answer(
        self, request: WebhookRequest, said: Sequence[OutboundMessage], *, complete: bool
    ) -> Reply:
        """Return the one response that says everything; pure.

        Args:
            request: the verified request, whose messages (if any) were given to the bot.
            said: the bot's answers, in order; empty for requests without a message.
            complete: whether the turn ended in time; if not, `said` is empty.
        """

    async def prepare(self, request: WebhookRequest) -> None:
        """Fetch what `verify` needs to check this request, such as a certificate.

        Raises:
            Unverified: if what the request names may not be fetched.
        """
        del request

    async def progress(self, request: WebhookRequest) -> None:
        """Tell the customer that the answer takes a moment; called once, after about two seconds.

        Errors of the platform are swallowed here: the answer itself is still to come.
        """
        del request

    async def account_email(self, request: WebhookRequest) -> str:
        """Return the e-mail address of the customer's account that is linked with the platform.

        Only an address that whoever keeps the accounts has verified, for it identifies the
        customer; empty where there is none, or it cannot be found out now.

        Args:
            request: a verified request.
        """
        del request
        return ""

    def routes(self, exchange: Exchange) -> Sequence[BaseRoute]:
        """Return routes beside the webhook, such as a socket over which a call is held."""
        del exchange
        return ()

    async def close(self) -> None:
        """Let go of connections."""
