"""One open web chat: takes the widget's frames, and brings it all it has not seen, in order.

What it brings is the conversation that its session is in: its own, or one that it joined with a
code. When that changes the widget is told to begin anew.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Protocol, TypeAlias

import msgspec

from bot.messages import InboundMessage, OutboundMessage
from channels.base import BadRequest, ChannelError, Payload, TooMany, WebhookRequest
from channels.webchat.channel import WebChat
from channels.webchat.limits import Limits, RateLimiter
from channels.wire import decode_object, kind_of, refuse_unknown

_TYPES = ("message", "typing", "read", "ping", "resume")
_MOST_NOTICES = 100
_TYPED_EVERY_S = 2.0
"""How often at most it is told that a customer is writing."""


class HistoryEntry(msgspec.Struct, frozen=True):
    """A message of a conversation at its place: inbound from the customer, or outbound.

    `seq` grows within the conversation, and no smaller one appears after a larger was seen.
    """

    seq: int
    at: datetime
    message: InboundMessage | OutboundMessage


class Typing(msgspec.Struct, frozen=True):
    """Notice that the bot or an operator, by their name, began or stopped writing."""

    on: bool
    name: str = ""


class Changed(msgspec.Struct, frozen=True):
    """Notice that the conversation's history has grown."""


Notice: TypeAlias = Typing | Changed


async def _alone(session_id: str) -> str:
    return f"{WebChat.name}:{session_id}"


async def nobody_looks(conversation_id: str) -> None:
    """Tell nobody that a customer is writing."""
    del conversation_id


class Backstage(msgspec.Struct, frozen=True):
    """What the web chat needs from behind the scenes.

    `accept` stores the messages durably, once per (channel, message_id), before it returns.
    `history` returns what follows `after_seq`, ascending. `subscribe` registers before its
    first suspension and then yields notices; a lost notice only delays, `history` decides.
    `delivered` is told up to which number a conversation was brought to its customer. `place`
    returns the conversation that a session is in at present. `typed` is told that its customer is
    writing; it is kept nowhere.
    """

    accept: Callable[[Sequence[InboundMessage]], Awaitable[None]]
    history: Callable[[str, int], Awaitable[Sequence[HistoryEntry]]]
    subscribe: Callable[[str], AsyncIterator[Notice]]
    delivered: Callable[[str, int], None] = lambda conversation_id, seq: None
    place: Callable[[str], Awaitable[str]] = _alone
    typed: Callable[[str], Awaitable[None]] = nobody_looks


class Socket(Protocol):
    """The open connection to one widget."""

    async def send(self, frame: Payload) -> None:
        """Send one frame."""

    async def receive(self) -> bytes | None:
        """Return the next frame, or None when the widget has gone."""


class Resume(msgspec.Struct, frozen=True):
    """The first frame of every connection: who it is and what it has seen, of which conversation.

    `conversation` is the name that a `conversation` frame gave; empty for the session's own.
    """

    session_id: str
    token: str
    after_seq: int
    conversation: str = ""


def read_resume(body: bytes, max_bytes: int) -> Resume:
    """Return the decoded first frame.

    Raises:
        BadRequest: if it is anything but a complete `resume` frame.
    """
    fields = decode_object(body, max_bytes)
    refuse_unknown(fields, ("type", "session_id", "token", "after_seq", "conversation"))
    if fields.get("type") != "resume":
        raise BadRequest("type", "the first frame must be resume")
    session_id, token = fields.get("session_id"), fields.get("token")
    if not isinstance(session_id, str) or not isinstance(token, str):
        raise BadRequest("session_id", "session_id and token must be strings")
    conversation = fields.get("conversation", "")
    if not isinstance(conversation, str):
        raise BadRequest("conversation", f"must be a string, got {kind_of(conversation)}")
    return Resume(session_id, token, whole_number(fields, "after_seq"), conversation)


def whole_number(fields: dict[str, object], name: str) -> int:
    """Return a field that counts; missing is 0.

    Raises:
        BadRequest: if it is not a whole number of 0 or more.
    """
    value = fields.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise BadRequest(name, f"must be a whole number of 0 or more, got {kind_of(value)}")
    return value


