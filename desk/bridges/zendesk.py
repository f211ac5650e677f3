"""Zendesk Support: cases are tickets.

The story is the ticket's first comment, which customers do not see; the customer's words are public
comments of the requester. Each comment carries a key of ours in its metadata, by which it is found
again when an answer was lost.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Annotated, Any

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
    RefusedThere,
    Remark,
    TryLater,
    Unverified,
    WebhookCall,
    is_fresh,
    moment,
    reference,
)
from desk.bridges.words import message_text, story, summary_text, word
from desk.records import Case

PREFIX = "tresen-"
"""How the external ids of our tickets and requesters begin."""
KEY = "tresen_key"
"""The custom metadata of what we wrote."""
MOST_REQUESTERS = 1_000
_TYPE = "zen:event-type:ticket."
_OVER = frozenset({"solved", "closed"})


class Config(msgspec.Struct, frozen=True):
    """A Zendesk account.

    Args:
        url: such as https://shop.zendesk.com.
        email: of the user whose token it is, an own one for the bot.
        token: an API token.
        webhook_secret: the signing secret of the webhook.
        back_tag: a ticket with this tag goes back to the bot when it is solved.
    """

    url: Annotated[str, msgspec.Meta(pattern="^https?://", description="write https://…")]
    email: str
    token: str
    webhook_secret: Annotated[str, msgspec.Meta(min_length=16)]
    back_tag: str = "back_to_bot"


class _Author(msgspec.Struct, frozen=True):
    id: str | int | None = None
    name: str | None = None
    is_staff: bool = False


class _Comment(msgspec.Struct, frozen=True):
    id: str | int
    body: str | None = None
    is_public: bool = False
    author: _Author = _Author()


class _File(msgspec.Struct, frozen=True):
    id: str | int
    content_url: str | None = None
    filename: str | None = None
    is_public: bool = False


class _Change(msgspec.Struct, frozen=True):
    current: Any = None
    comment: _Comment | None = None
    attachment: _File | None = None


class _Ticket(msgspec.Struct, frozen=True):
    id: str | int
    external_id: str | None = None
    actor_id: str | int | None = None
    assignee_id: str | int | None = None
    tags: tuple[str, ...] | None = None


class _Told(msgspec.Struct, frozen=True):
    """An event of a ticket."""

    type: str
    id: str
    detail: _Ticket
    event: _Change = _Change()
    time: str | None = None


class ZendeskBridge(Bridge):
    """A Zendesk account."""

    name = "zendesk"

    def __init__(self, config: Config, context: BridgeContext) -> None:
        """Talk to the account of `config`."""
        self._config = config
        self._context = context
        auth = f"{config.email}/token", config.token
        self._client = BridgeClient(f"{config.url.rstrip('/')}/api/v2", context, auth=auth)
        self._requesters: dict[str, int] = {}

    async def open(self, opening: Opening) -> str:
        """Open a ticket with the story as a note and the customer's last words.

        Raises:
            TryLater: not now; it may be open already.
            RefusedThere: never.
        """
        remote_id = await self._opened(opening.case) if opening.again else ""
        if not remote_id:
            remote_id = await self._create(opening)
        if opening.said:
            asked = self._comment(opening.said, await self._requester(opening.case))
            await self._write(remote_id, opening.key, asked, again=opening.again)
        return remote_id

    async def tell(self, remote_id: str, told: Line | Remark) -> None:
        """Add the customer's words as a public comment of theirs, everything else as a note.

        Raises:
            TryLater: not now; it may be there already.
            RefusedThere: never.
        """
        language = self._context.language
        if isinstance(told, Remark):
            written = self._comment(word(told.why, language, name=told.name))
        elif told.message.speaker == "customer":
            requester = await self._requester(told.case)
            written = self._comment(
                message_text(told.message, language, self._context.desk_url), requester
            )
        else:
            text = message_text(told.message, language, self._context.desk_url)
            name = told.message.name
            written = self._comment(word("said_here", language, name=name, text=text))
        await self._write(remote_id, told.key, written, again=told.again)

    async def end(self, remote_id: str, ending: Ending) -> None:
        """Say so in a note and solve the ticket, where the account's rules let it be solved.

        Raises:
            TryLater: not now; it may be solved already.
            RefusedThere: never.
        """
        what = "closed_here" if ending.state == "closed" else "bot_again"
        written = self._comment(word(what, self._context.language))
        await self._write(remote_id, ending.key, written, again=ending.again)
        try:
            path = f"/tickets/{remote_id}.json"
            await self._client.ask("PUT", path, json={"ticket": {"status": "solved"}})
        except RefusedThere:  # a field that people must fill in: the note says it
            return

    def parse(self, call: WebhookCall) -> Sequence[Arrived]:
        """Return what a person did to one of our tickets.

        Raises:
            Unverified: the signature is missing, wrong or too old.
            BadWebhook: a field is not what is documented.
        """
        self._verify(call)
        try:
            told = msgspec.json.decode(call.body, type=_Told)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadWebhook("the body") from error
        if not (told.detail.external_id or "").startswith(PREFIX):
            return ()
        return tuple(self._events(told))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _events(self, told: _Told) -> Iterator[Arrived]:
        what, change = told.type.removeprefix(_TYPE), told.event
        if what == "comment_added" and change.comment is not None:
            yield from _replied(told, change.comment)
        elif what == "attachment_linked_to_comment" and change.attachment is not None:
            yield from _sent(told, change.attachment)
        elif what == "status_changed" and str(change.current).lower() in _OVER:
            back = self._config.back_tag in (told.detail.tags or ())
            yield _did(told, "gave_back" if back else "closed", told.detail.assignee_id)
        elif what == "agent_assignment_changed" and change.current:  # the platform's name for it
            yield _did(told, "assigned", change.current)

    async def _create(self, opening: Opening) -> str:
        case, language = opening.case, self._context.language
        told = summary_text(case, opening.summary, language)
        told = f"{told}\n\n{story(opening.transcript, language, self._context.desk_url)}"
        ticket = {
            "subject": word("case", language, id=reference(case.id), shop=self._context.shop_name),
            "external_id": f"{PREFIX}{reference(case.id)}",
            "requester_id": await self._requester(case),
            "comment": self._comment(told),
            "tags": ["tresen"],
            "priority": "urgent" if case.urgent else "normal",
        }
        headers = {"idempotency-key": opening.key}
        try:
            answer = await self._client.ask(
                "POST", "/tickets.json", json={"ticket": ticket}, headers=headers
            )
        except RefusedThere as error:
            if opening.again:  # the key was used for a text that has been redacted since
                raise TryLater(error.code) from error
            raise
        return str(answer["ticket"]["id"])

    async def _opened(self, case: Case) -> str:
        """Return the ticket that an earlier try opened."""
        external_id = f"{PREFIX}{reference(case.id)}"
        found = await self._client.ask("GET", "/tickets.json", params={"external_id": external_id})
        for each in found["tickets"]:
            if each.get("external_id") == external_id:
                return str(each["id"])
        return ""

    async def _requester(self, case: Case) -> int:
        """Return the customer as Zendesk knows them; they are made once."""
        external_id = f"{PREFIX}{reference(case.conversation_id)}"
        if external_id not in self._requesters:
            name = case.customer_name or word("customer", self._context.language)
            user = {"name": name, "external_id": external_id, "skip_verify_email": True}
            answer = await self._client.ask(
                "POST", "/users/create_or_update.json", json={"user": user}
            )
            if len(self._requesters) >= MOST_REQUESTERS:
                self._requesters.clear()
            self._requesters[external_id] = int(answer["user"]["id"])
        return self._requesters[external_id]

    def _comment(self, text: str, author: int = 0) -> dict[str, Any]:
        """Return a comment: the customer's where they are its author, else a note."""
        return {"body": text, "public": bool(author)} | ({"author_id": author} if author else {})

    async def _write(
        self, remote_id: str, key: str, comment: dict[str, Any], *, again: bool
    ) -> None:
        if again and await self._has(remote_id, key):
            return
        ticket = {"comment": comment, "metadata": {KEY: key}}
        await self._client.ask("PUT", f"/tickets/{remote_id}.json", json={"ticket": ticket})

    async def _has(self, remote_id: str, key: str) -> bool:
        path = f"/tickets/{remote_id}/comments.json"
        newest = {"sort_order": "desc", "per_page": "100"}
        found = await self._client.ask("GET", path, params=newest)
        return any(
            ((each.get("metadata") or {}).get("custom") or {}).get(KEY) == key
            for each in found["comments"]
        )

    def _verify(self, call: WebhookCall) -> None:
        stamp = call.headers.get("x-zendesk-webhook-signature-timestamp", "")
        expected = signature(self._config.webhook_secret, stamp, call.body).encode()
        given = call.headers.get("x-zendesk-webhook-signature", "").encode()
        if not hmac.compare_digest(expected, given):
            raise Unverified("x-zendesk-webhook-signature")
        at = moment(stamp)
        if at is None or not is_fresh(at.timestamp(), self._context.clock()):
            raise Unverified("x-zendesk-webhook-signature-timestamp")


