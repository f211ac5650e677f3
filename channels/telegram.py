"""Telegram, with python-telegram-bot: a bot in private chats, behind a webhook.

Telegram takes no reference with a message and lists none, so doubt cannot be settled there: few
messages are on their way at the same moment, for a killed process sends each of these again.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import httpx
import msgspec
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, Message
from telegram.constants import ChatAction
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.messages import Contact, Incoming, OutboundMessage
from channels.base import Payload, Unverified, WebhookRequest
from channels.fetching import fetch
from channels.push import (
    ChannelContext,
    ChannelLimits,
    InDoubt,
    MediaFile,
    PushChannel,
    SendFailed,
    TryAgain,
    Undeliverable,
    read_settings,
    would,
)
from channels.telegram_parse import incoming
from channels.telegram_render import ALBUM, CAPTION_CHARS, MAX_BUTTONS, TEXT_CHARS, render

NAME = "telegram"
API_URL = "https://api.telegram.org"
ALLOWED_UPDATES = (
    *("message", "edited_message", "callback_query", "message_reaction", "my_chat_member"),
)
CALLBACK = "callback:"
_ACCOUNT_WAIT_S = 60.0
_NO_PICTURE = (
    "http url",
    "web page",
    "webpage",
    "file identifier",
    "image",
    "photo_",
    "group send",
)
_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError)


class TelegramSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands below `telegram` in endpoints.yml; `secret_token` is made up by yourself."""

    token: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+:[A-Za-z0-9_-]+$")]
    secret_token: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{16,256}$")]
    api_url: str = API_URL


def connect(settings: Mapping[str, Any], context: ChannelContext) -> "TelegramChannel":
    """Return the channel `telegram`.

    Raises:
        SettingsInvalid: naming the setting that is wrong.
    """
    return TelegramChannel(read_settings(NAME, settings, TelegramSettings), context)


