"""Chatwoot: cases are conversations of an API inbox.

The story stands there as a private note, the customer's words as incoming messages. What we send
has a `source_id` of ours, by which it is found again when an answer was lost.
"""

import hmac
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec

from bot.messages import Attachment
from desk.bridges.http import BridgeClient
from desk.bridges.ports import (
    Arrived,
    BadWebhook,
    Bridge,
    BridgeContext,
    Ending,
    Kind,
    Line,
    Opening,
    Remark,
    Unverified,
    WebhookCall,
    is_fresh,
    moment,
    reference,
)
from desk.bridges.words import message_text, story, summary_text, word

PREFIX = "tresen:"
"""How the `source_id` of what we sent begins."""
CASE = "tresen_case"
"""The custom attribute of a conversation that names its case."""
PAGES_BACK = 5
"""So many pages of 20 messages are looked through for one that may have arrived."""
_FILES: dict[str, Literal["image", "audio", "video", "file"]] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
}


class Config(msgspec.Struct, frozen=True):
    """A Chatwoot account and its inbox.

    Args:
        url: of the installation, such as https://app.chatwoot.com.
        account_id: the number in its address.
        inbox_id: of an inbox of the kind API.
        token: the access token of a user of one's own for the bot.
        webhook_secret: signs its webhooks; needs a version that does so.
        url_secret: for versions that do not sign: the webhook's address ends in `?secret=…`.
        back_label: a conversation with this label goes back to the bot when it is resolved.
    """

    url: Annotated[str, msgspec.Meta(pattern="^https?://", description="write https://…")]
    account_id: int
    inbox_id: int
    token: str
    webhook_secret: str = ""
    url_secret: str = ""
    back_label: str = "bot"


class _Person(msgspec.Struct, frozen=True):
    id: int | None = None
    name: str | None = None
    available_name: str | None = None
    type: str | None = None


class _File(msgspec.Struct, frozen=True):
    file_type: str | None = None
    data_url: str | None = None


class _Meta(msgspec.Struct, frozen=True):
    assignee: _Person | None = None


class _Inbox(msgspec.Struct, frozen=True):
    id: int | None = None


class _Conversation(msgspec.Struct, frozen=True):
    id: int | None = None


class _Told(msgspec.Struct, frozen=True):
    """A webhook: a message with its conversation, or a conversation itself."""

    event: str
    id: int | None = None
    content: str | None = None
    message_type: str | int | None = None
    private: bool | None = None
    source_id: str | None = None
    sender: _Person | None = None
    attachments: tuple[_File, ...] = ()
    inbox: _Inbox | None = None
    inbox_id: int | None = None
    conversation: _Conversation | None = None
    status: str | None = None
    labels: tuple[str, ...] = ()
    meta: _Meta | None = None
    changed_attributes: Any = None
    created_at: str | int | float | None = None
    updated_at: str | int | float | None = None


