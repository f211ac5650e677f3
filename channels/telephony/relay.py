"""The sockets over which ConversationRelay holds calls, and the calls that are open."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime

import msgspec
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from channels.base import (
    BadRequest,
    ChannelError,
    Exchange,
    Payload,
    Unverified,
    WebhookRequest,
)
from channels.telephony.call import MAX_FRAME_CHARS, Call, CallSettings, RelayCall
from channels.twilio_signature import check_signature
from channels.wire import decode_object

MAX_CALLS = 2_000
CALL_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CLOSING_S = 5.0
_CALLER = re.compile(r"\+[1-9]\d{6,14}")
#: What Twilio puts in place of a withheld number: it spells a word on the keys.
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
log = structlog.get_logger(__name__)


def caller_of(number: str, sid: str) -> str:
    """Return the sender id of a call: the number and the call, or the call alone if it is withheld.

    A number can be faked, so that nothing of a call may count for the next one from it.

    Args:
        number: as the platform gives it; unverified.
        sid: the id of the call.
    """
    is_known = bool(_CALLER.fullmatch(number)) and number not in _WITHHELD
    return f"{number}:{sid}" if is_known else f"call:{sid}"


def milliseconds(moment: datetime) -> int:
    """Return a moment as milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


class Switchboard:
    """Accepts the sockets of calls that this channel sent there, and no others."""

    def __init__(
        self, address: str, secret: str, numbers: Collection[str], settings: CallSettings
    ) -> None:
        """Serve sockets opened at an address.

        Args:
            address: as Twilio calls it, `wss://…`.
            secret: the account's auth token.
            numbers: ours, that may be called.
            settings: of every call.
        """
        self.address = address
        self._secret = secret
        self._numbers = frozenset(numbers)
        self._settings = settings
        self._calls: dict[str, Call] = {}
        self._open: set[asyncio.Task[None]] = set()

    def find(self, sid: str) -> Call | None:
        """Return a call that was held here, if it is known."""
        return self._calls.get(sid)

    def forget(self, sid: str) -> None:
        """Drop what is known of a call that is over."""
        self._calls.pop(sid, None)

    def ticket(self, sid: str, caller: str) -> str:
        """Return what a call brings to the socket, so that none can be made up."""
        text = f"{sid}\n{caller}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret.encode(), text, hashlib.sha256).hexdigest()

    async def serve(self, socket: WebSocket, exchange: Exchange) -> None:
        """Serve one socket until it ends; what was said on it is handled even then."""
        held = asyncio.create_task(self._hold(socket, exchange))
        self._open.add(held)
        held.add_done_callback(self._open.discard)
        await asyncio.shield(held)

    async def close(self) -> None:
        """Let what was said in open calls be handled."""
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _hold(self, socket: WebSocket, exchange: Exchange) -> None:
        try:
            self._check_upgrade(socket)
        except Unverified:
            await socket.close(4403)
            return
        await socket.accept()
        try:
            relayed = RelayCall(
                self._call_of(await _frame(socket)), _Line(socket), exchange, self._settings
            )
        except (ChannelError, WebSocketDisconnect) as error:
            log.warning("relay_refused", error=type(error).__name__)
            with suppress(RuntimeError):
                await socket.close(4400)
            return
        try:
            await relayed.begin()
            await _listen(socket, relayed)
        finally:
            await relayed.hang_up()

    def _check_upgrade(self, socket: WebSocket) -> None:
        """Check that Twilio opens the socket.

        Raises:
            Unverified: the signature is missing or wrong.
        """
        request = WebhookRequest(
            method="GET",
            path=socket.url.path,
            query=dict(socket.query_params),
            headers={name.lower(): value for name, value in socket.headers.items()},
        )
        check_signature(request, self.address, (self._secret,))

    def _call_of(self, setup: Mapping[str, object]) -> Call:
        """Return the call of a socket's first frame; the same one after a broken line.

        Raises:
            BadRequest: it is no setup of a call to one of our numbers.
            Unverified: the call is not one that we sent to this socket.
        """
        caller, number, sid = (str(setup.get(key) or "") for key in ("from", "to", "callSid"))
        if setup.get("type") != "setup" or not CALL_SID.fullmatch(sid):
            raise BadRequest("setup", "must come first, and name the call")
        if number not in self._numbers:
            raise BadRequest("to", "is not one of our numbers")
        given = setup.get("customParameters")
        ticket = str(given.get("ticket") or "") if isinstance(given, dict) else ""
        expected = self.ticket(sid, caller).encode()
        if not hmac.compare_digest(ticket.encode("utf-8", "surrogatepass"), expected):
            raise Unverified("The call was not sent here by us.")
        if sid not in self._calls:
            started = milliseconds(self._settings.clock())
            language = next(iter(self._settings.locales))
            self._calls[sid] = Call(sid, caller_of(caller, sid), language, started)
            while len(self._calls) > MAX_CALLS:
                self._calls.pop(next(iter(self._calls)))
        return self._calls[sid]


class _Line:
    """A starlette socket as a call's line."""

    def __init__(self, socket: WebSocket) -> None:
        """Send over `socket`."""
        self._socket = socket

    async def send(self, payload: Payload) -> None:
        """Send a frame.

        Raises:
            ConnectionResetError: the other side is gone.
        """
        try:
            await self._socket.send_text(msgspec.json.encode(payload).decode())
        except (RuntimeError, WebSocketDisconnect, OSError) as error:
            raise ConnectionResetError(type(error).__name__) from error


async def _listen(socket: WebSocket, relayed: RelayCall) -> None:
    """Take frames until the other side closes, or does not although the session was ended."""
    try:
        while not relayed.ended:
            with suppress(BadRequest):
                await relayed.take(await _frame(socket))
        async with asyncio.timeout(_CLOSING_S):
            while True:
                with suppress(BadRequest):
                    await relayed.take(await _frame(socket))
    except TimeoutError:
        with suppress(RuntimeError):
            await socket.close(1000)
    except WebSocketDisconnect:
        return


async def _frame(socket: WebSocket) -> dict[str, object]:
    """Return the next frame of a socket.

    Raises:
        BadRequest: it is no JSON object, or too large.
        WebSocketDisconnect: there is none.
    """
    message = await socket.receive()
    if message["type"] != "websocket.receive":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text") or ""
    return decode_object(text.encode("utf-8", "surrogatepass"), MAX_FRAME_CHARS)