class TelegramChannel(PushChannel):
    """One bot of Telegram; groups and channels are left alone."""

    name = NAME
    limits = ChannelLimits(
        text_chars=TEXT_CHARS,
        buttons=MAX_BUTTONS,
        button_chars=64,
        cards=ALBUM[-1],
        caption_chars=CAPTION_CHARS,
        per_second=25.0,
        in_flight=3,
    )

    def __init__(self, settings: TelegramSettings, context: ChannelContext) -> None:
        """Set up the channel; opens no connection yet."""
        self._settings = settings
        self._context = context
        self._secret = settings.secret_token.encode()
        base = settings.api_url.rstrip("/")
        self._origin = f"{urlsplit(base).scheme}://{urlsplit(base).netloc}"
        limits = httpx.Limits(max_connections=64, keepalive_expiry=3.0)
        self._wire = _Wire(
            read_timeout=10.0,
            connect_timeout=5.0,
            pool_timeout=5.0,
            httpx_kwargs={"limits": limits},
        )
        self._bot = Bot(
            settings.token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._wire,
            get_updates_request=self._wire,
        )
        self._files: httpx.AsyncClient | None = None

    def verify(self, request: WebhookRequest) -> None:
        """Check the secret that Telegram was given with the webhook's address.

        Raises:
            Unverified: if it is missing or wrong.
        """
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._secret):
            raise Unverified("The secret token is missing or wrong.")

    def parse(self, request: WebhookRequest) -> Sequence[Incoming]:
        """Return what the update tells; Telegram has no batches.

        Raises:
            BadRequest: if the body is no update.
        """
        return [incoming(request, self.name, self._context.clock())]

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the payloads that show the message in a chat."""
        return render(outbound, recipient, self._context.public_url)

    def admit(self, outbound: OutboundMessage, contact: Contact, now: object) -> OutboundMessage:
        """Return the message unless the customer blocked the bot.

        Raises:
            Undeliverable: they did.
        """
        del now
        if contact.opted_in is False:
            raise Undeliverable("blocked", "the customer blocked the bot")
        return outbound

    async def send(self, payload: Payload, reference: str) -> str:
        """Deliver one payload and return the message's id; of an album the first picture's.

        A picture that Telegram cannot fetch was not delivered; its text goes without it.

        Raises:
            TryAgain: nothing was delivered.
            InDoubt: it may have been delivered.
            Undeliverable: it never will be.
        """
        del reference  # Telegram takes none
        chat_id = _chat_id(str(payload["chat_id"]))
        try:
            sent = await self._deliver(chat_id, payload)
        except TelegramError as error:
            _refuse(error)
        except _UNREADABLE as error:
            raise InDoubt("unreadable", "Telegram's answer cannot be read") from error
        return f"{chat_id}:{sent.message_id}"

    async def fetch_media(self, reference: str, limit_bytes: int) -> MediaFile:
        """Fetch a file; Telegram gives bots files of at most 20 MB.

        Raises:
            TryAgain: Telegram cannot give it now.
            Undeliverable: it is gone, or too large.
        """
        try:
            file = await self._bot.get_file(reference)
        except TelegramError as error:
            try:
                _refuse(error)
            except InDoubt as doubt:
                raise TryAgain(doubt.code, "Telegram does not name the file's place") from error
        except _UNREADABLE as error:
            raise TryAgain("unreadable", "Telegram's answer cannot be read") from error
        if (file.file_size or 0) > limit_bytes:
            raise Undeliverable("too_large", f"the file is larger than {limit_bytes} bytes")
        if self._files is None:
            self._files = httpx.AsyncClient(timeout=httpx.Timeout(10.0, connect=5.0))
        return await fetch(self._files, file.file_path or "", (self._origin,), limit_bytes)

    async def show_typing(self, recipient: str, message_id: str) -> None:
        """Show that an answer is being written; a pressed button stops waiting.

        Raises:
            SendFailed: Telegram did not take it.
        """
        chat_id = _chat_id(recipient)
        try:
            if message_id.startswith(CALLBACK):
                await self._bot.answer_callback_query(message_id.removeprefix(CALLBACK))
            await self._bot.send_chat_action(chat_id, ChatAction.TYPING)
        except TelegramError as error:
            _refuse(error)
        except _UNREADABLE as error:
            raise SendFailed("unreadable", "Telegram's answer cannot be read") from error

    async def register(self, url: str, *, dry_run: bool = False) -> list[str]:
        """Tell Telegram where to deliver, what, and with which secret.

        The secret cannot be read back, so this is said again each time; it changes nothing then.

        Raises:
            SendFailed: Telegram did not take it.
        """
        secret = self._settings.secret_token
        try:
            known = await self._bot.get_webhook_info()
            if not dry_run:
                await self._bot.set_webhook(
                    url, allowed_updates=ALLOWED_UPDATES, secret_token=secret
                )
        except TelegramError as error:
            _refuse(error)
        except _UNREADABLE as error:
            raise SendFailed("unreadable", "Telegram's answer cannot be read") from error
        before = f", until now {known.url or 'nowhere'}" if known.url != url else ""
        told = [f"{would(dry_run)}: Telegram delivers to {url}{before}"]
        if known.last_error_message:
            told.append(f"Telegram's last delivery failed: {known.last_error_message}")
        return told

    async def close(self) -> None:
        """Let go of connections."""
        await self._wire.shutdown()
        if self._files is not None:
            await self._files.aclose()

    async def _deliver(self, chat_id: int, payload: Payload) -> Message:
        """Post a payload, or its text alone if Telegram refused it for its picture.

        Raises:
            TelegramError: Telegram refused it, or did not answer.
            BadRequest: one of these.
        """
        try:
            return await self._post(chat_id, payload)
        except BadRequest as error:
            if "instead" not in payload or not _names_picture(error):
                raise
        text = str(payload["instead"])
        return await self._bot.send_message(chat_id, text, reply_markup=_keyboard(payload))

    async def _post(self, chat_id: int, payload: Payload) -> Message:
        """Make the one request that a payload is.

        Raises:
            TelegramError: Telegram refused it, or did not answer.
        """
        keyboard = _keyboard(payload)
        album = payload.get("album")
        if isinstance(album, list):
            pictures = [InputMediaPhoto(str(url)) for url in album]
            return (await self._bot.send_media_group(chat_id, pictures))[0]
        if "photo" in payload:
            caption = str(payload.get("caption", "")) or None
            photo = str(payload["photo"])
            return await self._bot.send_photo(chat_id, photo, caption, reply_markup=keyboard)
        return await self._bot.send_message(chat_id, str(payload["text"]), reply_markup=keyboard)


class _Slower(TelegramError):
    """Telegram takes nothing now."""

    def __init__(self, code: str, retry_after_s: float) -> None:
        super().__init__(code)
        self.retry_after_s = retry_after_s


class _Wire(HTTPXRequest):
    """The library's way to Telegram, which tells flood control and outages from refusals."""

    async def do_request(self, *args: object, **options: object) -> tuple[int, bytes]:
        """Make one request.

        Raises:
            _Slower: Telegram takes nothing now, and delivered nothing.
        """
        status, body = await super().do_request(*args, **options)  # type: ignore[arg-type]
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise _Slower(str(status), _wait_s(body))
        if status >= httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.GATEWAY_TIMEOUT:
            raise _Slower(str(status), 0.0)
        return status, body