class ChatwootBridge(Bridge):
    """A Chatwoot account."""

    name = "chatwoot"

    def __init__(self, config: Config, context: BridgeContext) -> None:
        """Talk to the account of `config`.

        Raises:
            ValueError: it names no secret for webhooks.
        """
        if len(config.webhook_secret or config.url_secret) < 16:
            raise ValueError("set webhook_secret or url_secret, of 16 characters or more")
        self._config = config
        self._context = context
        base = f"{config.url.rstrip('/')}/api/v1/accounts/{config.account_id}"
        self._client = BridgeClient(base, context, {"api_access_token": config.token})

    async def open(self, opening: Opening) -> str:
        """Open a conversation with the story as a note and the customer's last words.

        Raises:
            TryLater: not now; it may be open already.
            RefusedThere: never.
        """
        language = self._context.language
        contact, source_id = await self._contact(opening)
        remote_id = await self._opened(contact, opening) if opening.again else ""
        if not remote_id:
            body = {
                "contact_id": contact,
                "inbox_id": self._config.inbox_id,
                "status": "open",
                "custom_attributes": {CASE: reference(opening.case.id)},
            } | ({"source_id": source_id} if source_id else {})
            answer = await self._client.ask("POST", "/conversations", json=body)
            remote_id = str(answer["id"])
        told = summary_text(opening.case, opening.summary, language)
        told = f"{told}\n\n{story(opening.transcript, language, self._context.desk_url)}"
        await self._post(remote_id, f"{opening.key}:n", told, again=opening.again, note=True)
        if opening.said:
            await self._post(remote_id, opening.key, opening.said, again=opening.again)
        return remote_id

    async def tell(self, remote_id: str, told: Line | Remark) -> None:
        """Add the customer's words as an incoming message, everything else as a note.

        Raises:
            TryLater: not now; it may be there already.
            RefusedThere: never.
        """
        language = self._context.language
        if isinstance(told, Remark):
            text, note = word(told.why, language, name=told.name), True
        else:
            text = message_text(told.message, language, self._context.desk_url)
            note = told.message.speaker != "customer"
            if note:
                text = word("said_here", language, name=told.message.name, text=text)
        await self._post(remote_id, told.key, text, again=told.again, note=note)

    async def end(self, remote_id: str, ending: Ending) -> None:
        """Say so in a note and resolve the conversation.

        Raises:
            TryLater: not now; it may be resolved already.
            RefusedThere: never.
        """
        what = "closed_here" if ending.state == "closed" else "bot_again"
        text = word(what, self._context.language)
        await self._post(remote_id, ending.key, text, again=ending.again, note=True)
        path = f"/conversations/{remote_id}/toggle_status"
        await self._client.ask("POST", path, json={"status": "resolved"})

    def parse(self, call: WebhookCall) -> Sequence[Arrived]:
        """Return what a person did in our inbox.

        Raises:
            Unverified: the proof is missing, wrong or too old.
            BadWebhook: a field is not what is documented.
        """
        self._verify(call)
        try:
            told = msgspec.json.decode(call.body, type=_Told)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadWebhook("the body") from error
        inbox = told.inbox_id if told.inbox is None else told.inbox.id
        if inbox != self._config.inbox_id:
            return ()
        if told.event == "message_created":
            return tuple(_replied(told))
        changed = _changed(told)
        if told.status == "resolved" and "status" in changed:
            back = self._config.back_label in told.labels
            return tuple(_did(told, "gave_back" if back else "closed", call.body))
        if "assignee_id" in changed and _who(told.meta.assignee if told.meta else None)[0]:
            return tuple(_did(told, "assigned", call.body))
        return ()

    async def missed(self, remote_id: str) -> Sequence[Arrived]:
        """Return people's latest replies: Chatwoot sends a webhook once.

        Raises:
            TryLater: not now.
            RefusedThere: never.
        """
        page = await self._client.ask("GET", f"/conversations/{remote_id}/messages")
        told = [
            msgspec.convert(
                {**each, "event": "message_created", "conversation": {"id": int(remote_id)}}, _Told
            )
            for each in page["payload"]
            if not (each.get("content_attributes") or {}).get("deleted")
        ]
        return [each for message in told for each in _replied(message)]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _contact(self, opening: Opening) -> tuple[int, str]:
        """Return the customer's contact, and its source id in our inbox where it has one."""
        case = opening.case
        identifier = f"{PREFIX}{reference(case.conversation_id)}"
        found = await self._client.ask("GET", "/contacts/search", params={"q": identifier})
        for each in found["payload"]:
            if each.get("identifier") == identifier:
                return int(each["id"]), self._source(each.get("contact_inboxes") or ())
        name = case.customer_name or word("customer", self._context.language)
        body = {"inbox_id": self._config.inbox_id, "name": name, "identifier": identifier}
        answer = (await self._client.ask("POST", "/contacts", json=body))["payload"]
        source = (answer.get("contact_inbox") or {}).get("source_id") or ""
        return int(answer["contact"]["id"]), str(source)

    def _source(self, inboxes: Sequence[dict[str, Any]]) -> str:
        for each in inboxes:
            if (each.get("inbox") or {}).get("id") == self._config.inbox_id:
                return str(each.get("source_id") or "")
        return ""

    async def _opened(self, contact: int, opening: Opening) -> str:
        """Return the conversation that an earlier try opened."""
        found = await self._client.ask("GET", f"/contacts/{contact}/conversations")
        for each in found["payload"]:
            if (each.get("custom_attributes") or {}).get(CASE) == reference(opening.case.id):
                return str(each["id"])
        return ""

    async def _post(
        self, remote_id: str, key: str, text: str, *, again: bool, note: bool = False
    ) -> None:
        path, source_id = f"/conversations/{remote_id}/messages", f"{PREFIX}{key}"
        if again and await self._has(path, source_id):
            return
        kind = "outgoing" if note else "incoming"
        body = {"content": text, "message_type": kind, "private": note, "source_id": source_id}
        await self._client.ask("POST", path, json=body)

    async def _has(self, path: str, source_id: str) -> bool:
        before: dict[str, int] = {}
        for _ in range(PAGES_BACK):
            page = (await self._client.ask("GET", path, params=before))["payload"]
            if any(each.get("source_id") == source_id for each in page):
                return True
            if not page:
                return False
            before = {"before": min(int(each["id"]) for each in page)}
        return False

    def _verify(self, call: WebhookCall) -> None:
        if not self._config.webhook_secret:
            given = call.query.get("secret", "").encode()
            if not hmac.compare_digest(given, self._config.url_secret.encode()):
                raise Unverified("secret")
            return
        stamp = call.headers.get("x-chatwoot-timestamp", "")
        expected = signature(self._config.webhook_secret, stamp, call.body).encode()
        given = call.headers.get("x-chatwoot-signature", "").encode()
        if not hmac.compare_digest(expected, given):
            raise Unverified("x-chatwoot-signature")
        is_number = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
        if not is_number or not is_fresh(int(stamp), self._context.clock()):
            raise Unverified("x-chatwoot-timestamp")