def connect(config: Config, context: BridgeContext) -> ZendeskBridge:
    """Return the bridge; nothing is sent yet."""
    return ZendeskBridge(config, context)


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a webhook in the form of its header.

    Args:
        secret: the webhook's signing secret.
        stamp: the header `X-Zendesk-Webhook-Signature-Timestamp`.
        body: as it goes over the wire.
    """
    return b64encode(hmac.new(secret.encode(), stamp.encode() + body, sha256).digest()).decode()


def _replied(told: _Told, comment: _Comment) -> Iterator[Arrived]:
    """Yield a public comment of the staff; the customer's own words are those that we wrote."""
    if comment.is_public and comment.author.is_staff:
        who = str(comment.author.id or ""), comment.author.name or ""
        own_id, ticket = f"c{comment.id}", str(told.detail.id)
        yield Arrived(own_id, "reply", ticket, *who, text=comment.body or "", at=moment(told.time))


def _sent(told: _Told, file: _File) -> Iterator[Arrived]:
    """Yield a file of a public comment, which is told by itself."""
    if file.is_public:
        sent = Attachment("file", file.content_url or "", file.filename or "")
        who, ticket = str(told.detail.actor_id or ""), str(told.detail.id)
        own_id, at = f"a{file.id}", moment(told.time)
        yield Arrived(own_id, "reply", ticket, who, attachments=(sent,), at=at)


def _did(told: _Told, kind: Kind, who: object) -> Arrived:
    person = str(who or "")
    return Arrived(f"e{told.id}", kind, str(told.detail.id), person, at=moment(told.time))