def _wait_s(body: bytes) -> float:
    """Return how long Telegram asks to wait."""
    try:
        wait = json.loads(body)["parameters"]["retry_after"]
    except (ValueError, KeyError, TypeError):
        return 1.0
    return float(wait) if isinstance(wait, int) and 0 < wait < 86_400 else 1.0


def _refuse(error: TelegramError) -> NoReturn:
    """Say what Telegram's error means for the message; its words may name people.

    Raises:
        TryAgain: nothing was delivered.
        InDoubt: it may have been delivered.
        Undeliverable: it never will be.
    """
    if isinstance(error, _Slower):
        code = str(error)
        raise TryAgain(code, "Telegram takes nothing now", error.retry_after_s) from error
    if isinstance(error, InvalidToken):
        problem = "Telegram does not know the bot's token: check it"
        raise TryAgain("401", problem, _ACCOUNT_WAIT_S) from error
    if isinstance(error, Forbidden):
        raise Undeliverable("403", "the customer blocked the bot, or never began") from error
    if isinstance(error, BadRequest):
        raise Undeliverable("400", "Telegram does not take the message") from error
    cause = error.__cause__
    if isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        raise TryAgain("connection", "Telegram cannot be reached") from error
    if isinstance(error, TimedOut):
        raise InDoubt("timeout", "Telegram did not answer in time") from error
    if isinstance(error, NetworkError):
        raise InDoubt("connection", "the connection to Telegram broke") from error
    if str(error) == "Invalid server response":
        raise InDoubt("unreadable", "Telegram's answer cannot be read") from error
    raise Undeliverable("refused", "Telegram does not take the message") from error


def _names_picture(error: BadRequest) -> bool:
    """Return whether it was the picture that Telegram could not take."""
    told = str(error).lower()
    return any(words in told for words in _NO_PICTURE)


def _chat_id(recipient: str) -> int:
    """Return the chat of a customer.

    Raises:
        Undeliverable: it is none of a person.
    """
    if not (recipient.isascii() and recipient.isdigit() and len(recipient) < 20):
        raise Undeliverable("no_chat", "the recipient is no private chat")
    return int(recipient)


def _keyboard(payload: Payload) -> InlineKeyboardMarkup | None:
    rows = payload.get("keyboard")
    if not isinstance(rows, list):
        return None
    return InlineKeyboardMarkup([
        [InlineKeyboardButton(key["text"], callback_data=key["callback_data"]) for key in row]
        for row in rows
    ])
