"""Zendesk messaging: cases are conversations of Sunshine Conversations (API v2, spec 17.12).

The customer is a user without a client of Zendesk's, so nothing written there reaches anybody but
the staff and us. The story and our notes are messages of the business, the customer's words their
own; then control goes to the staff's workspace. Each message carries a key of ours as metadata, by
which it is found again when an answer was lost.

Looked up in:
    https://developer.zendesk.com/api-reference/conversations/ (github.com/zendesk/
    sunshine-conversations-api-spec): requests, events, `X-API-Key`, attempts, 429, limits.
    https://developer.zendesk.com/documentation/conversations/messaging-platform/
    programmable-conversations/switchboard and …/receiving-messages: control, webhooks.
    https://support.zendesk.com/hc/en-us/articles/4419179022874: `first_message_id`.
    https://docs.smooch.io/guide/switchboard/, …/template-messages/: `dataCapture.…`, shorthand.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
import structlog

from desk.bridges.http import BridgeClient
from desk.bridges.ports import (
    Arrived,
    BadWebhook,
    Bridge,
    BridgeContext,
    Ending,
    Line,
    Opening,
    RefusedThere,
    Remark,
    Unverified,
    WebhookCall,
    moment,
    reference,
)
from desk.bridges.sunshine import (
    EVENTS,
    KEY,
    OVER,
    Event,
    Message,
    Payload,
    Switchboard,
    Told,
    business,
    customer,
    files,
    parts,
    person,
    without_signals,
)
from desk.bridges.words import message_text, story, summary_text, word
from desk.records import Case

PREFIX = "tresen-"
"""How the external ids of our users begin."""
CASE = "tresen_case"
"""The metadata of a conversation that names its case."""
WORKSPACE = "zd:agentWorkspace"
MOST_METADATA_BYTES = 3_700
"""Of the ticket's fields; the API takes 4096 with ours."""
MOST_NAME_CHARS, MOST_TITLE_CHARS = 128, 100
MOST_PAGES = 10
"""So many pages are looked through for what may have arrived."""
Field = Literal["summary", "reason", "order_number", "channel", "language", "customer_id", "case"]
log = structlog.get_logger(__name__)


class Config(msgspec.Struct, frozen=True):
    """A Zendesk account with messaging.

    Args:
        url: such as https://shop.zendesk.com.
        app_id: of the Conversations API.
        key_id: of an API key of that app, not of an integration: app_….
        key_secret: of that key.
        webhook_secret: the shared secret of the conversations integration.
        workspace: the switchboard integration of the staff: its type, name or id.
        back_mark: a line of its own in a reply that gives the conversation back to the bot.
        fields: which ticket fields are filled in: what, and the id of the field.
    """

    url: Annotated[str, msgspec.Meta(pattern="^https://", description="write https://…")]
    app_id: str
    key_id: Annotated[str, msgspec.Meta(pattern="^(app|act|svc)_", description="a key of the app")]
    key_secret: str
    webhook_secret: Annotated[str, msgspec.Meta(min_length=16)]
    workspace: str = WORKSPACE
    back_mark: str = "#bot"
    fields: dict[Field, int | str] = msgspec.field(default_factory=dict)