def connect(config: Config, context: BridgeContext) -> ChatwootBridge:
    """Return the bridge; nothing is sent yet.

    Raises:
        ValueError: the settings name no secret for webhooks.
    """
    return ChatwootBridge(config, context)


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a webhook in the form of its header.

    Args:
        secret: the webhook's, shown once where it is made.
        stamp: the header `X-Chatwoot-Timestamp`, seconds since 1970.
        body: as it goes over the wire.
    """
    signed = f"{stamp}.".encode() + body
    return f"sha256={hmac.new(secret.encode(), signed, sha256).hexdigest()}"


def _replied(told: _Told) -> Iterator[Arrived]:
    """Yield a person's reply: no note, nothing that we or an automation sent."""
    sender, conversation = told.sender, told.conversation
    is_person = sender is not None and sender.type == "user" and sender.id is not None
    is_ours = (told.source_id or "").startswith(PREFIX)
    is_reply = told.message_type in {"outgoing", 1} and not told.private and not is_ours
    if not is_person or not is_reply or told.id is None or conversation is None:
        return
    files = tuple(
        Attachment(_FILES.get(each.file_type or "", "file"), each.data_url or "")
        for each in told.attachments
    )
    yield Arrived(
        f"m{told.id}",
        "reply",
        str(conversation.id),
        *_who(sender),
        text=told.content or "",
        attachments=files,
        at=moment(told.created_at),
        order=told.id,
    )


def _did(told: _Told, kind: Kind, body: bytes) -> Iterator[Arrived]:
    """Yield what was done to a conversation; it has no id, so what is told names it."""
    if told.id is None:
        return
    when = told.updated_at if told.updated_at is not None else sha256(body).hexdigest()[:16]
    person = told.meta.assignee if told.meta else None
    own_id = f"{kind}:{told.id}:{when}"
    yield Arrived(own_id, kind, str(told.id), *_who(person), at=moment(told.updated_at))


def _changed(told: _Told) -> frozenset[str]:
    """Return what changed of a conversation; a status that changed with more may come with it."""
    if told.event == "conversation_status_changed":
        return frozenset({"status"})
    if told.event != "conversation_updated" or not isinstance(told.changed_attributes, list):
        return frozenset()
    found = [each for each in told.changed_attributes if isinstance(each, dict)]
    return frozenset(str(name) for each in found for name in each)


def _who(person: _Person | None) -> tuple[str, str]:
    if person is None or person.id is None:
        return "", ""
    return str(person.id), person.available_name or person.name or ""