class WebChatSession:
    """Serves one connection of one verified session until the widget goes."""

    def __init__(
        self,
        channel: WebChat,
        backstage: Backstage,
        socket: Socket,
        resume: Resume,
        rate: RateLimiter,
        limits: Limits,
    ) -> None:
        """Set up for a session whose token was checked.

        Args:
            channel: reads and writes the frames.
            backstage: accepts messages, knows the history, notices changes.
            socket: the connection.
            resume: the connection's first frame.
            rate: how fast the session may send, shared by its connections.
            limits: when a silent connection is given up.
        """
        self._channel = channel
        self._backstage = backstage
        self._socket = socket
        self._session_id = resume.session_id
        self._seen_seq = resume.after_seq
        self._rate = rate
        self._limits = limits
        self._own_id = f"{channel.name}:{resume.session_id}"
        self._conversation_id = self._own_id
        self._shown = resume.conversation
        self._again_from: int | None = None
        self._typed_s = float("-inf")
        self._notices: asyncio.Queue[Notice | None] = asyncio.Queue(_MOST_NOTICES)
        self._listening: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the connection until the widget goes or is silent too long."""
        showing = asyncio.create_task(self._show())
        reading = asyncio.create_task(self._read())
        try:
            done, _ = await asyncio.wait((showing, reading), return_when="FIRST_COMPLETED")
            for task in done:
                task.result()
        finally:
            tasks = [showing, reading, *([self._listening] if self._listening else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self) -> None:
        """Bring the conversation, and what the notices announce."""
        await self._open(await self._backstage.place(self._session_id))
        await self._socket.send({"type": "ready", "session_id": self._session_id})
        while (notice := await self._notices.get()) is not None:
            if isinstance(notice, Typing):
                named = {"name": notice.name} if notice.name else {}
                await self._socket.send({"type": "typing", "on": notice.on, **named})
            else:
                await self._follow()

    async def _follow(self) -> None:
        """Bring what is new, from the conversation that the session is in by now.

        What the own conversation said last is still brought when another was joined; of another
        nothing more once the session is not in it.
        """
        if self._again_from is not None:
            self._seen_seq = min(self._seen_seq, self._again_from)
            self._again_from = None
        if self._conversation_id == self._own_id:
            await self._catch_up()
        place = await self._backstage.place(self._session_id)
        if place != self._conversation_id:
            await self._open(place)
        elif place != self._own_id:
            await self._catch_up()

    async def _open(self, conversation_id: str) -> None:
        """Bring a conversation; a widget that shows another is told to begin anew."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._conversation_id, self._again_from = conversation_id, None
        self._notices = asyncio.Queue(_MOST_NOTICES)
        self._listening = asyncio.create_task(self._listen(conversation_id))
        await asyncio.sleep(0)  # Lets the subscription register before the history is read.
        is_own = conversation_id == self._own_id
        name = "" if is_own else self._channel.conversation_name(conversation_id)
        if name != self._shown:
            self._shown, self._seen_seq = name, 0
            await self._socket.send({"type": "conversation", "conversation": name})
        await self._catch_up()

    async def _listen(self, conversation_id: str) -> None:
        """Queue the notices of a conversation, and None when there will be no more."""
        async for notice in self._backstage.subscribe(conversation_id):
            await self._notices.put(notice)
        await self._notices.put(None)

    def _look_again(self) -> None:
        """Have what is new looked up; with a full queue that is due anyway."""
        with contextlib.suppress(asyncio.QueueFull):
            self._notices.put_nowait(Changed())

    async def _catch_up(self) -> None:
        """Send everything after the last number sent, each once, in order."""
        for entry in await self._backstage.history(self._conversation_id, self._seen_seq):
            for frame in self._frames(entry.message):
                place = {"seq": entry.seq, "at": entry.at.isoformat()}
                await self._socket.send({**frame, **place})
            self._seen_seq = entry.seq
        if self._seen_seq:
            self._backstage.delivered(self._conversation_id, self._seen_seq)

    def _frames(self, message: InboundMessage | OutboundMessage) -> list[Payload]:
        """Return the frames that show a message of the history."""
        if isinstance(message, InboundMessage):
            return [self._channel.echo(message)]
        return self._channel.render(message, self._session_id)

    async def _read(self) -> None:
        """Take frames until there are no more."""
        while True:
            async with asyncio.timeout(self._limits.idle_s):
                body = await self._socket.receive()
            if body is None:
                return
            try:
                await self._take(body)
            except ChannelError as error:
                client_id = _client_id(body, self._limits.max_frame_bytes)
                await self._socket.send({"type": "error", "id": client_id, **_shown(error)})

    async def _take(self, body: bytes) -> None:
        """Do what one frame asks.

        Raises:
            BadRequest: if the frame is not one that the widget sends.
        """
        fields = decode_object(body, self._limits.max_frame_bytes)
        kind = fields.get("type")
        if kind == "message":
            await self._accept(body, str(fields.get("id")))
        elif kind == "ping":
            await self._socket.send({"type": "pong"})
            self._look_again()
        elif kind == "resume":
            self._slow_down()
            self._again_from = whole_number(fields, "after_seq")
            self._look_again()
        elif kind == "read":
            whole_number(fields, "seq")
        elif kind == "typing":
            await self._types()
        else:
            raise BadRequest("type", f"must be one of {', '.join(_TYPES)}")

    async def _types(self) -> None:
        """Tell that the customer is writing, but not with every letter."""
        now_s = monotonic()
        if now_s - self._typed_s >= _TYPED_EVERY_S:
            self._typed_s = now_s
            await self._backstage.typed(self._conversation_id)

    async def _accept(self, body: bytes, client_id: str) -> None:
        """Store the message durably, and only then acknowledge it."""
        headers = {"x-session-id": self._session_id}
        request = WebhookRequest("SOCKET", "", headers=headers, body=body)
        messages = self._channel.parse(request)
        self._slow_down()
        await self._backstage.accept(messages)
        await self._socket.send({"type": "ack", "id": client_id})

    def _slow_down(self) -> None:
        """Take one from the session's allowance.

        Raises:
            TooMany: if the session sends faster than it may; nothing was stored.
        """
        wait_s = self._rate.wait_s(self._session_id)
        if wait_s:
            raise TooMany("message", f"too many messages, please wait {wait_s:.1f} s")


def _client_id(body: bytes, max_bytes: int) -> str | None:
    """Return the client's id in a frame, when there is one to answer with."""
    try:
        value = decode_object(body, max_bytes).get("id")
    except BadRequest:
        return None
    return value[:255] if isinstance(value, str) else None


def _shown(error: ChannelError) -> Payload:
    """Return what of an error goes into an error frame."""
    return {"code": error.status, "message": str(error), "retry": isinstance(error, TooMany)}