class ZendeskMessagingBridge(Bridge):
    """The messaging of a Zendesk account."""

    name = "zendesk_messaging"

    def __init__(self, config: Config, context: BridgeContext) -> None:
        """Talk to the account of `config`."""
        self._config = config
        self._context = context
        base = config.url.rstrip("/").removesuffix("/sc")
        if not base.endswith(".smooch.io"):  # the hosts of accounts from before Zendesk's
            base = f"{base}/sc"
        auth = config.key_id, config.key_secret
        url = f"{base}/v2/apps/{quote(config.app_id, safe='')}"
        self._client = BridgeClient(url, context, auth=auth)

    async def open(self, opening: Opening) -> str:
        """Open a conversation with the story, hand it to the staff, add the customer's last words.

        Raises:
            TryLater: not now; it may be open already.
            RefusedThere: never.
        """
        case, language, key = opening.case, self._context.language, opening.key
        user, fields = _user_of(case), self._fields(opening)
        await self._add_user(user, case)
        remote_id = await self._opened(user, case) if opening.again else ""
        if not remote_id:
            remote_id = await self._create(user, case, fields)
        sent = await self._sent(remote_id) if opening.again else {}
        told = summary_text(case, opening.summary, language)
        told = f"{told}\n\n{story(opening.transcript, language, self._context.desk_url)}"
        first = await self._write(remote_id, f"{key}:s", business(), told, sent)
        if key not in sent:  # else it had control, and may have let go of it since
            await self._pass(remote_id, {KEY: key, "first_message_id": first, **fields})
        if opening.said:
            await self._write(remote_id, key, customer(user), opening.said, sent)
        return remote_id

    async def tell(self, remote_id: str, told: Line | Remark) -> None:
        """Add the customer's words as their own, everything else as a message of the business.

        Raises:
            TryLater: not now; it may be there already.
            RefusedThere: never.
        """
        language, author = self._context.language, business()
        if isinstance(told, Remark):
            text = word(told.why, language, name=told.name)
        else:
            text = message_text(told.message, language, self._context.desk_url)
            if told.message.speaker == "customer":
                author = customer(_user_of(told.case))
                await self._hold(remote_id, told.key)
            else:
                text = word("said_here", language, name=told.message.name, text=text)
        sent = await self._sent(remote_id) if told.again else {}
        await self._write(remote_id, told.key, author, text, sent)

    async def end(self, remote_id: str, ending: Ending) -> None:
        """Say so and release control; the ticket is the staff's to solve.

        Raises:
            TryLater: not now; it may be known already.
            RefusedThere: never.
        """
        what = "closed_here" if ending.state == "closed" else "bot_again"
        text = word(what, self._context.language)
        sent = await self._sent(remote_id) if ending.again else {}
        await self._write(remote_id, ending.key, business(), text, sent)
        path = f"{_path(remote_id)}/releaseControl"
        await self._client.ask("POST", path, json={"metadata": {KEY: ending.key}})

    def parse(self, call: WebhookCall) -> Sequence[Arrived]:
        """Return what a person did in our conversations; the request proves itself by a secret.

        Raises:
            Unverified: the secret is missing or wrong.
            BadWebhook: it is not what is documented.
        """
        given = call.headers.get("x-api-key", "").encode()
        if not hmac.compare_digest(given, self._config.webhook_secret.encode()):
            raise Unverified("x-api-key")
        try:
            told = msgspec.json.decode(call.body, type=Told)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadWebhook("the body") from error
        if told.app.id != self._config.app_id:
            return ()
        return [arrived for event in told.events for arrived in self._arrived(event)]

    async def missed(self, remote_id: str) -> Sequence[Arrived]:
        """Return the staff's latest replies: webhooks are tried for 15 minutes only.

        Raises:
            TryLater: not now.
            RefusedThere: never.
        """
        page = await self._client.ask("GET", f"{_path(remote_id)}/messages")
        messages = msgspec.convert(page["messages"], list[Message])
        return [each for message in messages for each in self._said(message, remote_id)]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _arrived(self, event: Event) -> Iterator[Arrived]:
        if event.type not in EVENTS:
            return
        try:
            payload = msgspec.json.decode(event.payload, type=Payload)
        except (msgspec.DecodeError, UnicodeDecodeError):  # 400 would lose the others in the batch
            log.warning("desk_webhook_event_not_read", bridge=self.name, type=event.type)
            return
        is_ours = bool((payload.conversation.metadata or {}).get(CASE))
        if not is_ours or KEY in (payload.metadata or {}):
            return
        if event.type != "conversation:message":
            yield from self._moved(event, payload)
        elif payload.message is not None:
            yield from self._said(payload.message, payload.conversation.id)

    def _said(self, message: Message, remote_id: str) -> Iterator[Arrived]:
        own = person(message)
        if own is None:
            return
        own_id, at = f"m{message.id}", moment(message.received)
        who = own, message.author.display_name or ""
        lines = without_signals(message.content.text or "").splitlines()
        kept = [line for line in lines if line.strip().lower() != self._config.back_mark.lower()]
        text, sent = "\n".join(kept).strip(), files(message.content)
        if text or sent:
            yield Arrived(own_id, "reply", remote_id, *who, text=text, attachments=sent, at=at)
        if len(kept) < len(lines):
            yield Arrived(f"{own_id}:back", "gave_back", remote_id, *who, at=at)

    def _moved(self, event: Event, payload: Payload) -> Iterator[Arrived]:
        """Yield that the staff let go of a conversation, or handed it to another integration."""
        remote_id, at = payload.conversation.id, moment(event.created_at)
        active = payload.conversation.active_switchboard_integration
        if event.type == "switchboard:releaseControl" or payload.reason in OVER:
            yield Arrived(f"e{event.id}", "closed", remote_id, at=at)
        elif active is not None and not self._is_workspace(active):
            yield Arrived(f"e{event.id}", "gave_back", remote_id, at=at)

    def _is_workspace(self, active: Switchboard) -> bool:
        return self._config.workspace in {active.id, active.name, active.integration_type}

    async def _add_user(self, user: str, case: Case) -> None:
        name = case.customer_name or word("customer", self._context.language)
        body = {"externalId": user, "profile": {"givenName": name[:MOST_NAME_CHARS]}}
        try:
            await self._client.ask("POST", "/users", json=body)
        except RefusedThere as error:
            if error.code != "http_409":  # the user is there
                raise

    async def _create(self, user: str, case: Case, fields: Mapping[str, str]) -> str:
        own, shop = reference(case.id), self._context.shop_name
        title = word("case", self._context.language, id=own, shop=shop)
        body = {
            "type": "personal",
            "participants": [{"userExternalId": user, "subscribeSDKClient": False}],
            "displayName": title[:MOST_TITLE_CHARS],
            "metadata": {CASE: own, **fields},
        }
        answer = await self._client.ask("POST", "/conversations", json=body)
        return str(answer["conversation"]["id"])

    async def _opened(self, user: str, case: Case) -> str:
        """Return the conversation that an earlier try opened."""
        params = {"filter[userExternalId]": user}
        for _ in range(MOST_PAGES):
            page = await self._client.ask("GET", "/conversations", params=params)
            for each in page["conversations"]:
                if (each.get("metadata") or {}).get(CASE) == reference(case.id):
                    return str(each["id"])
            cursor = (page.get("meta") or {}).get("afterCursor")
            if not cursor:
                break
            params = {**params, "page[after]": str(cursor)}
        return ""

    def _fields(self, opening: Opening) -> dict[str, str]:
        """Return what the ticket is to have, as metadata that the workspace reads."""
        case = opening.case
        known: dict[Field, str] = {
            "summary": summary_text(case, opening.summary, self._context.language),
            "reason": case.reason,
            "order_number": case.order_number,
            "channel": case.channel,
            "language": case.language,
            "customer_id": case.customer_id,
            "case": reference(case.id),
        }
        wanted = {
            f"dataCapture.ticketField.{field}": known[what]
            for what, field in self._config.fields.items()
            if known[what]
        }
        wanted["dataCapture.systemField.tags"] = "tresen"
        if case.urgent:
            wanted["dataCapture.systemField.priority"] = "urgent"
        while len(msgspec.json.encode(wanted)) > MOST_METADATA_BYTES:
            longest = max(wanted, key=lambda name: len(wanted[name]))
            wanted[longest] = f"{wanted[longest][: len(wanted[longest]) * 3 // 4]}…"
        return wanted

    async def _hold(self, remote_id: str, key: str) -> None:
        """Give the staff control again if it was let go of: else another bot may answer."""
        answer = await self._client.ask("GET", _path(remote_id))
        active = (answer["conversation"] or {}).get("activeSwitchboardIntegration")
        found = msgspec.convert(active or {}, Switchboard)
        if not self._is_workspace(found):
            await self._pass(remote_id, {KEY: key})

    async def _pass(self, remote_id: str, metadata: Mapping[str, str]) -> None:
        body = {"switchboardIntegration": self._config.workspace, "metadata": metadata}
        await self._client.ask("POST", f"{_path(remote_id)}/passControl", json=body)

    async def _write(
        self,
        remote_id: str,
        key: str,
        author: Mapping[str, str],
        text: str,
        sent: Mapping[str, str],
    ) -> str:
        """Write a text in as many messages as it needs; return the first one's id.

        Args:
            remote_id: the conversation's.
            key: what it is found again by.
            author: who says it.
            text: in words.
            sent: what is there already: ids by key.
        """
        first = ""
        for number, part in enumerate(parts(text)):
            own_key = f"{key}:{number}" if number else key
            own_id = sent.get(own_key)
            if own_id is None:
                content = {"type": "text", "text": part}
                body = {"author": author, "content": content, "metadata": {KEY: own_key}}
                answer = await self._client.ask("POST", f"{_path(remote_id)}/messages", json=body)
                own_id = str(answer["messages"][0]["id"])
            first = first or own_id
        return first

    async def _sent(self, remote_id: str) -> dict[str, str]:
        """Return the newest messages that are ours there: ids by key."""
        found: dict[str, str] = {}
        params: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = await self._client.ask("GET", f"{_path(remote_id)}/messages", params=params)
            for each in page["messages"]:
                if key := (each.get("metadata") or {}).get(KEY):
                    found[str(key)] = str(each["id"])
            meta = page.get("meta") or {}
            if not meta.get("hasMore") or not meta.get("beforeCursor"):
                break
            params = {"page[before]": str(meta["beforeCursor"])}
        return found


def connect(config: Config, context: BridgeContext) -> ZendeskMessagingBridge:
    """Return the bridge; nothing is sent yet."""
    return ZendeskMessagingBridge(config, context)


def _user_of(case: Case) -> str:
    """Return the external id of a case's customer; it holds nothing of theirs."""
    return f"{PREFIX}{reference(case.conversation_id)}"


def _path(remote_id: str) -> str:
    return f"/conversations/{quote(remote_id, safe='')}"
