"""Telegram's Bot API as documented: methods with their limits, updates with a secret, its moods.

Answers are `{"ok": …}` with Telegram's status codes and descriptions. An update is sent again until
somebody answers 2xx, so a redelivery is the same bytes.
"""

import asyncio
import itertools
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.base import WebhookRequest
from tests.platforms.platform import Delivered, FakePlatform, Said, Troubles

TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
SECRET = "tg-secret-token-0001"
PUBLIC = "https://bot.example"
PATH = "/webhooks/telegram/webhook"
BOT = {"id": 123456, "is_bot": True, "first_name": "Tresen", "username": "tresen_bot"}
MAX_FILE_BYTES = 20 * 1024 * 1024


class TelegramFake(FakePlatform):
    """One bot and the people who write to it."""

    channel = "telegram"

    def __init__(self, seed: int = 0):
        self.random = random.Random(seed)
        self.delivered: list[Delivered] = []
        self.said: list[Said] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.files: dict[str, bytes] = {}
        self.blocked: set[str] = set()
        self.strangers: set[str] = set()
        self.unfetchable: set[str] = set()
        self.hook = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
        self.troubles = Troubles()
        self.now = lambda: datetime.now(UTC)
        self._updates = itertools.count(self.random.randrange(10**6, 10**8))
        self._messages = itertools.count(1)
        self._bodies: dict[str, bytes] = {}
        self.app = _Moody(
            self,
            Starlette(
                routes=[
                    Route("/bot{token}/{method}", self._call, methods=["POST"]),
                    Route("/file/bot{token}/{path:path}", self._download),
                ]
            ),
        )

    def settings(self) -> Mapping[str, Any]:
        return {"token": TOKEN, "secret_token": SECRET, "api_url": self.url}

    # customers

    def says(self, sender_id: str, text: str, **more: Any) -> Said:
        """Have a customer send something; `more` are further fields of the message."""
        message = {**self.message(sender_id), **({"text": text} if text else {}), **more}
        said = Said(sender_id, f"{sender_id}:{message['message_id']}", text)
        self._bodies[said.message_id] = self.update(message=message)
        self.said.append(said)
        return said

    def message(self, sender_id: str) -> dict[str, Any]:
        """Return what every message of a private chat has."""
        return {
            "message_id": next(self._messages),
            "from": self.person(sender_id),
            "chat": {"id": int(sender_id), "first_name": "Anna", "type": "private"},
            "date": int(self.now().timestamp()),
        }

    def person(self, sender_id: str) -> dict[str, Any]:
        return {
            "id": int(sender_id),
            "is_bot": False,
            "first_name": "Anna",
            "last_name": "Probst",
            "language_code": "de",
        }

    def update(self, **content: Any) -> bytes:
        """Return a new update's body."""
        return json.dumps({"update_id": next(self._updates), **content}).encode()

    def press(self, sender_id: str, data: str, keyboard: list[Any] | None = None) -> Said:
        """Have a customer press a button."""
        number = str(self.random.randrange(10**17))
        shown = {**self.message(sender_id), "from": BOT, "text": "?"}
        if keyboard is not None:
            shown["reply_markup"] = {"inline_keyboard": keyboard}
        query = {
            "id": number,
            "from": self.person(sender_id),
            "message": shown,
            "chat_instance": "1",
            "data": data,
        }
        said = Said(sender_id, f"callback:{number}", data)
        self._bodies[said.message_id] = self.update(callback_query=query)
        self.said.append(said)
        return said

    def webhook(self, *said: Said) -> list[WebhookRequest]:
        """Return one request each: Telegram has no batches."""
        return [posted(self._bodies[one.message_id]) for one in said]

    def receipts(self, delivered: Delivered) -> list[WebhookRequest]:
        """Return nothing: Telegram does not tell bots what became of a message."""
        del delivered
        return []

    def trouble(self, troubles: Troubles) -> None:
        self.troubles = troubles

    # the Bot API

    async def _call(self, request: Request) -> Response:
        if request.path_params["token"] != TOKEN:
            return failed(401, "Unauthorized")
        method = request.path_params["method"]
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        form = {name: _decoded(name, value) for name, value in pairs}
        self.calls.append((method, form))
        chat = str(form.get("chat_id", ""))
        if chat in self.blocked:
            return failed(403, "Forbidden: bot was blocked by the user")
        if chat in self.strangers:
            return failed(400, "Bad Request: chat not found")
        handler = getattr(self, f"_{method}", None)
        return failed(404, "Not Found") if handler is None else handler(chat, form)

    def _sendMessage(self, chat: str, form: dict[str, Any]) -> Response:  # noqa: N802
        text = form.get("text", "")
        if not text.strip():
            return failed(400, "Bad Request: message text is empty")
        if _units(text) > 4096:
            return failed(400, "Bad Request: message is too long")
        return self._keyboard_problem(form) or self._shown(chat, text, form)

    def _sendPhoto(self, chat: str, form: dict[str, Any]) -> Response:  # noqa: N802
        if _units(form.get("caption", "")) > 1024:
            return failed(400, "Bad Request: message caption is too long")
        if form["photo"] in self.unfetchable or form["photo"].endswith(".svg"):
            return failed(400, "Bad Request: failed to get HTTP URL content")
        text = form.get("caption") or form["photo"]
        return self._keyboard_problem(form) or self._shown(chat, text, form)

    def _sendMediaGroup(self, chat: str, form: dict[str, Any]) -> Response:  # noqa: N802
        media = form["media"]
        if not 2 <= len(media) <= 10:
            return failed(400, "Bad Request: wrong number of media")
        if any(item["media"] in self.unfetchable for item in media):
            return failed(400, "Bad Request: WEBPAGE_MEDIA_EMPTY")
        sent = [self._sent(chat, item["media"]) for item in media]
        return JSONResponse({"ok": True, "result": sent})

    def _sendChatAction(self, chat: str, form: dict[str, Any]) -> Response:  # noqa: N802
        del chat
        if form.get("action") != "typing":
            return failed(400, "Bad Request: wrong parameter action in request")
        return JSONResponse({"ok": True, "result": True})

    def _answerCallbackQuery(self, chat: str, form: dict[str, Any]) -> Response:  # noqa: N802
        del chat
        if f"callback:{form['callback_query_id']}" not in self._bodies:
            problem = "query is too old and response timeout expired or query ID is invalid"
            return failed(400, f"Bad Request: {problem}")
        return JSONResponse({"ok": True, "result": True})

    def _setWebhook(self, chat: str, form: dict[str, Any]) -> Response:  # noqa: N802
        del chat
        if not form["url"].startswith("https://"):
            return failed(400, "Bad Request: bad webhook: An HTTPS URL must be provided")
        self.hook = {**self.hook, "url": form["url"], "allowed_updates": form["allowed_updates"]}
        return JSONResponse({"ok": True, "result": True, "description": "Webhook was set"})

    def _getWebhookInfo(self, chat: str, form: dict[str, Any]) -> Response:  # noqa: N802
        del chat, form
        return JSONResponse({"ok": True, "result": self.hook})

    def _getFile(self, chat: str, form: dict[str, Any]) -> Response:  # noqa: N802
        del chat
        file_id = form["file_id"]
        if file_id not in self.files:
            return failed(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self.files[file_id])
        if size > MAX_FILE_BYTES:
            return failed(400, "Bad Request: file is too big")
        place = {"file_path": f"photos/{file_id}.jpg", "file_size": size}
        unique = {"file_id": file_id, "file_unique_id": f"u{file_id}"}
        return JSONResponse({"ok": True, "result": {**unique, **place}})

    async def _download(self, request: Request) -> Response:
        name = request.path_params["path"].removeprefix("photos/").removesuffix(".jpg")
        if request.path_params["token"] != TOKEN or name not in self.files:
            return failed(404, "Not Found")
        return Response(self.files[name], media_type="image/jpeg")

    def _keyboard_problem(self, form: Mapping[str, Any]) -> Response | None:
        keys = [k for row in form.get("reply_markup", {}).get("inline_keyboard", ()) for k in row]
        if len(keys) > 100:
            return failed(400, "Bad Request: reply markup is too long")
        for key in keys:
            if not key["text"].strip():
                return failed(400, "Bad Request: button text must be non-empty")
            if not 1 <= len(key["callback_data"].encode()) <= 64:
                return failed(400, "Bad Request: BUTTON_DATA_INVALID")
        return None

    def _shown(self, chat: str, text: str, form: Mapping[str, Any]) -> Response:
        if "parse_mode" in form:
            return failed(400, "Bad Request: this bot uses no markup")
        return JSONResponse({"ok": True, "result": self._sent(chat, text)})

    def _sent(self, chat: str, text: str) -> dict[str, Any]:
        message = {**self.message(chat), "from": BOT, "text": text}
        self.delivered.append(Delivered(chat, text, f"{chat}:{message['message_id']}"))
        return message


class _Moody:
    """Lets the troubles happen to what is sent."""

    def __init__(self, fake: TelegramFake, app: Any):
        self._fake = fake
        self._app = app

    async def __call__(self, scope, receive, send):
        fake, dice = self._fake, self._fake.random
        if scope["type"] != "http" or "/send" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        if dice.random() < fake.troubles.refused:
            flood = failed(429, "Too Many Requests: retry after 1", {"retry_after": 1})
            await dice.choice([flood, failed(502, "Bad Gateway")])(scope, receive, send)
            return
        if dice.random() < fake.troubles.lost_answers:
            await self._app(scope, receive, _nowhere)
            start = {"type": "http.response.start", "status": 200}
            await send({**start, "headers": [(b"content-length", b"900")]})
            raise ConnectionResetError("planned: the answer is lost")
        if fake.troubles.late_s:
            await asyncio.sleep(dice.uniform(0, fake.troubles.late_s))
        await self._app(scope, receive, send)


async def _nowhere(message: Any) -> None:
    del message


def failed(status: int, description: str, parameters: Mapping[str, Any] | None = None):
    more = {"parameters": parameters} if parameters else {}
    body = {"ok": False, "error_code": status, "description": description, **more}
    return JSONResponse(body, status)


def posted(body: bytes, secret: str = SECRET) -> WebhookRequest:
    """Return an update as Telegram posts it."""
    headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": secret}
    return WebhookRequest("POST", PATH, headers=headers, body=body)


def _decoded(name: str, value: str) -> Any:
    return json.loads(value) if name in {"reply_markup", "media", "allowed_updates"} else value


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
